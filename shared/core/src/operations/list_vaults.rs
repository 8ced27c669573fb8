//! list-vaults: the vaults of the caller's workspace, for any of its members.

use crate::caller::Caller;
use crate::error::Error;
use crate::health::HealthState;
use crate::ports::{VaultPage, VaultStore};
use crate::request::RequestContext;
use crate::values::VaultId;
use crate::vault::{Vault, VaultStatus};

use crate::operations::{Ports, Service, VaultView, default_vault, find_vault, view};

/// How many times the records are read for one answer. If a filter lets little through, a page ends early.
const READS: u32 = 5;
/// The least number of vaults to read at a time if a filter may drop some of them.
const FILTERED_AT_ONCE: usize = 50;

/// Lists vaults.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::VaultFilter;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// let list_vaults = example.service().list_vaults();
/// let listed = list_vaults.run(&example.request(), &example.admin, VaultFilter::NONE, None, 50).await?;
/// assert_eq!(listed.vaults[0].vault.vault_id, vault_id);
/// # Ok(())
/// # }
/// ```
pub struct ListVaults<S> {
    /// The vault records.
    pub store: S,
}

impl<P: Ports> Service<P> {
    /// list-vaults, and get-vault.
    pub fn list_vaults(&self) -> ListVaults<P::Store> {
        ListVaults {
            store: self.ports.store(),
        }
    }
}

/// Which vaults to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultFilter {
    /// Only vaults with this status.
    pub status: Option<VaultStatus>,
    /// Only vaults in this health state.
    pub health: Option<HealthState>,
}

/// A page of vaults.
#[derive(Debug)]
pub struct ListedVaults {
    /// The vaults, in the order of their creation.
    pub vaults: Vec<VaultView>,
    /// The vault after which the next page begins; `None` on the last page.
    pub more_after: Option<VaultId>,
}

impl<S: VaultStore> ListVaults<S> {
    /// Lists up to `limit` vaults after `after` that pass the filter. There may be fewer even if another page follows.
    ///
    /// # Errors
    /// An error of the vault records.
    pub async fn run(
        &self,
        _context: &RequestContext,
        caller: &Caller,
        filter: VaultFilter,
        after: Option<VaultId>,
        limit: usize,
    ) -> Result<ListedVaults, Error> {
        let workspace_id = &caller.workspace_id;
        let default = self.store.default_vault_id(workspace_id).await?;
        let mut listed = ListedVaults {
            vaults: Vec::new(),
            more_after: after,
        };
        let read_at_once = match filter {
            VaultFilter::NONE => limit,
            _ => limit.max(FILTERED_AT_ONCE),
        };
        for _ in 0..READS {
            let read = self
                .store
                .list_vaults(workspace_id, listed.more_after.as_ref(), read_at_once);
            let VaultPage { vaults, more_after } = read.await?;
            listed.more_after = more_after;
            for vault in vaults.into_iter().filter(|vault| filter.lets_through(vault)) {
                if listed.vaults.len() == limit {
                    // The rest is read again for the next page.
                    listed.more_after = listed.vaults.last().map(|last| last.vault.vault_id.clone());
                    return Ok(listed);
                }
                listed.vaults.push(default_vault::view_with(vault, default.as_ref()));
            }
            if listed.more_after.is_none() || listed.vaults.len() == limit {
                break;
            }
        }
        Ok(listed)
    }

    /// Reads one vault.
    ///
    /// # Errors
    /// [`Error::VaultNotFound`], or an error of the vault records.
    pub async fn read(
        &self,
        _context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
    ) -> Result<VaultView, Error> {
        let vault = find_vault(&self.store, &caller.workspace_id, vault_id).await?;
        view(&self.store, vault).await
    }
}

impl VaultFilter {
    /// Every vault.
    pub const NONE: Self = Self {
        status: None,
        health: None,
    };

    fn lets_through(&self, vault: &Vault) -> bool {
        self.status.is_none_or(|status| status == vault.status)
            && self.health.is_none_or(|health| health == vault.health.state)
    }
}
