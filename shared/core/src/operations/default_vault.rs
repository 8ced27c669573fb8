//! The workspace's default vault: a pointer that counts only while its vault takes items.
//!
//! The pointer and the vault are two records, and nothing writes both at once. So every reader of the pointer reads the
//! vault too, and ignores the pointer if the vault takes no items.
//!
//! A pointer to such a vault is also removed. Otherwise the vault would be the default again once it is enabled.
//! Disabling clears the pointer after it changes the status. Setting the default reads the vault again after it writes
//! the pointer. Enabling clears the pointer before it changes the status.

use crate::error::Error;
use crate::ports::VaultStore;
use crate::values::{VaultId, WorkspaceId};
use crate::vault::Vault;

use crate::operations::{VaultView, find_vault};

/// The view of a vault, given the vault that the default points at.
pub(super) fn view_with(vault: Vault, default: Option<&VaultId>) -> VaultView {
    VaultView {
        is_default: default == Some(&vault.vault_id) && vault.status.seals(),
        vault,
    }
}

/// Reads the default vault. A vault that takes no items does not count.
pub(super) async fn read<S: VaultStore>(store: &S, workspace_id: &WorkspaceId) -> Result<Vault, Error> {
    let Some(vault_id) = store.default_vault_id(workspace_id).await? else {
        return Err(Error::NoDefaultVault);
    };
    let vault = store.vault(workspace_id, &vault_id).await?;
    vault.filter(|vault| vault.status.seals()).ok_or(Error::NoDefaultVault)
}

/// Makes `vault` the default, and returns it as it is afterwards. If it was disabled meanwhile, it does not stay the
/// default.
pub(super) async fn set<S: VaultStore>(store: &S, vault: &Vault) -> Result<Vault, Error> {
    let (workspace_id, vault_id) = (&vault.workspace_id, &vault.vault_id);
    store.set_default(workspace_id, vault_id).await?;
    let vault = find_vault(store, workspace_id, vault_id).await?;
    if !vault.status.seals() {
        store.clear_default(workspace_id, vault_id).await?;
    }
    Ok(vault)
}
