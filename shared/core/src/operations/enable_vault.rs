//! enable-vault: makes a vault active again after a full validation (requirement V5).

use crate::caller::Caller;
use crate::error::Error;
use crate::findings::{Report, Verdict};
use crate::operations::health_record;
use crate::ports::{Clock, CustomerKeys, VaultStore};
use crate::request::RequestContext;
use crate::values::VaultId;
use crate::vault::{Precondition, Vault, VaultStatus};

use crate::operations::{Operation, Ports, Service, ValidateVault, VaultView, find_vault, view};

/// Enables vaults.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::vault::{Precondition, VaultStatus};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// let enable_vault = example.service().enable_vault();
/// let (view, _) = enable_vault.run(&example.request(), &example.admin, &vault_id, &Precondition::None).await?;
/// assert_eq!(view.vault.status, VaultStatus::Active);
/// # Ok(())
/// # }
/// ```
pub struct EnableVault<S, K, C> {
    /// The validation and its ports.
    pub validate_vault: ValidateVault<S, K, C>,
}

impl<P: Ports> Service<P> {
    /// enable-vault.
    pub fn enable_vault(&self) -> EnableVault<P::Store, P::CustomerKeys, P::Clock> {
        EnableVault {
            validate_vault: self.validate_vault(),
        }
    }
}

impl<S: VaultStore, K: CustomerKeys, C: Clock> EnableVault<S, K, C> {
    /// Validates the vault and, if nothing failed, makes it active. Returns the vault and the report. An active vault
    /// is validated too, and stays active.
    ///
    /// # Errors
    /// [`Error::ValidationFailed`] with the whole report; the vault keeps its status. [`Error::PreconditionFailed`].
    /// [`Error::VaultChanged`] if the vault changed during the validation: enabling never undoes a later disabling.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        precondition: &Precondition,
    ) -> Result<(VaultView, Report), Error> {
        Operation::EnableVault.admit(caller)?;
        let store = &self.validate_vault.store;
        let found = find_vault(store, &caller.workspace_id, vault_id).await?;
        let found = view(store, found).await?;
        let was_active = found.vault.status == VaultStatus::Active;
        if !was_active && !precondition.holds(found.tag()) {
            return Err(Error::PreconditionFailed);
        }
        let mut vault = found.vault;
        let (report, observation) = self.validate_vault.validate(context, &vault).await;
        let failed = report.verdict == Verdict::Fail;
        // An active vault must stop taking items that it could not open, so record its failure. Leave any other vault
        // as it was.
        if was_active || !failed {
            vault.health = health_record::record(store, &vault, &observation).await?;
        }
        if failed {
            return Err(Error::ValidationFailed(Box::new(report)));
        }
        let vault = if was_active { vault } else { self.activate(vault).await? };
        Ok((view(store, vault).await?, report))
    }

    async fn activate(&self, vault: Vault) -> Result<Vault, Error> {
        let store = &self.validate_vault.store;
        let (workspace_id, vault_id) = (&vault.workspace_id, &vault.vault_id);
        // A disabling that crashed may have left the pointer. It would make the vault the default again, which nobody
        // asked for.
        store.clear_default(workspace_id, vault_id).await?;
        let now = self.validate_vault.clock.now().wall;
        let (from, to) = ([vault.status], VaultStatus::Active);
        let changed = store.change_status(workspace_id, vault_id, &from, to, Some(vault.version), now);
        if let Some(active) = changed.await? {
            return Ok(active);
        }
        let found = find_vault(store, workspace_id, vault_id).await?;
        if found.status == VaultStatus::Active {
            Ok(found)
        } else {
            Err(Error::VaultChanged)
        }
    }
}
