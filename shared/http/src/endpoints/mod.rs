//! One file per operation: its request, its answer.

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
