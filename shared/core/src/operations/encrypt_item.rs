//! encrypt-item: seals a batch of items under one data key.

use std::sync::Arc;

use sealed_item::Plaintext;
use sealed_item::item::{ItemIdentity, ItemSealingParameters, seal_item};
use tracing::{Instrument as _, error_span};

use crate::caller::Caller;
use crate::data_keys::{DataKeys, ItemOrigin};
use crate::error::{Cause, Error};
use crate::health::HealthState;
use crate::ports::{Clock, CustomerKeys, DataKeyStore, VaultStore};
use crate::request::{RequestContext, SealedItems};
use crate::values::VaultId;
use crate::vault::Vault;

use crate::operations::{ItemContext, Ports, Service, default_vault, find_vault, live_sensor};

/// Seals items.
///
/// ```
/// # use latchkey_in_memory::Example;
/// # use latchkey_core::operations::{DecryptItemCommand, EncryptItemCommand};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (example, _) = Example::with_vault().await?;
/// let item = EncryptItemCommand {
///     item_id: "account-1/password".to_owned(),
///     context: [("owner".to_owned(), "account-1".to_owned())].into(),
///     plaintext: b"hello".to_vec().into(),
/// };
/// let sealed = example.service().encrypt_item().run(&example.request(), &example.admin, None, vec![item]).await?;
///
/// // In another environment, which has to ask KMS for the data key.
/// let (item_id, sealed_item) = sealed.items.into_iter().next().expect("one item");
/// let item = DecryptItemCommand {
///     item_id,
///     context: [("owner".to_owned(), "account-1".to_owned())].into(),
///     sealed_item,
/// };
/// let opened = example.service().decrypt_item().run(&example.request(), &example.admin, vec![item]).await;
/// assert_eq!(opened[0].outcome.as_ref().expect("it opens").as_bytes(), b"hello");
/// # Ok(())
/// # }
/// ```
pub struct EncryptItem<S, D, K, C> {
    /// The vault records.
    pub store: S,
    /// The data keys, shared with everything else in the execution environment.
    pub data_keys: Arc<DataKeys<D, K, C>>,
}

impl<P: Ports> Service<P> {
    /// encrypt-item.
    pub fn encrypt_item(&self) -> EncryptItem<P::Store, P::Store, P::CustomerKeys, P::Clock> {
        EncryptItem {
            store: self.ports.store(),
            data_keys: self.data_keys(),
        }
    }
}

/// One item to seal.
pub struct EncryptItemCommand {
    /// The caller's id of the item.
    pub item_id: String,
    /// The caller's context.
    pub context: ItemContext,
    /// What to seal.
    pub plaintext: Plaintext,
}

/// The sealed items and their vault.
#[derive(Debug)]
pub struct EncryptedItems {
    /// The vault they were sealed in.
    pub vault_id: VaultId,
    /// Each item id with its sealed item, in the order of the request.
    pub items: Vec<(String, Vec<u8>)>,
}

impl<S: VaultStore, D: DataKeyStore, K: CustomerKeys, C: Clock> EncryptItem<S, D, K, C> {
    /// Seals all items, or none.
    ///
    /// # Errors
    /// [`Error::WrongVaultStatus`] unless the vault is active; [`Error::NoDefaultVault`] if no vault is named and the
    /// workspace has no default; [`Error::VaultUnusable`] while the vault's health is `unusable`; [`Error::KeyRefused`]
    /// if the customer's key cannot be used now.
    pub async fn run(
        &self,
        context: &RequestContext,
        caller: &Caller,
        vault_id: Option<VaultId>,
        items: Vec<EncryptItemCommand>,
    ) -> Result<EncryptedItems, Error> {
        context.record_items(&caller.workspace_id, items.iter().map(|item| item.item_id.as_str()));
        let sealing = async {
            let vault = match vault_id {
                Some(vault_id) => return self.seal_all(context, caller, &vault_id, items).await,
                None => default_vault::read(&self.store, &caller.workspace_id).await?,
            };
            context.record_item_vault(&vault.vault_id);
            let span = error_span!("vault", vault_id = vault.vault_id.as_str());
            self.seal_in(context, vault, items).instrument(span).await
        };
        self.data_keys.prepared_beside(sealing).await
    }

    /// Seals items that `context` has recorded already.
    pub(super) async fn seal_all(
        &self,
        context: &RequestContext,
        caller: &Caller,
        vault_id: &VaultId,
        items: Vec<EncryptItemCommand>,
    ) -> Result<EncryptedItems, Error> {
        context.record_item_vault(vault_id);
        let sealing = async {
            let vault = find_vault(&self.store, &caller.workspace_id, vault_id).await?;
            self.seal_in(context, vault, items).await
        };
        let span = error_span!("vault", vault_id = vault_id.as_str());
        sealing.instrument(span).await
    }

    /// Seals items in a vault that was just read.
    async fn seal_in(
        &self,
        context: &RequestContext,
        vault: Vault,
        items: Vec<EncryptItemCommand>,
    ) -> Result<EncryptedItems, Error> {
        if !vault.status.seals() {
            return Err(Error::WrongVaultStatus { status: vault.status });
        }
        if vault.health.state == HealthState::Unusable {
            return Err(Error::VaultUnusable {
                findings: vault.health.findings,
            });
        }
        let asked_at = self.data_keys.now();
        let data_key = self.data_keys.current(context, &vault, items.len()).await;
        live_sensor::note(&self.store, context, &vault, asked_at, &data_key).await;
        let data_key = data_key?;
        let origin = ItemOrigin {
            workspace_id: vault.workspace_id,
            vault_id: vault.vault_id,
            data_key_id: data_key.issued.data_key_id.clone(),
        };
        let parameters = ItemSealingParameters {
            data_key: &data_key.plaintext,
            encrypted_data_key: &data_key.issued.encrypted_data_key,
            encryption_context: &origin.encryption_context()?,
        };
        let seal = |item: EncryptItemCommand| {
            let identity = ItemIdentity::new(&item.item_id, &item.context);
            let sealed = seal_item(&parameters, &identity, item.plaintext.as_bytes())
                .map_err(|_| Error::Internal(Cause::FormatExceeded))?;
            Ok((item.item_id, sealed))
        };
        let items = items.into_iter().map(seal).collect::<Result<Vec<_>, Error>>()?;
        context.record_sealed(SealedItems {
            items: items.len(),
            data_key_generation: origin.data_key_id.generation(),
        });
        Ok(EncryptedItems {
            vault_id: origin.vault_id,
            items,
        })
    }
}
