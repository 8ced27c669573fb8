//! validate-vault: runs all checks on a vault's key and role, and records its health (requirement H1).

use crate::caller::Caller;
use crate::customer::CustomerAccess;
use crate::error::Error;
use crate::findings::Report;
use crate::health::observation::Observation;
use crate::operations::health_record;
use crate::ports::{Clock, CustomerKeys, VaultStore};
use crate::request::RequestContext;
use crate::validation::validate;
use crate::values::{DataKeyCacheBound, Region, RoleArn, VaultId};
use crate::vault::{Vault, VaultSettings};

use crate::operations::{Operation, Ports, Service, find_vault};

/// Validates vaults.
///
/// ```
/// # use latchkey_in_memory::{Example, KeyState};
/// # use latchkey_core::findings::Verdict;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// example.customer.change_key(|key| key.state = KeyState::Disabled);
/// let report = example.service().validate_vault().run(&example.request(), &example.admin, &vault_id).await?;
/// assert_eq!(report.verdict, Verdict::Fail);
/// # Ok(())
/// # }
/// ```
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

impl<P: Ports> Service<P> {
    /// validate-vault.
    pub fn validate_vault(&self) -> ValidateVault<P::Store, P::CustomerKeys, P::Clock> {
        ValidateVault {
            store: self.ports.store(),
            customer_keys: self.ports.customer_keys(),
            clock: self.ports.clock(),
            access_role: self.settings.access_role.clone(),
            home: self.settings.region,
        }
    }
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> ValidateVault<S, K, C> {
    /// Validates one vault. A report that fails is an answer, not an error.
    ///
    /// # Errors
    /// [`Error::VaultNotFound`], [`Error::Forbidden`], or an error of the vault records.
    pub async fn run(&self, context: &RequestContext, caller: &Caller, vault_id: &VaultId) -> Result<Report, Error> {
        Operation::ValidateVault.admit(caller)?;
        let vault = find_vault(&self.store, &caller.workspace_id, vault_id).await?;
        let (report, observation) = self.validate(context, &vault).await;
        health_record::record(&self.store, &vault, &observation).await?;
        Ok(report)
    }

    /// Runs all checks on the vault's key and role. Returns the report, and what it says about the vault's health.
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
        let bound = match validation.opening_ended {
            Some(_) => self.bound_in_force(vault).await,
            None => vault.data_key_cache,
        };
        let observation = Observation::of_validation(&validation, asked_at, answered_at, bound);
        (validation.report, observation)
    }

    /// The vault's cache bound as it is now. It may have changed while the key was asked, and a data key that was
    /// opened meanwhile is held for the new bound. Data keys that are held for any other bound are no longer used.
    async fn bound_in_force(&self, vault: &Vault) -> DataKeyCacheBound {
        let now = self.store.vault(&vault.workspace_id, &vault.vault_id).await;
        now.ok()
            .flatten()
            .map_or(DataKeyCacheBound::LONGEST, |now| now.data_key_cache)
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
