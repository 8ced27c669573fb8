//! reassign-item: moves items from any of the workspace's vaults to one of them (requirement V4).
//!
//! It runs decrypt-item and then encrypt-item in one function. Their promises and refusals hold here too. The plaintext
//! never leaves the function.

use std::sync::Arc;

use sealed_item::Plaintext;
use sealed_item::item::SealedItem;

use crate::caller::Caller;
use crate::data_keys::{DataKeys, ItemOrigin};
use crate::error::Error;
use crate::health::HealthState;
use crate::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use crate::request::RequestContext;
use crate::values::VaultId;
use crate::vault::Vault;

use crate::operations::{DecryptItem, DecryptItemCommand, EncryptItem, EncryptItemCommand, Ports, Service, find_vault};

/// Reseals items in another vault.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::{DecryptItemCommand, EncryptItemCommand, Reassigned};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, vault_id) = Example::with_vault().await?;
/// let item = EncryptItemCommand { item_id: "i".into(), context: Default::default(), plaintext: vec![1].into() };
/// let sealed = example.service().encrypt_item().run(&example.request(), &example.admin, None, vec![item]).await?;
/// let (item_id, sealed_item) = sealed.items.into_iter().next().expect("one item");
///
/// let reassign_item = example.service().reassign_item();
/// let item = DecryptItemCommand { item_id, context: Default::default(), sealed_item };
/// let there = reassign_item.run(&example.request(), &example.admin, &vault_id, vec![item], false).await?;
/// assert!(matches!(there[0].outcome, Ok(Reassigned::Unchanged(_))), "it is in that vault already");
/// # Ok(())
/// # }
/// ```
pub struct ReassignItem<S, D, K, C> {
    decrypt: DecryptItem<S, D, K, C>,
    encrypt: EncryptItem<S, D, K, C>,
}

impl<P: Ports> Service<P> {
    /// reassign-item.
    pub fn reassign_item(&self) -> ReassignItem<P::Store, P::Store, P::CustomerKeys, P::Clock> {
        ReassignItem::new(self.ports.store(), self.data_keys())
    }
}

impl<S: Clone, D, K, C> ReassignItem<S, D, K, C> {
    /// Opens and seals with the same data keys, so both share one cache and one limit on how many requests wait for a
    /// vault's key.
    pub fn new(store: S, data_keys: Arc<DataKeys<D, K, C>>) -> Self {
        Self {
            decrypt: DecryptItem {
                store: store.clone(),
                data_keys: Arc::clone(&data_keys),
            },
            encrypt: EncryptItem { store, data_keys },
        }
    }
}

/// One item's outcome.
pub struct ReassignedItem {
    /// The item id, as given.
    pub item_id: String,
    /// Where it is now, or why it stays where it was.
    pub outcome: Result<Reassigned, Error>,
}

/// What became of an item that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reassigned {
    /// It was sealed again. These are its bytes in the target vault.
    Moved(Vec<u8>),
    /// It is in the target vault already. These are its bytes as given.
    Unchanged(Vec<u8>),
    /// It would be moved if this were not a dry run.
    WouldMove,
}

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> ReassignItem<S, D, K, C> {
    /// Opens the items, then seals the opened ones in the vault `to`. The outcomes are in the order of `items`. With
    /// `dry_run`, it only says what would happen. An item that is in the vault `to` already stays as it is, so it is
    /// safe to repeat a call, even one that crashed.
    ///
    /// # Errors
    /// If the target vault cannot take items, the whole call fails before anything is opened: [`Error::VaultNotFound`],
    /// [`Error::WrongVaultStatus`], [`Error::VaultUnusable`], or [`Error::Unavailable`] while its health is `unknown`,
    /// because moving can wait. [`Error::KeyRefused`] if its key refuses. An item that cannot be opened fails alone.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        to: &VaultId,
        items: Vec<DecryptItemCommand>,
        dry_run: bool,
    ) -> Result<Vec<ReassignedItem>, Error> {
        context.record_items(&caller.workspace_id, items.iter().map(|item| item.item_id.as_str()));
        context.record_item_vault(to);
        let reassigning = async {
            let target = find_vault(&self.encrypt.store, &caller.workspace_id, to).await?;
            takes_items(&target)?;
            let opened = self.decrypt.open_all(context, caller, &items).await;
            let mut to_seal = Vec::new();
            let mut reassigned = Vec::new();
            for (opened, given) in opened.into_iter().zip(items) {
                let is_there = vault_of(&given).as_ref() == Some(to);
                let outcome = opened.outcome.map(|plaintext| {
                    if is_there {
                        Reassigned::Unchanged(given.sealed_item)
                    } else {
                        to_seal.push(item_to_seal(&given.item_id, given.context, plaintext));
                        Reassigned::WouldMove
                    }
                });
                reassigned.push(ReassignedItem {
                    item_id: given.item_id,
                    outcome,
                });
            }
            if dry_run || to_seal.is_empty() {
                return Ok(reassigned);
            }
            let sealed = self.encrypt.seal_all(context, caller, to, to_seal).await?;
            let waiting = reassigned
                .iter_mut()
                .filter_map(|item| item.outcome.as_mut().ok())
                .filter(|outcome| **outcome == Reassigned::WouldMove);
            for (outcome, (_, bytes)) in waiting.zip(sealed.items) {
                *outcome = Reassigned::Moved(bytes);
            }
            Ok(reassigned)
        };
        self.decrypt.data_keys.prepared_beside(reassigning).await
    }
}

/// Checks that the target vault is known to work. A `degraded` vault works, and its items open. A move to an `unknown`
/// one can wait.
fn takes_items(target: &Vault) -> Result<(), Error> {
    if !target.status.seals() {
        return Err(Error::WrongVaultStatus { status: target.status });
    }
    match target.health.state {
        HealthState::Healthy | HealthState::Degraded => Ok(()),
        HealthState::Unknown => Err(Error::Unavailable),
        HealthState::Unusable => Err(Error::VaultUnusable {
            findings: target.health.findings.clone(),
        }),
    }
}

/// The vault that an item names. Only opening the item proves it.
fn vault_of(item: &DecryptItemCommand) -> Option<VaultId> {
    let sealed = SealedItem::parse(&item.sealed_item).ok()?;
    ItemOrigin::from_encryption_context(sealed.encryption_context()).map(|origin| origin.vault_id)
}

fn item_to_seal(item_id: &str, context: super::ItemContext, plaintext: Plaintext) -> EncryptItemCommand {
    EncryptItemCommand {
        item_id: item_id.to_owned(),
        context,
        plaintext,
    }
}
