//! The record of a vault.

use latchkey_core::findings::Finding;
use latchkey_core::health::changes::HealthChange;
use latchkey_core::health::due::{Due, DuePartition};
use latchkey_core::health::{Health, HealthState};
use latchkey_core::values::{
    AwsAccountId, CustomerKey, CustomerPublicKey, DataKeyCacheBound, Invalid, KmsKeyId, RoleArn, Strategy, VaultId,
    VaultName, WorkspaceId,
};
use latchkey_core::vault::{Vault, VaultStatus};
use serde::{Deserialize, Serialize};

use super::errors::Record;
use super::fields::{Binary, RecordVersion, RecordedAt, first_version};

#[derive(Serialize, Deserialize)]
pub(super) struct VaultRecord {
    record_version: RecordVersion,
    vault_id: String,
    workspace_id: String,
    name: String,
    strategy: Strategy,
    status: VaultStatus,
    aws_account_id: String,
    kms_key_id: String,
    aws_role_arn: String,
    public_key: Binary,
    key_spec: String,
    data_key_cache_seconds: u64,
    health: HealthRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_partition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_at: Option<RecordedAt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole_due_from: Option<RecordedAt>,
    created_at: RecordedAt,
    created_by: String,
    /// Absent in records from before there were versions.
    #[serde(default = "first_version")]
    version: u64,
    updated_at: RecordedAt,
}

impl Record for VaultRecord {
    const KIND: &'static str = "vault";
}

impl From<&Vault> for VaultRecord {
    fn from(vault: &Vault) -> Self {
        Self {
            record_version: RecordVersion,
            vault_id: vault.vault_id.as_str().to_owned(),
            workspace_id: vault.workspace_id.as_str().to_owned(),
            name: vault.name.as_str().to_owned(),
            strategy: vault.strategy,
            status: vault.status,
            aws_account_id: vault.customer_key.account_id.as_str().to_owned(),
            kms_key_id: vault.customer_key.key_id.as_str().to_owned(),
            aws_role_arn: vault.aws_role_arn.as_str().to_owned(),
            public_key: Binary(vault.public_key.as_der().to_vec()),
            key_spec: vault.key_spec.clone(),
            data_key_cache_seconds: u64::from(vault.data_key_cache.seconds()),
            health: HealthRecord::from(&vault.health),
            due_partition: Some(DuePartition::of(&vault.vault_id).to_string()),
            due_at: Some(RecordedAt(vault.due.at)),
            whole_due_from: Some(RecordedAt(vault.due.whole_from)),
            created_at: RecordedAt(vault.created_at),
            created_by: vault.created_by.clone(),
            version: vault.version,
            updated_at: RecordedAt(vault.updated_at),
        }
    }
}

impl VaultRecord {
    /// Parses every field again, so that an invalid vault is refused even if it is on record.
    pub(super) fn vault(self) -> Result<Vault, Invalid> {
        Ok(Vault {
            vault_id: VaultId::parse(&self.vault_id)?,
            workspace_id: WorkspaceId::parse(&self.workspace_id)?,
            name: VaultName::parse(&self.name)?,
            strategy: self.strategy,
            status: self.status,
            customer_key: CustomerKey {
                account_id: AwsAccountId::parse(&self.aws_account_id)?,
                key_id: KmsKeyId::parse(&self.kms_key_id)?,
            },
            aws_role_arn: RoleArn::parse(&self.aws_role_arn)?,
            public_key: CustomerPublicKey::from_der(&self.public_key.0)?,
            key_spec: self.key_spec,
            data_key_cache: DataKeyCacheBound::from_seconds(self.data_key_cache_seconds)?,
            health: Health::from(self.health),
            // Absent in records from before there were scheduled checks.
            due: Due {
                at: self.due_at.unwrap_or(self.created_at).0,
                whole_from: self.whole_due_from.unwrap_or(self.created_at).0,
            },
            created_at: self.created_at.0,
            created_by: self.created_by,
            version: self.version,
            updated_at: self.updated_at.0,
        })
    }
}

/// A vault's health. Conditions can compare its times.
#[derive(Serialize, Deserialize)]
pub(super) struct HealthRecord {
    state: HealthState,
    checked_at: RecordedAt,
    since: RecordedAt,
    findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_ends_by: Option<RecordedAt>,
    #[serde(default)]
    unanswered_in_a_row: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unannounced: Vec<HealthChange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deletion_announced_at: Option<RecordedAt>,
    /// 0 in records from before there were revisions.
    #[serde(default)]
    revision: u64,
}

impl HealthRecord {
    /// The attributes that may be absent.
    pub(super) const OPTIONAL: [&str; 3] = ["access_ends_by", "unannounced", "deletion_announced_at"];
}

impl From<&Health> for HealthRecord {
    fn from(health: &Health) -> Self {
        Self {
            state: health.state,
            checked_at: RecordedAt(health.checked_at),
            since: RecordedAt(health.since),
            findings: health.findings.clone(),
            access_ends_by: health.access_ends_by.map(RecordedAt),
            unanswered_in_a_row: health.unanswered_in_a_row,
            unannounced: health.unannounced.clone(),
            deletion_announced_at: health.deletion_announced_at.map(RecordedAt),
            revision: health.revision,
        }
    }
}

impl From<HealthRecord> for Health {
    fn from(record: HealthRecord) -> Self {
        Self {
            state: record.state,
            checked_at: record.checked_at.0,
            since: record.since.0,
            findings: record.findings,
            access_ends_by: record.access_ends_by.map(|at| at.0),
            unanswered_in_a_row: record.unanswered_in_a_row,
            unannounced: record.unannounced,
            deletion_announced_at: record.deletion_announced_at.map(|at| at.0),
            revision: record.revision,
        }
    }
}
