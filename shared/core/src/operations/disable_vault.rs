//! disable-vault: from the answer on, no request succeeds any more, in either Region (requirement V5).

use crate::caller::Caller;
use crate::error::Error;
use crate::ports::{Clock, VaultStore};
use crate::request::RequestContext;
use crate::vault::{VaultId, VaultStatus};

use super::{VaultView, find_vault, view};

/// Disables vaults.
pub struct DisableVault<S, C> {
    /// The vault records.
    pub store: S,
    /// The time.
    pub clock: C,
}

/// How far to disable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DisableMode {
    /// Nothing is sealed or opened.
    #[default]
    Disabled,
    /// Items open, none is sealed.
    DecryptOnly,
}

impl DisableMode {
    const fn status(self) -> VaultStatus {
        match self {
            Self::Disabled => VaultStatus::Disabled,
            Self::DecryptOnly => VaultStatus::DecryptOnly,
        }
    }

    /// The statuses it may start from. A disabled vault opens nothing again without the full validation of enabling.
    const fn from(self) -> &'static [VaultStatus] {
        match self {
            Self::Disabled => &[VaultStatus::Active, VaultStatus::DecryptOnly, VaultStatus::Disabled],
            Self::DecryptOnly => &[VaultStatus::Active, VaultStatus::DecryptOnly],
        }
    }
}

impl<S: VaultStore, C: Clock> DisableVault<S, C> {
    /// Disables the vault. Every request reads the vault's record consistently before it touches a data key, so there is
    /// nothing to wait for. Repeating it changes nothing. A vault that takes no items is not the default any more.
    ///
    /// # Errors
    /// [`Error::WrongVaultStatus`] when a disabled vault is asked to become decrypt-only.
    pub async fn run(
        &self,
        _context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        mode: DisableMode,
    ) -> Result<VaultView, Error> {
        caller.require_vault_admin()?;
        let workspace_id = &caller.workspace_id;
        let vault = find_vault(&self.store, workspace_id, vault_id).await?;
        let vault = if vault.status == mode.status() {
            vault
        } else {
            let now = self.clock.now().wall;
            match self
                .store
                .change_status(workspace_id, vault_id, mode.from(), mode.status(), now)
                .await?
            {
                Some(changed) => changed,
                None => {
                    let status = find_vault(&self.store, workspace_id, vault_id).await?.status;
                    return Err(Error::WrongVaultStatus { status });
                }
            }
        };
        self.store.clear_default(workspace_id, vault_id).await?;
        view(&self.store, vault).await
    }
}
