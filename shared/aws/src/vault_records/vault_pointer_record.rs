//! The record that points to a vault: the workspace's default.

use latchkey_core::values::{Invalid, VaultId};
use serde::{Deserialize, Serialize};

use super::errors::Record;
use super::fields::RecordVersion;

#[derive(Serialize, Deserialize)]
pub(super) struct VaultPointerRecord {
    record_version: RecordVersion,
    vault_id: String,
}

impl Record for VaultPointerRecord {
    const KIND: &'static str = "default";
}

impl VaultPointerRecord {
    pub(super) fn at(vault_id: &VaultId) -> Self {
        Self {
            record_version: RecordVersion,
            vault_id: vault_id.as_str().to_owned(),
        }
    }

    pub(super) fn vault_id(self) -> Result<VaultId, Invalid> {
        VaultId::parse(&self.vault_id)
    }
}
