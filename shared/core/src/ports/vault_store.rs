//! The vault records.

use core::future::Future;

use jiff::Timestamp;

use crate::health::Health;
use crate::health::due::Due;
use crate::ports::StoreError;
use crate::values::{DataKeyCacheBound, VaultId, VaultName, WorkspaceId};
use crate::vault::{Vault, VaultStatus};

/// The vault records. Every read is consistent: what one Region has confirmed, the other sees.
///
/// There are no transactions. The record of the vault, under its id, is the only truth. The name and the default are
/// pointers to it.
pub trait VaultStore: Send + Sync {
    /// The vault, if it belongs to the workspace.
    fn vault(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Up to `limit` vaults of the workspace whose ids come after `after`, in the order of their ids.
    fn list_vaults(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<&VaultId>,
        limit: usize,
    ) -> impl Future<Output = Result<VaultPage, StoreError>> + Send;

    /// The claim on a name. Its vault may not exist (yet), or may have another name.
    fn name_claim(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
    ) -> impl Future<Output = Result<Option<NameClaim>, StoreError>> + Send;

    /// Puts `claim` on a name, in place of the claim that was `seen` there. `false` if that claim has changed; then
    /// nothing is written.
    fn claim_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        seen: Option<&NameClaim>,
        claim: &NameClaim,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes the vault's claim on a name if the claim is for `version` or an earlier version. Otherwise changes
    /// nothing.
    fn release_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        vault_id: &VaultId,
        version: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a new vault on record. `false` if its id is taken; then nothing is written.
    fn insert_vault(&self, vault: &Vault) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The workspace's default vault.
    fn default_vault_id(
        &self,
        workspace_id: &WorkspaceId,
    ) -> impl Future<Output = Result<Option<VaultId>, StoreError>> + Send;

    /// Makes `vault_id` the workspace's default.
    fn set_default(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes the workspace's default if it is `vault_id`. Otherwise changes nothing.
    fn clear_default(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes the next version of `vault`, with this name and this bound. `None` if the vault has another version by
    /// now; then nothing is written.
    fn change_settings(
        &self,
        vault: &Vault,
        name: &VaultName,
        data_key_cache: DataKeyCacheBound,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Changes the status if it is one of `from` and, where a version is given, the vault has that version. `None` if
    /// the vault does not exist, or has another status or version.
    fn change_status(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        from: &[VaultStatus],
        to: VaultStatus,
        version: Option<u64>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Replaces the health that has the revision before `health`'s, and sets when the vault is due. `false` if there is
    /// no such vault or another writer came first; then nothing is written.
    fn record_health(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        health: &Health,
        due: &Due,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Makes the vault due for its whole validation at `at`, unless it is due by then anyway.
    fn mark_due(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        at: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A vault's claim on a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameClaim {
    /// The vault.
    pub vault_id: VaultId,
    /// The version from which the vault is to have the name. Until the vault has that version, it may still take the
    /// name. From then on, the vault has the name or the claim is void.
    pub version: u64,
}

/// One page of a workspace's vaults.
#[derive(Clone, Debug)]
pub struct VaultPage {
    /// The vaults, in the order of their ids.
    pub vaults: Vec<Vault>,
    /// The id after which there may be more vaults.
    pub more_after: Option<VaultId>,
}
