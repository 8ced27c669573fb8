//! A vault and a data key to write to the table.

use jiff::Timestamp;
use latchkey_core::findings::{Check, Finding};
use latchkey_core::health::changes::HealthChange;
use latchkey_core::health::due::Due;
use latchkey_core::health::{Health, HealthState};
use latchkey_core::ports::NameClaim;
use latchkey_core::values::{DataKeyCacheBound, Region, RoleArn, Strategy, VaultId, VaultName};
use latchkey_core::vault::{DataKeyId, DataKeyPeriod, IssuedDataKey, Vault, VaultStatus};
use sealed_item::EncryptedDataKey;

use crate::fixtures::{CUSTOMER_ROLE, customer_key, public_key, workspace};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn name(text: &str) -> VaultName {
    VaultName::parse(text).expect("a name")
}

pub(crate) fn vault() -> Vault {
    let checked_at = at("2026-11-23T10:00:00.123456789Z");
    Vault {
        vault_id: VaultId::generate(),
        workspace_id: workspace("ws-acme"),
        name: name("Ärger & Söhne #1"),
        strategy: Strategy::AwsKms,
        status: VaultStatus::Active,
        customer_key: customer_key(),
        aws_role_arn: RoleArn::parse(CUSTOMER_ROLE).expect("valid"),
        public_key: public_key(),
        key_spec: "RSA_2048".to_owned(),
        data_key_cache: DataKeyCacheBound::from_seconds(0).expect("a bound"),
        health: Health {
            state: HealthState::Degraded,
            checked_at,
            since: at("2026-11-01T00:00:00Z"),
            findings: vec![
                Finding {
                    check: Check::KeySpecRecommended,
                    region: Some(Region::UsWest2),
                    message: "RSA_2048".to_owned(),
                    remedy: Some("RSA_4096".to_owned()),
                    since: Some(at("2026-11-22T23:59:59.5Z")),
                    deletion_at: Some(at("2026-12-01T00:00:00Z")),
                    unanswered: true,
                },
                Finding {
                    check: Check::RoleTrustsOnlyServiceRole,
                    region: None,
                    message: String::new(),
                    remedy: None,
                    since: None,
                    deletion_at: None,
                    unanswered: false,
                },
            ],
            access_ends_by: Some(at("2026-11-23T10:05:00.5Z")),
            unanswered_in_a_row: 2,
            unannounced: vec![HealthChange {
                revision: 6,
                changed_at: at("2026-11-23T10:00:00.25Z"),
                previous_state: HealthState::Healthy,
                state: HealthState::Degraded,
                findings: Vec::new(),
                access_ends_by: Some(at("2026-11-23T10:05:00.5Z")),
                unexplained: true,
            }],
            deletion_announced_at: Some(at("2026-11-23T09:00:00.000000001Z")),
            revision: 7,
        },
        due: Due {
            at: at("2026-11-23T10:01:00.123456789Z"),
            whole_from: at("2026-11-23T11:00:00Z"),
        },
        created_at: at("2026-11-20T08:00:00.000000001Z"),
        created_by: "auth0|5f7c8ec7c33c6c004bbafe82".to_owned(),
        version: 3,
        updated_at: at("2026-11-21T09:30:00Z"),
    }
}

pub(crate) fn claim(vault_id: &VaultId, version: u64) -> NameClaim {
    NameClaim {
        vault_id: vault_id.clone(),
        version,
    }
}

pub(crate) fn data_key(ciphertext: &[u8]) -> IssuedDataKey {
    let created_at = at("2026-11-23T10:00:00.25Z");
    IssuedDataKey {
        data_key_id: DataKeyId::first_of(created_at, DataKeyPeriod::DAY),
        encrypted_data_key: EncryptedDataKey::kms_rsa("arn:aws:kms:...:key/mrk-1", ciphertext.to_vec()).expect("fits"),
        created_at,
    }
}

/// Every field of a vault, as text.
pub(crate) fn told(vault: &Vault) -> String {
    format!("{vault:?}")
}
