//! The index of what is due.

use core::future::Future;

use jiff::Timestamp;

use crate::health::due::DuePartition;
use crate::ports::StoreError;
use crate::values::{VaultId, WorkspaceId};
use crate::vault::Vault;

/// Which vaults are due to be checked, and the claims that decide who checks one.
pub trait DueVaults: Send + Sync {
    /// Up to `limit` vaults of the partition that are due at `now`, the longest due first. The index may be some moments
    /// behind the records: a claim tells.
    fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DueVault>, StoreError>> + Send;

    /// Claims a due vault: it is due again at `until`, should the claimant die. `None`: it is not due any more as it was
    /// seen to be, so somebody else has it.
    fn claim(&self, due: &DueVault, until: Timestamp)
    -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;
}

/// A vault that is due, as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueVault {
    /// The vault's workspace.
    pub workspace_id: WorkspaceId,
    /// The vault.
    pub vault_id: VaultId,
    /// Since when it is due.
    pub due_at: Timestamp,
}
