//! The vault records.

use core::future::Future;

use jiff::Timestamp;

use crate::health::Health;
use crate::health::due::Due;
use crate::ports::StoreError;
use crate::values::{DataKeyCacheBound, VaultId, VaultName, WorkspaceId};
use crate::vault::{Vault, VaultStatus};

/// The vault records. Every read is consistent: what one Region has answered, the other sees.
///
/// There are no transactions. The record of the vault itself, keyed by its id, is the only truth; the name and the
/// default are pointers at it.
pub trait VaultStore: Send + Sync {
    /// The vault, if the workspace has it.
    fn vault(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Up to `limit` vaults of the workspace, those whose ids come after `after`, in the order of their ids.
    fn list_vaults(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<&VaultId>,
        limit: usize,
    ) -> impl Future<Output = Result<VaultPage, StoreError>> + Send;

    /// What a name points at. The vault itself may not exist (yet), or have another name.
    fn name_claim(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
    ) -> impl Future<Output = Result<Option<NameClaim>, StoreError>> + Send;

    /// Puts `claim` on a name in the place of the one that was `seen` there. `false`: it is not as it was seen any more, and
    /// nothing was written.
    fn claim_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        seen: Option<&NameClaim>,
        claim: &NameClaim,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes the vault's claim off a name if it is for a version up to `version`; else changes nothing.
    fn release_name(
        &self,
        workspace_id: &WorkspaceId,
        name: &VaultName,
        vault_id: &VaultId,
        version: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a new vault on record. `false`: its id is taken, and nothing was written.
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

    /// Leaves the workspace without a default if the default is `vault_id`; else changes nothing.
    fn clear_default(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes the next version of `vault`, with this name and this bound. `None`: the vault has another version by now, and
    /// nothing was written.
    fn change_settings(
        &self,
        vault: &Vault,
        name: &VaultName,
        data_key_cache: DataKeyCacheBound,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Changes the status if it is one of `from` and, where a version is given, the vault has it. `None`: the vault is not
    /// there, or has another status or version.
    fn change_status(
        &self,
        workspace_id: &WorkspaceId,
        vault_id: &VaultId,
        from: &[VaultStatus],
        to: VaultStatus,
        version: Option<u64>,
        at: Timestamp,
    ) -> impl Future<Output = Result<Option<Vault>, StoreError>> + Send;

    /// Replaces the health of the revision before `health`'s, and when the vault is due. `false`: there is no such vault, or
    /// another has replaced it first, and nothing was written.
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
    /// The version from which on the vault is to have the name. Until then it may yet come to have it; from then on it has
    /// it, or the claim is void.
    pub version: u64,
}

/// Some of a workspace's vaults.
#[derive(Clone, Debug)]
pub struct VaultPage {
    /// The vaults, in the order of their ids.
    pub vaults: Vec<Vault>,
    /// The id after which there may be more.
    pub more_after: Option<VaultId>,
}
