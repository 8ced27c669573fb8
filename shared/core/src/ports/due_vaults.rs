//! The index of what is due.

use core::future::Future;

use jiff::Timestamp;

use crate::health::due::DuePartition;
use crate::ports::StoreError;
use crate::values::{VaultId, WorkspaceId};
use crate::vault::Vault;

/// Which vaults are due for a check, and the claims that decide which sweep checks a vault.
pub trait DueVaults: Send + Sync {
    /// Up to `limit` vaults of the partition that are due at `now`, the longest due first. The index may lag behind the
    /// records. [`Self::claim`] finds that out.
    fn due_vaults(
        &self,
        partition: DuePartition,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<DueVault>, StoreError>> + Send;

    /// Claims a due vault. If the claimant dies, the vault is due again at `until`. `None` if the vault is no longer
    /// due as the index had it, so another sweep has it.
    fn claim(&self, due: &DueVault, until: Timestamp)
    -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;
}

/// A due vault, as the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueVault {
    /// The vault's workspace.
    pub workspace_id: WorkspaceId,
    /// The vault.
    pub vault_id: VaultId,
    /// Since when it has been due.
    pub due_at: Timestamp,
}
