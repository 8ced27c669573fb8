//! Access to the customer's account on behalf of a vault.

use crate::customer::{AccessPurpose, CustomerAccess};
use crate::values::{VaultId, WorkspaceId};
use crate::vault::{Vault, VaultSettings};

impl CustomerAccess {
    /// Access to unwrap the data keys of a vault.
    pub fn to_unwrap(vault: &Vault) -> Self {
        Self {
            vault_id: vault.vault_id.clone(),
            workspace_id: vault.workspace_id.clone(),
            role_arn: vault.aws_role_arn.clone(),
            key: vault.customer_key.clone(),
            strategy: vault.strategy,
            purpose: AccessPurpose::UnwrapDataKeys,
        }
    }

    /// Access to validate a vault, or what is to become one.
    pub fn to_validate(vault_id: &VaultId, workspace_id: &WorkspaceId, settings: &VaultSettings) -> Self {
        Self {
            vault_id: vault_id.clone(),
            workspace_id: workspace_id.clone(),
            role_arn: settings.aws_role_arn.clone(),
            key: settings.customer_key.clone(),
            strategy: settings.strategy,
            purpose: AccessPurpose::Validate,
        }
    }
}
