//! update-vault: changes the name, the cache bound and the default (requirements V3, W1).

use crate::caller::Caller;
use crate::error::{Error, log_undone};
use crate::ports::{Clock, NameClaim, VaultStore};
use crate::request::RequestContext;
use crate::values::{DataKeyCacheBound, VaultId, VaultName};
use crate::vault::{Precondition, Vault};

use crate::operations::name_claims::Claimed;
use crate::operations::{
    ATTEMPTS, Operation, Ports, Service, VaultView, default_vault, find_vault, name_claims, outpaced, view,
};

/// Updates vaults.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::UpdateVaultCommand;
/// # use latchkey_core::vault::Precondition;
/// # use latchkey_core::values::VaultName;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// let update_vault = example.service().update_vault();
/// let command = UpdateVaultCommand { name: Some(VaultName::parse("Acme 2027")?), ..Default::default() };
/// let view = update_vault.run(&example.request(), &example.admin, &vault_id, &command, &Precondition::None).await?;
/// assert_eq!(view.vault.name.as_str(), "Acme 2027");
/// # Ok(())
/// # }
/// ```
pub struct UpdateVault<S, C> {
    /// The vault records.
    pub store: S,
    /// The time.
    pub clock: C,
}

impl<P: Ports> Service<P> {
    /// update-vault.
    pub fn update_vault(&self) -> UpdateVault<P::Store, P::Clock> {
        UpdateVault {
            store: self.ports.store(),
            clock: self.ports.clock(),
        }
    }
}

/// What to change. `None` leaves a setting as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateVaultCommand {
    /// The name.
    pub name: Option<VaultName>,
    /// Whether it is the workspace's default.
    pub is_default: Option<bool>,
    /// How long an unwrapped data key may be held.
    pub data_key_cache: Option<DataKeyCacheBound>,
}

impl<S: VaultStore, C: Clock> UpdateVault<S, C> {
    /// Changes the vault and returns it.
    ///
    /// A crash between any two writes leaves nothing wrong, and a retry completes them. First the new name is claimed,
    /// then the vault is changed, then the default, then the old name is released. A retry does not repeat what it
    /// finds done, and does not fail because its own earlier attempt made the precondition false.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`]; [`Error::VaultNameTaken`] if another vault, or an unfinished create, has the
    /// name; [`Error::WrongVaultStatus`] if a vault that takes no items is to be the default.
    pub async fn run(
        &self,
        _context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        command: &UpdateVaultCommand,
        precondition: &Precondition,
    ) -> Result<VaultView, Error> {
        Operation::UpdateVault.admit(caller)?;
        let workspace_id = &caller.workspace_id;
        for _ in 0..ATTEMPTS {
            let found = find_vault(&self.store, workspace_id, vault_id).await?;
            let found = view(&self.store, found).await?;
            if !precondition.holds(found.tag()) && !command.may_have_been_done(&found, precondition) {
                return Err(Error::PreconditionFailed);
            }
            let status = found.vault.status;
            if command.is_default == Some(true) && !status.seals() {
                return Err(Error::WrongVaultStatus { status });
            }
            let Some(changed) = self.change(&found.vault, command).await? else {
                continue;
            };
            let answer = self.change_default(&found, changed, command).await?;
            self.give_up_name(&found.vault, &answer.vault).await;
            let status = answer.vault.status;
            return match command.is_default {
                Some(true) if !status.seals() => Err(Error::WrongVaultStatus { status }),
                _ => Ok(answer),
            };
        }
        Err(outpaced(ATTEMPTS))
    }

    /// Changes name and bound. `None` if the vault has changed since it was read.
    async fn change(&self, found: &Vault, command: &UpdateVaultCommand) -> Result<Option<Vault>, Error> {
        if command.settings_are_so(found) {
            return Ok(Some(found.clone()));
        }
        let name = command.name.as_ref().unwrap_or(&found.name);
        if !found.is_called(name) {
            let claim = NameClaim {
                vault_id: found.vault_id.clone(),
                version: found.version.saturating_add(1),
            };
            match name_claims::claim(&self.store, &found.workspace_id, name, &claim).await? {
                Claimed::Ours => {}
                Claimed::Outdated => return Ok(None),
                Claimed::Vault(_) | Claimed::VaultToBe(_) => return Err(Error::VaultNameTaken),
            }
        }
        let data_key_cache = command.data_key_cache.unwrap_or(found.data_key_cache);
        let now = self.clock.now().wall;
        Ok(self.store.change_settings(found, name, data_key_cache, now).await?)
    }

    async fn change_default(
        &self,
        found: &VaultView,
        changed: Vault,
        command: &UpdateVaultCommand,
    ) -> Result<VaultView, Error> {
        let changed = match command.is_default {
            Some(true) if !found.is_default => default_vault::set(&self.store, &changed).await?,
            Some(false) => {
                // Clear it even if it does not count because the vault takes no items. Otherwise it could count again
                // later.
                self.store
                    .clear_default(&changed.workspace_id, &changed.vault_id)
                    .await?;
                changed
            }
            _ => changed,
        };
        view(&self.store, changed).await
    }

    /// Releases the vault's former name. A failure does no harm: others can claim the name anyway.
    async fn give_up_name(&self, before: &Vault, now: &Vault) {
        if now.is_called(&before.name) {
            return;
        }
        let released = self
            .store
            .release_name(&before.workspace_id, &before.name, &before.vault_id, before.version)
            .await;
        if let Err(error) = released {
            log_undone!(&Error::from(error), "the vault's former name could not be released");
        }
    }
}

impl UpdateVaultCommand {
    /// Whether the vault has the name and bound asked for.
    fn settings_are_so(&self, vault: &Vault) -> bool {
        self.name.as_ref().is_none_or(|name| *name == vault.name)
            && self.data_key_cache.is_none_or(|bound| bound == vault.data_key_cache)
    }

    /// Whether the vault is as asked for, or an earlier attempt of this request may have crashed after it changed the
    /// vault. Then the request may go on, although its precondition no longer holds (RFC 9110, section 13.1.1).
    fn may_have_been_done(&self, found: &VaultView, precondition: &Precondition) -> bool {
        let default_is_so = self.is_default.is_none_or(|is_default| is_default == found.is_default);
        let changes_settings = self.name.is_some() || self.data_key_cache.is_some();
        let died_halfway = changes_settings && precondition.held_one_change_before(found.tag());
        self.settings_are_so(&found.vault) && (default_is_so || died_halfway)
    }
}
