//! Which vaults are due, and who checks them.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use latchkey_core::health::due::DuePartition;
use latchkey_core::ports::{DueVault, DueVaults, StoreError};
use latchkey_core::vault::Vault;
use serde::Deserialize;

use super::VaultRecords;
use super::errors::if_condition_held;
use super::fields::{RecordedAt, time};
use super::key::RecordKey;
use super::table::record;
use super::vault_store::parse;

/// The global index of the table: vaults by partition and by when they are due. It holds keys alone.
const INDEX: &str = "due";

/// A place in the index.
#[derive(Deserialize)]
struct DueEntry {
    pk: String,
    sk: String,
    due_at: RecordedAt,
}

impl DueVaults for VaultRecords {
    async fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DueVault>, StoreError> {
        let query = self
            .table
            .query(INDEX)
            .key_condition_expression("#due_partition = :partition AND #due_at <= :now")
            .expression_attribute_names("#due_partition", "due_partition")
            .expression_attribute_names("#due_at", "due_at")
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_string()))
            .expression_attribute_values(":now", time(now))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let found = self.table.answered(query).await?;
        let entries = found.into_iter().map(record::<DueEntry>);
        // An entry that is none of ours must not keep the others from being checked.
        Ok(entries.flatten().filter_map(DueEntry::into_due_vault).collect())
    }

    async fn claim(&self, due: &DueVault, until: Timestamp) -> Result<Option<Vault>, StoreError> {
        let answer = self
            .table
            .update(RecordKey::vault(&due.workspace_id, &due.vault_id), "#due_at = :seen")
            .update_expression("SET #due_at = :until")
            .expression_attribute_names("#due_at", "due_at")
            .expression_attribute_values(":seen", time(due.due_at))
            .expression_attribute_values(":until", time(until))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        // Should it have been this very claim, sent twice by the SDK because its answer was lost, then nobody checks the
        // vault until the claim expires: a minute late, and never twice.
        let Some(output) = if_condition_held(answer)? else {
            return Ok(None);
        };
        let claimed = record(output.attributes.ok_or(StoreError::Corrupt)?)?;
        parse(claimed, &due.workspace_id, &due.vault_id).map(Some)
    }
}

impl DueEntry {
    fn into_due_vault(self) -> Option<DueVault> {
        let (workspace_id, vault_id) = RecordKey {
            pk: self.pk,
            sk: self.sk,
        }
        .vault_ids()?;
        Some(DueVault {
            workspace_id,
            vault_id,
            due_at: self.due_at.0,
        })
    }
}
