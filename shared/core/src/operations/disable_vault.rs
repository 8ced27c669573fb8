//! disable-vault: once it has answered, no request succeeds in either Region (requirement V5).

use crate::caller::Caller;
use crate::error::Error;
use crate::ports::{Clock, VaultStore};
use crate::request::RequestContext;
use crate::values::VaultId;
use crate::vault::{Precondition, Vault, VaultStatus};

use crate::operations::{Operation, Ports, Service, VaultView, find_vault, view};

/// Disables vaults.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::{DisableMode, EncryptItemCommand};
/// # use latchkey_core::Error;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// let disable_vault = example.service().disable_vault();
/// disable_vault.run(&example.request(), &example.admin, &vault_id, DisableMode::Disabled).await?;
///
/// let item = EncryptItemCommand { item_id: "i".into(), context: Default::default(), plaintext: vec![1].into() };
/// let sealed = example.service().encrypt_item().run(&example.request(), &example.admin, Some(vault_id), vec![item]).await;
/// assert!(matches!(sealed, Err(Error::WrongVaultStatus { .. })));
/// # Ok(())
/// # }
/// ```
pub struct DisableVault<S, C> {
    /// The vault records.
    pub store: S,
    /// The time.
    pub clock: C,
}

impl<P: Ports> Service<P> {
    /// disable-vault.
    pub fn disable_vault(&self) -> DisableVault<P::Store, P::Clock> {
        DisableVault {
            store: self.ports.store(),
            clock: self.ports.clock(),
        }
    }
}

/// Which requests a disabled vault refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DisableMode {
    /// Nothing is sealed or opened.
    #[default]
    Disabled,
    /// Items can be opened, but not sealed.
    DecryptOnly,
}

impl DisableMode {
    const fn status(self) -> VaultStatus {
        match self {
            Self::Disabled => VaultStatus::Disabled,
            Self::DecryptOnly => VaultStatus::DecryptOnly,
        }
    }

    /// The statuses that a vault may have before. Only enabling, with its full validation, lets a disabled vault open
    /// items again.
    const fn from(self) -> &'static [VaultStatus] {
        match self {
            Self::Disabled => &[VaultStatus::Active, VaultStatus::DecryptOnly, VaultStatus::Disabled],
            Self::DecryptOnly => &[VaultStatus::Active, VaultStatus::DecryptOnly],
        }
    }
}

impl<S: VaultStore, C: Clock> DisableVault<S, C> {
    /// Disables the vault. Every request reads the vault's record consistently before it uses a data key, so there is
    /// nothing to wait for. Repeating the call changes nothing. A vault that takes no items is no longer the default.
    ///
    /// # Errors
    /// [`Error::WrongVaultStatus`] if a disabled vault is asked to become decrypt-only.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        mode: DisableMode,
    ) -> Result<VaultView, Error> {
        self.run_if(context, caller, vault_id, mode, &Precondition::None).await
    }

    /// As [`Self::run`], under a precondition. A vault that already has the status needs no change, whatever the
    /// precondition.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`], and as [`Self::run`].
    pub async fn run_if(
        &self,
        _context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        mode: DisableMode,
        precondition: &Precondition,
    ) -> Result<VaultView, Error> {
        Operation::DisableVault.admit(caller)?;
        let workspace_id = &caller.workspace_id;
        let found = find_vault(&self.store, workspace_id, vault_id).await?;
        let found = view(&self.store, found).await?;
        let vault = if found.vault.status == mode.status() {
            found.vault
        } else if precondition.holds(found.tag()) {
            self.change_status(&found, mode, precondition).await?
        } else {
            return Err(Error::PreconditionFailed);
        };
        self.store.clear_default(workspace_id, vault_id).await?;
        view(&self.store, vault).await
    }

    async fn change_status(
        &self,
        found: &VaultView,
        mode: DisableMode,
        precondition: &Precondition,
    ) -> Result<Vault, Error> {
        let Vault {
            workspace_id, vault_id, ..
        } = &found.vault;
        let version = precondition.version_to_find(found.tag());
        loop {
            let now = self.clock.now().wall;
            let changed = self
                .store
                .change_status(workspace_id, vault_id, mode.from(), mode.status(), version, now);
            if let Some(changed) = changed.await? {
                return Ok(changed);
            }
            let vault = find_vault(&self.store, workspace_id, vault_id).await?;
            match vault.status {
                status if status == mode.status() => return Ok(vault),
                status if !mode.from().contains(&status) => return Err(Error::WrongVaultStatus { status }),
                _ if *precondition != Precondition::None => return Err(Error::PreconditionFailed),
                // The vault was disabled and enabled again since. Its status allows the change now, so try again.
                _ => {}
            }
        }
    }
}
