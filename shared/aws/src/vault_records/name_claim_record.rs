//! The record of a claim on a name: which vault has the name, and from which of its versions on.

use latchkey_core::ports::NameClaim;
use latchkey_core::values::{Invalid, VaultId};
use serde::{Deserialize, Serialize};

use super::errors::Record;
use super::fields::{RecordVersion, first_version};

#[derive(Serialize, Deserialize)]
pub(super) struct NameClaimRecord {
    record_version: RecordVersion,
    vault_id: String,
    /// Absent in records from before vaults could be renamed.
    #[serde(default = "first_version")]
    version: u64,
}

impl Record for NameClaimRecord {
    const KIND: &'static str = "name";
}

impl From<&NameClaim> for NameClaimRecord {
    fn from(claim: &NameClaim) -> Self {
        Self {
            record_version: RecordVersion,
            vault_id: claim.vault_id.as_str().to_owned(),
            version: claim.version,
        }
    }
}

impl NameClaimRecord {
    pub(super) fn name_claim(self) -> Result<NameClaim, Invalid> {
        Ok(NameClaim {
            vault_id: VaultId::parse(&self.vault_id)?,
            version: self.version,
        })
    }
}
