//! validate-vault: all checks against a vault's key and role, and its health recorded (requirement H1).

use crate::access::CustomerAccess;
use crate::caller::Caller;
use crate::customer_role::RoleArn;
use crate::error::Error;
use crate::health::observation::Observation;
use crate::health::recording;
use crate::ports::{Clock, CustomerKeys, VaultStore};
use crate::region::Region;
use crate::request::RequestContext;
use crate::validation::{Report, validate};
use crate::vault::{Vault, VaultId, VaultSettings};

use super::find_vault;

/// Validates vaults.
pub struct ValidateVault<S, K, C> {
    /// The vault records.
    pub store: S,
    /// The customers' keys and roles.
    pub customer_keys: K,
    /// The time.
    pub clock: C,
    /// The service's access role, for the policies in remedies.
    pub access_role: RoleArn,
    /// The Region we run in.
    pub home: Region,
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> ValidateVault<S, K, C> {
    /// Validates one vault. A report that fails is an answer, not an error.
    ///
    /// # Errors
    /// [`Error::VaultNotFound`], [`Error::Forbidden`], or the records' own trouble.
    pub async fn run(&self, context: &RequestContext, caller: &Caller, vault_id: &VaultId) -> Result<Report, Error> {
        caller.require_vault_admin()?;
        let vault = find_vault(&self.store, &caller.workspace_id, vault_id).await?;
        let (report, observation) = self.validate(context, &vault).await;
        recording::record(&self.store, &vault, &observation).await?;
        Ok(report)
    }

    /// All checks against the vault's key and role, and what they say of its health.
    pub(super) async fn validate(&self, context: &RequestContext, vault: &Vault) -> (Report, Observation) {
        let asked_at = self.clock.now().wall;
        let validation = validate(
            &self.customer_keys,
            context,
            &access_to(vault),
            &self.access_role,
            self.home,
            asked_at,
            Some(&vault.public_key),
        )
        .await;
        let answered_at = self.clock.now().wall;
        let observation = Observation::of_validation(&validation, asked_at, answered_at, vault.data_key_cache);
        (validation.report, observation)
    }
}

/// Access for the checks of a vault.
pub(super) fn access_to(vault: &Vault) -> CustomerAccess {
    let settings = VaultSettings {
        name: vault.name.clone(),
        strategy: vault.strategy,
        customer_key: vault.customer_key.clone(),
        aws_role_arn: vault.aws_role_arn.clone(),
        data_key_cache: vault.data_key_cache,
    };
    CustomerAccess::to_validate(&vault.vault_id, &vault.workspace_id, &settings)
}
