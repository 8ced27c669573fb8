//! A vault as every operation returns it.

use jiff::Timestamp;
use latchkey_core::findings::Report;
use latchkey_core::health::Health;
use latchkey_core::operations::VaultView;
use latchkey_core::values::{MultiRegionKeyType, Region, Strategy};
use latchkey_core::vault::VaultStatus;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct VaultResponse {
    vault_id: String,
    name: String,
    strategy: Strategy,
    status: VaultStatus,
    is_default: bool,
    aws_account_id: String,
    kms_key_id: String,
    aws_role_arn: String,
    keys: [KeyResponse; 2],
    key_spec: String,
    public_key_sha256: String,
    data_key_cache_seconds: u16,
    health: Health,
    created_at: Timestamp,
    created_by: String,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Report>,
}

#[derive(Serialize)]
struct KeyResponse {
    region: Region,
    arn: String,
    multi_region_key_type: MultiRegionKeyType,
}

impl VaultResponse {
    pub(crate) fn new(view: VaultView, validation: Option<Report>) -> Self {
        let VaultView { vault, is_default } = view;
        let keys = Region::ALL.map(|region| KeyResponse {
            region,
            arn: vault.customer_key.arn(region).to_string(),
            multi_region_key_type: region.multi_region_key_type(),
        });
        Self {
            vault_id: vault.vault_id.to_string(),
            name: vault.name.as_str().to_owned(),
            strategy: vault.strategy,
            status: vault.status,
            is_default,
            aws_account_id: vault.customer_key.account_id.to_string(),
            kms_key_id: vault.customer_key.key_id.to_string(),
            aws_role_arn: vault.aws_role_arn.to_string(),
            keys,
            key_spec: vault.key_spec,
            public_key_sha256: vault.public_key.sha256_hex(),
            data_key_cache_seconds: vault.data_key_cache.seconds(),
            health: vault.health,
            created_at: vault.created_at,
            created_by: vault.created_by,
            updated_at: vault.updated_at,
            validation,
        }
    }
}
