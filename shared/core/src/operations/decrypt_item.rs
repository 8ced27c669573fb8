//! decrypt-item: opens a batch of items. An item that does not open does not fail the others.
//!
//! An item is refused as early as possible: for its form or identity before anything is read, for its data key before
//! KMS is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use sealed_item::Plaintext;
use sealed_item::item::{ItemIdentity, SealedItem};
use tracing::{Instrument as _, error_span};

use crate::caller::Caller;
use crate::data_keys::cache::UnwrappedDataKey;
use crate::data_keys::{DataKeys, ItemOrigin};
use crate::error::{Cause, Error, ItemFault};
use crate::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use crate::request::RequestContext;
use crate::values::VaultId;
use crate::vault::{DataKeyId, Vault};

use crate::operations::{ItemContext, Ports, Service, find_vault, live_sensor};

/// Opens items.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::DecryptItemCommand;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, _) = Example::with_vault().await?;
/// // For an item that opens, see `EncryptItem`. This one does not open.
/// let item = DecryptItemCommand { item_id: "i".into(), context: Default::default(), sealed_item: vec![2, 4, 0x78] };
/// let opened = example.service().decrypt_item().run(&example.request(), &example.admin, vec![item]).await;
/// assert!(opened[0].outcome.is_err());
/// # Ok(())
/// # }
/// ```
pub struct DecryptItem<S, D, K, C> {
    /// The vault records.
    pub store: S,
    /// The data keys, shared with everything else in the execution environment.
    pub data_keys: Arc<DataKeys<D, K, C>>,
}

impl<P: Ports> Service<P> {
    /// decrypt-item.
    pub fn decrypt_item(&self) -> DecryptItem<P::Store, P::Store, P::CustomerKeys, P::Clock> {
        DecryptItem {
            store: self.ports.store(),
            data_keys: self.data_keys(),
        }
    }
}

/// One item to open.
#[derive(Clone, Debug)]
pub struct DecryptItemCommand {
    /// The item id it was sealed under.
    pub item_id: String,
    /// The context it was sealed under.
    pub context: ItemContext,
    /// The sealed item.
    pub sealed_item: Vec<u8>,
}

/// One item's outcome.
pub struct OpenedItem {
    /// The item id, as given.
    pub item_id: String,
    /// The plaintext, or why the item does not open.
    pub outcome: Result<Plaintext, Error>,
}

/// An item whose form, workspace and identity are right.
struct Recognized<'a> {
    sealed: SealedItem<'a>,
    identity: ItemIdentity,
    origin: ItemOrigin,
}

/// The data key that an item claims: its vault, its id, and the key ARN and ciphertext of its encrypted data key.
type ClaimedDataKey<'a> = (&'a VaultId, &'a DataKeyId, &'a [u8], &'a [u8]);

impl Recognized<'_> {
    fn claimed_data_key(&self) -> ClaimedDataKey<'_> {
        let encrypted = self.sealed.encrypted_data_key();
        let (key_arn, ciphertext) = (encrypted.key_provider_info(), encrypted.ciphertext());
        (&self.origin.vault_id, &self.origin.data_key_id, key_arn, ciphertext)
    }
}

