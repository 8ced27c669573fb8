//! The operations, one file each; the table of them ([`Operation`]); and [`Service`], which builds them.
//!
//! `operations.json` is the table for code that is not Rust. These use the table: the check of the caller's role, the
//! audit log, the functions, and the tests that compare `openapi.yaml`, `template.yaml`, `docs/` and `events/` with it.
//! docs/adding-an-operation.md walks through adding an operation.
//!
//! Operations that callers start take a verified [`Caller`] and see only that caller's
//! workspace. The sweep has no caller, and sees every workspace.

mod create_vault;
mod decrypt_item;
mod default_vault;
mod disable_vault;
mod enable_vault;
mod encrypt_item;
mod get_setup_kit;
mod health_record;
mod list_vaults;
mod live_sensor;
mod name_claims;
mod operation;
mod reassign_item;
mod service;
mod sweep_vaults;
mod update_vault;
mod validate_vault;

pub use create_vault::{CreateVault, CreateVaultCommand};
pub use decrypt_item::{DecryptItem, DecryptItemCommand, OpenedItem};
pub use disable_vault::{DisableMode, DisableVault};
pub use enable_vault::EnableVault;
pub use encrypt_item::{EncryptItem, EncryptItemCommand, EncryptedItems};
pub use get_setup_kit::GetSetupKit;
pub use list_vaults::{ListVaults, ListedVaults, VaultFilter};
pub use operation::{Call, Description, May};
pub use reassign_item::{ReassignItem, Reassigned, ReassignedItem};
pub use service::{GivenPorts, Ports, Service, ServiceSettings};
pub use sweep_vaults::{AuditCheck, CheckedVault, SweepVaults, Swept, VaultCheck};
pub use update_vault::{UpdateVault, UpdateVaultCommand};
pub use validate_vault::ValidateVault;

use std::collections::BTreeMap;

use crate::caller::{Caller, WorkspaceRole};
use crate::error::Error;
use crate::operations::operation::{items, operations, scheduled, vaults};
use crate::ports::VaultStore;
use crate::values::{VaultId, WorkspaceId};
use crate::vault::{Vault, VaultTag};

operations! {
    /// Creates a vault.
    CreateVault = vaults("create-vault", "POST", "/v1/vaults", May::VaultAdmins);
    /// Lists the workspace's vaults.
    ListVaults = vaults("list-vaults", "GET", "/v1/vaults", May::AnyMember);
    /// Reads one vault.
    GetVault = vaults("get-vault", "GET", "/v1/vaults/{vault_id}", May::AnyMember).served_by("list-vaults");
    /// Changes a vault's name, its bound, or which vault is the default.
    UpdateVault = vaults("update-vault", "PATCH", "/v1/vaults/{vault_id}", May::VaultAdmins);
    /// Checks a vault's key and role.
    ValidateVault = vaults("validate-vault", "POST", "/v1/vaults/{vault_id}/validate", May::VaultAdmins);
    /// Disables a vault.
    DisableVault = vaults("disable-vault", "POST", "/v1/vaults/{vault_id}/disable", May::VaultAdmins);
    /// Enables a vault again.
    EnableVault = vaults("enable-vault", "POST", "/v1/vaults/{vault_id}/enable", May::VaultAdmins);
    /// Seals items.
    EncryptItem = items("encrypt-item", "POST", "/v1/items/encrypt");
    /// Opens items.
    DecryptItem = items("decrypt-item", "POST", "/v1/items/decrypt");
    /// Moves items to another vault.
    ReassignItem = items("reassign-item", "POST", "/v1/items/reassign");
    /// Returns what a customer needs to set up its AWS account.
    GetSetupKit = vaults("get-setup-kit", "GET", "/v1/setup-kit", May::VaultAdmins);
    /// Checks the vaults that are due. The audit log shows each minute's run as `validate-vault`, the function that
    /// runs it.
    SweepVaults = scheduled("sweep-vaults").served_by("validate-vault");
}

impl Operation {
    /// Its name, the same everywhere.
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// Whether a role may start it.
    pub fn admits(self, role: WorkspaceRole) -> bool {
        match self.description().may {
            May::AnyMember => true,
            May::VaultAdmins => role.administers_vaults(),
            May::Schedule => false,
        }
    }

    /// Checks that the caller may start it (requirement W1).
    ///
    /// # Errors
    /// [`Error::Forbidden`] if not.
    pub fn admit(self, caller: &Caller) -> Result<(), Error> {
        if self.admits(caller.role) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}

/// A vault, and what its own record does not hold.
#[derive(Clone, Debug)]
pub struct VaultView {
    /// The vault.
    pub vault: Vault,
    /// Whether it is its workspace's default.
    pub is_default: bool,
}

impl VaultView {
    /// The tag by which a caller names this state of the vault.
    pub const fn tag(&self) -> VaultTag {
        VaultTag {
            version: self.vault.version,
            is_default: self.is_default,
        }
    }
}

/// How many times the records that we decide by may change before we give up. Each change means that another request
/// succeeded.
const ATTEMPTS: u32 = 20;

/// The error of an operation that lost the race at every attempt.
fn outpaced(attempts: u32) -> Error {
    tracing::warn!(attempts, "others changed the records at every attempt");
    Error::Unavailable
}

/// Extra pairs that a caller binds an item to. They are not stored with the item, and must be given again to open it.
pub type ItemContext = BTreeMap<String, String>;

async fn find_vault<S: VaultStore>(store: &S, workspace_id: &WorkspaceId, vault_id: &VaultId) -> Result<Vault, Error> {
    store.vault(workspace_id, vault_id).await?.ok_or(Error::VaultNotFound)
}

async fn view<S: VaultStore>(store: &S, vault: Vault) -> Result<VaultView, Error> {
    let default = store.default_vault_id(&vault.workspace_id).await?;
    Ok(default_vault::view_with(vault, default.as_ref()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Python tests, and everything else that builds no Rust, read the file.
    #[test]
    fn the_table_is_in_operations_json() {
        let table: Vec<_> = Operation::ALL.iter().map(|operation| operation.description()).collect();
        let table = serde_json::to_string_pretty(&table).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../operations.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &table).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            written, table,
            "UPDATE=1 cargo test -p latchkey-core --profile local operations_json writes it anew"
        );
    }

    #[test]
    fn each_name_and_each_call_stands_once() {
        let names: BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
        let calls = Operation::ALL
            .iter()
            .filter_map(|operation| operation.description().call);
        let calls: Vec<_> = calls.map(|call| (call.method, call.path)).collect();
        assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len());
    }
}
