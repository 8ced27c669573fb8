//! The operations, one file each. Every one takes a [`RequestContext`](crate::request::RequestContext) and a verified
//! [`Caller`](crate::caller::Caller), and sees only the caller's workspace.

mod create_vault;
mod decrypt_item;
mod disable_vault;
mod encrypt_item;
mod get_setup_kit;
mod live_sensor;
mod reassign_item;
mod sweep_vaults;
mod validate_vault;

pub use create_vault::{CreateVault, CreateVaultCommand};
pub use decrypt_item::{DecryptItem, DecryptItemCommand, OpenedItem};
pub use disable_vault::{DisableMode, DisableVault};
pub use encrypt_item::{EncryptItem, EncryptItemCommand, EncryptedItems};
pub use get_setup_kit::GetSetupKit;
pub use reassign_item::{ReassignItem, Reassigned, ReassignedItem};
pub use sweep_vaults::{AuditCheck, CheckedVault, SweepVaults, Swept, VaultCheck};
pub use validate_vault::ValidateVault;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::ports::VaultStore;
use crate::vault::{Vault, VaultId};
use crate::workspace::WorkspaceId;

/// A vault together with what is not part of its own record.
#[derive(Clone, Debug)]
pub struct VaultView {
    /// The vault.
    pub vault: Vault,
    /// Whether it is its workspace's default.
    pub is_default: bool,
}

/// Extra pairs that a caller binds an item to; given again to open it, never stored with it.
pub type ItemContext = BTreeMap<String, String>;

async fn find_vault<S: VaultStore>(store: &S, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<Vault, Error> {
    store.vault(workspace_id, vault_id).await?.ok_or(Error::VaultNotFound)
}

async fn view<S: VaultStore>(store: &S, vault: Vault) -> Result<VaultView, Error> {
    let default = store.default_vault_id(&vault.workspace_id).await?;
    Ok(VaultView {
        is_default: default.as_ref() == Some(&vault.vault_id),
        vault,
    })
}