type UnwrappedDataKeys<'a> = BTreeMap<ClaimedDataKey<'a>, Result<Arc<UnwrappedDataKey>, Error>>;
type Vaults = BTreeMap<VaultId, Result<Vault, Error>>;

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> DecryptItem<S, D, K, C> {
    /// Opens every item that can be opened. The outcomes are in the order of `items`.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        items: Vec<DecryptItemCommand>,
    ) -> Vec<OpenedItem> {
        context.record_items(&caller.workspace_id, items.iter().map(|item| item.item_id.as_str()));
        self.data_keys
            .prepared_beside(self.open_all(context, caller, &items))
            .await
    }

    /// Opens items that `context` has recorded already.
    pub(super) async fn open_all(
        &self,
        context: &RequestContext,
        caller: &Caller,
        items: &[DecryptItemCommand],
    ) -> Vec<OpenedItem> {
        let recognized: Vec<_> = items.iter().map(|item| recognize(caller, item)).collect();
        let vaults = self.vaults(context, caller, &recognized).await;
        let data_keys = self.data_keys(context, &vaults, &recognized).await;
        let outcomes: Vec<_> = recognized.iter().map(|item| open(item.as_ref(), &data_keys)).collect();
        log_causes(&recognized, &outcomes);
        items
            .iter()
            .zip(outcomes)
            .map(|(item, outcome)| {
                if outcome.is_err() {
                    context.record_failed_item(&caller.workspace_id, &item.item_id);
                }
                OpenedItem {
                    item_id: item.item_id.clone(),
                    outcome,
                }
            })
            .collect()
    }

    /// Reads each vault once, however many of its items there are.
    async fn vaults(
        &self,
        context: &RequestContext,
        caller: &Caller,
        recognized: &[Result<Recognized<'_>, Error>],
    ) -> Vaults {
        let ids: BTreeSet<_> = recognized
            .iter()
            .flatten()
            .map(|item| item.origin.vault_id.clone())
            .collect();
        ids.iter().for_each(|vault_id| context.record_item_vault(vault_id));
        let read = ids.into_iter().map(|vault_id| async {
            let span = error_span!("vault", vault_id = vault_id.as_str());
            let vault = find_vault(&self.store, &caller.workspace_id, &vault_id);
            let vault = vault.instrument(span).await;
            (vault_id, vault)
        });
        join_all(read).await.into_iter().collect()
    }

    /// Asks for each data key once, however many items use it and whatever the vault's cache bound.
    async fn data_keys<'a>(
        &self,
        context: &RequestContext,
        vaults: &Vaults,
        recognized: &'a [Result<Recognized<'_>, Error>],
    ) -> UnwrappedDataKeys<'a> {
        let wanted: BTreeMap<_, _> = recognized
            .iter()
            .flatten()
            .map(|item| (item.claimed_data_key(), item))
            .collect();
        let asked = wanted.into_iter().map(|(wanted, item)| async move {
            let span = error_span!("vault", vault_id = item.origin.vault_id.as_str());
            let data_key = self.data_key(context, vaults, item).instrument(span).await;
            (wanted, data_key)
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn data_key(
        &self,
        context: &RequestContext,
        vaults: &Vaults,
        item: &Recognized<'_>,
    ) -> Result<Arc<UnwrappedDataKey>, Error> {
        let vault = vaults
            .get(&item.origin.vault_id)
            .ok_or(Error::VaultNotFound)?
            .as_ref()
            .map_err(Error::clone)?;
        if !vault.status.opens() {
            return Err(Error::WrongVaultStatus { status: vault.status });
        }
        let encrypted_data_key = item.sealed.encrypted_data_key();
        let asked_at = self.data_keys.now();
        let data_key = self
            .data_keys
            .on_record(context, vault, &item.origin.data_key_id, encrypted_data_key)
            .await;
        live_sensor::note(&self.store, context, vault, asked_at, &data_key).await;
        data_key
    }
}

/// Logs why single items failed by our fault: each cause once for each vault, however many items it failed.
fn log_causes(recognized: &[Result<Recognized<'_>, Error>], outcomes: &[Result<Plaintext, Error>]) {
    let pairs = recognized.iter().zip(outcomes);
    let causes: BTreeSet<_> = pairs
        .filter_map(|(item, outcome)| match outcome {
            Err(Error::Internal(cause)) => Some((*cause, item.as_ref().ok().map(|item| &item.origin.vault_id))),
            _ => None,
        })
        .collect();
    causes.into_iter().for_each(|(cause, vault_id)| cause.log(vault_id));
}

fn recognize<'a>(caller: &Caller, item: &'a DecryptItemCommand) -> Result<Recognized<'a>, Error> {
    const MALFORMED: Error = Error::ItemDoesNotOpen(ItemFault::Malformed);
    let sealed = SealedItem::parse(&item.sealed_item).map_err(|_| MALFORMED)?;
    let origin = ItemOrigin::from_encryption_context(sealed.encryption_context()).ok_or(MALFORMED)?;
    if origin.workspace_id != caller.workspace_id {
        return Err(Error::VaultNotFound);
    }
    let identity = ItemIdentity::new(&item.item_id, &item.context);
    if !sealed.matches(&identity) {
        return Err(Error::ItemDoesNotOpen(ItemFault::WrongIdentity));
    }
    Ok(Recognized {
        sealed,
        identity,
        origin,
    })
}

fn open(item: Result<&Recognized<'_>, &Error>, data_keys: &UnwrappedDataKeys<'_>) -> Result<Plaintext, Error> {
    let item = item.map_err(Error::clone)?;
    let data_key = data_keys
        .get(&item.claimed_data_key())
        .ok_or(Error::Internal(Cause::StepSkipped))?;
    let data_key = data_key.as_ref().map_err(Error::clone)?;
    item.sealed
        .open(&item.identity, &data_key.plaintext)
        .map_err(|_| Error::ItemDoesNotOpen(ItemFault::Altered))
}
