//! The workspace's default vault: a pointer that counts only while the vault it points at takes items.
//!
//! The pointer and the vault are two records, and nothing writes both at once. So whoever reads the pointer reads the vault
//! too, and one that takes no items is nobody's default, whatever points at it. That the pointer does not stay on such a
//! vault is tidiness, and keeps it from being the default again when it is enabled: to disable clears it after the change
//! of status, to set reads the vault once more after the pointer, to enable clears it before the change of status.

use crate::error::Error;
use crate::ports::VaultStore;
use crate::values::{VaultId, WorkspaceId};
use crate::vault::Vault;

use crate::operations::{VaultView, find_vault};

/// The vault, beside what the default points at.
pub(super) fn view_with(vault: Vault, default: Option<&VaultId>) -> VaultView {
    VaultView {
        is_default: default == Some(&vault.vault_id) && vault.status.seals(),
        vault,
    }
}

/// The default vault. One that takes no items is none.
pub(super) async fn read<S: VaultStore>(store: &S, workspace_id: &WorkspaceId) -> Result<Vault, Error> {
    let Some(vault_id) = store.default_vault_id(workspace_id).await? else {
        return Err(Error::NoDefaultVault);
    };
    let vault = store.vault(workspace_id, &vault_id).await?;
    vault.filter(|vault| vault.status.seals()).ok_or(Error::NoDefaultVault)
}

/// Makes a vault the default that took items when it was read; answers it as it is then. Should somebody have disabled it
/// meanwhile, it does not stay the default.
pub(super) async fn set<S: VaultStore>(store: &S, vault: &Vault) -> Result<Vault, Error> {
    let (workspace_id, vault_id) = (&vault.workspace_id, &vault.vault_id);
    store.set_default(workspace_id, vault_id).await?;
    let vault = find_vault(store, workspace_id, vault_id).await?;
    if !vault.status.seals() {
        store.clear_default(workspace_id, vault_id).await?;
    }
    Ok(vault)
}
