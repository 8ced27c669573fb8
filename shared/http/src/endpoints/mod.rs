//! One file per operation, with its request and its answer.

mod create_vault;
mod decrypt_item;
mod disable_vault;
mod enable_vault;
mod encrypt_item;
mod endpoint;
mod get_setup_kit;
mod if_match;
mod items;
mod json_body;
mod list_vaults;
mod next_token;
mod reassign_item;
mod setup_kit_archive;
mod update_vault;
mod validate_vault;

pub use create_vault::CreateVaultEndpoint;
pub use decrypt_item::DecryptItemEndpoint;
pub use disable_vault::DisableVaultEndpoint;
pub use enable_vault::EnableVaultEndpoint;
pub use encrypt_item::EncryptItemEndpoint;
pub use endpoint::Endpoint;
pub use get_setup_kit::GetSetupKitEndpoint;
pub use list_vaults::ListVaultsEndpoint;
pub use reassign_item::ReassignItemEndpoint;
pub use update_vault::UpdateVaultEndpoint;
pub use validate_vault::ValidateVaultEndpoint;

/// Passes the list of endpoints to a macro: for each, the operations that it serves, its function in snake case and its
/// type. Endpoints that use no port, and so need no clients, are listed apart.
#[macro_export]
macro_rules! for_each_endpoint {
    ($macro:ident) => {
        $macro! {
            on_ports {
                [CreateVault] create_vault CreateVaultEndpoint;
                [ListVaults GetVault] list_vaults ListVaultsEndpoint;
                [UpdateVault] update_vault UpdateVaultEndpoint;
                [ValidateVault SweepVaults] validate_vault ValidateVaultEndpoint;
                [DisableVault] disable_vault DisableVaultEndpoint;
                [EnableVault] enable_vault EnableVaultEndpoint;
                [EncryptItem] encrypt_item EncryptItemEndpoint;
                [DecryptItem] decrypt_item DecryptItemEndpoint;
                [ReassignItem] reassign_item ReassignItemEndpoint;
            }
            alone {
                [GetSetupKit] get_setup_kit GetSetupKitEndpoint;
            }
        }
    };
}

use latchkey_core::Error;
use latchkey_core::values::VaultId;

use crate::answers::Problem;
use crate::event::ApiRequest;

/// The vault that the path names.
fn vault_id_of(request: &ApiRequest) -> Result<VaultId, Problem> {
    request
        .path_vault_id()
        .ok_or_else(|| Problem::from(Error::VaultNotFound))
}
