//! The data keys of a vault. Each is issued for a period and a number of items, put on record, unwrapped by KMS and by
//! nothing else, and held within the vault's bound.
//!
//! Sealing and opening use the same path. Even the environment that made a data key forgets it and asks KMS to unwrap
//! it. So nothing is sealed under a data key that KMS did not unwrap within the bound (requirement H3).

pub mod bulkhead;
pub mod cache;
mod failover;
mod item_origin;
pub mod rotation;

pub use failover::with_failover;
pub use item_origin::ItemOrigin;

use core::future::Future;
use core::pin::pin;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{Either, select};
use jiff::Timestamp;
use sealed_item::kms_rsa_keyring::unwrap_payload;
use sealed_item::{EncryptedDataKey, PlaintextDataKey};

use crate::customer::CustomerAccess;
use crate::data_keys::bulkhead::{Bulkhead, Full, Place};
use crate::data_keys::cache::{DataKeyCache, UnwrappedDataKey};
use crate::data_keys::rotation::{DataKeyRotation, RotationLimits};
use crate::error::{Cause, Error, ItemFault};
use crate::ports::{Clock, CustomerKeys, DataKeyStore};
use crate::request::RequestContext;
use crate::values::Region;
use crate::vault::{DataKeyId, IssuedDataKey, Vault};

/// The data keys that one execution environment works with.
pub struct DataKeys<S, K, C> {
    store: S,
    customer_keys: K,
    cache: DataKeyCache<C>,
    home: Region,
    rotation: DataKeyRotation,
    bulkhead: Bulkhead,
}

impl<S: DataKeyStore, K: CustomerKeys, C: Clock> DataKeys<S, K, C> {
    /// Works with the data keys in `store`. They are unwrapped through `customer_keys`, in `home` first.
    pub fn new(store: S, customer_keys: K, clock: C, home: Region, limits: RotationLimits) -> Self {
        Self {
            store,
            customer_keys,
            cache: DataKeyCache::new(clock),
            home,
            rotation: DataKeyRotation::new(limits),
            bulkhead: Bulkhead::new(usize::MAX),
        }
    }

    /// Limits how many requests may wait for one vault, in an environment that serves up to `max_concurrency` at a
    /// time.
    #[must_use]
    pub fn shared_by(self, max_concurrency: usize) -> Self {
        Self {
            bulkhead: Bulkhead::new(max_concurrency),
            ..self
        }
    }

    /// Runs `work`, which may need the customer's key, and meanwhile prepares what any customer's key needs. The
    /// preparation is never waited for.
    pub async fn prepared_beside<T>(&self, work: impl Future<Output = T> + Send) -> T {
        let preparation = pin!(self.customer_keys.prepare(self.home));
        match select(Box::pin(work), preparation).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), work)) => work.await,
        }
    }

    /// The current time, by the clock that bounds the data keys.
    pub fn now(&self) -> Timestamp {
        self.cache.clock().now().wall
    }

    /// The data key to seal the next `items` items of `vault` under.
    ///
    /// # Errors
    /// [`Error::KeyRefused`] when the customer's key or role refuses; the outage, as an [`Error`], when neither Region
    /// answers; [`Error::Throttled`] when too many requests already wait for this vault's key.
    pub async fn current(
        &self,
        context: &RequestContext,
        vault: &Vault,
        items: usize,
    ) -> Result<Arc<UnwrappedDataKey>, Error> {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        let now = self.cache.clock().now().wall;
        let data_key_id = self.rotation.next(&vault.vault_id, now, items).await;
        if let Some(held) = self.cache.held(vault, &data_key_id).await {
            return Ok(held);
        }
        let _place = self.place(context, vault)?;
        let issued = match self.store.data_key(&vault.vault_id, &data_key_id).await? {
            Some(issued) => issued,
            None => {
                self.store
                    .issue(&vault.vault_id, &self.make(vault, data_key_id.clone())?)
                    .await?
            }
        };
        let unwrap = self.unwrap(context, vault, issued).boxed();
        self.cache.held_or(vault, &data_key_id, unwrap).await
    }

    /// The data key that an item of `vault` was sealed under.
    ///
    /// # Errors
    /// [`ItemFault::DataKeyNotOnRecord`], without asking KMS, unless exactly `encrypted_data_key` was issued for this
    /// vault under this id. Otherwise the errors of [`Self::current`].
    pub async fn on_record(
        &self,
        context: &RequestContext,
        vault: &Vault,
        data_key_id: &DataKeyId,
        encrypted_data_key: &EncryptedDataKey,
    ) -> Result<Arc<UnwrappedDataKey>, Error> {
        const NOT_ON_RECORD: Error = Error::ItemDoesNotOpen(ItemFault::DataKeyNotOnRecord);
        let held = match self.cache.held(vault, data_key_id).await {
            Some(held) => held,
            None => {
                let _place = self.place(context, vault)?;
                let issued = self
                    .store
                    .data_key(&vault.vault_id, data_key_id)
                    .await?
                    .ok_or(NOT_ON_RECORD)?;
                if issued.encrypted_data_key != *encrypted_data_key {
                    return Err(NOT_ON_RECORD);
                }
                let unwrap = self.unwrap(context, vault, issued).boxed();
                self.cache.held_or(vault, data_key_id, unwrap).await?
            }
        };
        if held.issued.encrypted_data_key == *encrypted_data_key {
            Ok(held)
        } else {
            Err(NOT_ON_RECORD)
        }
    }

    /// A place among the requests that wait for the vault's key.
    fn place(&self, context: &RequestContext, vault: &Vault) -> Result<Place, Error> {
        let place = self.bulkhead.enter(&vault.vault_id, &context.request_id);
        place.map_err(|Full| {
            tracing::warn!("too many requests wait for the vault's key");
            Error::Throttled
        })
    }

    fn make(&self, vault: &Vault, data_key_id: DataKeyId) -> Result<IssuedDataKey, Error> {
        let origin = Self::origin(vault, &data_key_id);
        let plaintext = PlaintextDataKey::generate().map_err(|_| Error::Internal(Cause::NoRandomBytes))?;
        let ciphertext = vault
            .public_key
            .wrapping_key()
            .wrap(&origin.encryption_context()?, &plaintext)
            .map_err(|_| Error::Internal(Cause::PublicKeyUnusable))?;
        // Related multi-Region keys decrypt each other's ciphertexts, so the primary's ARN serves both Regions.
        let arn = vault.customer_key.arn(Region::PRIMARY);
        let encrypted_data_key =
            EncryptedDataKey::kms_rsa(arn.as_str(), ciphertext).map_err(|_| Error::Internal(Cause::FormatExceeded))?;
        Ok(IssuedDataKey {
            data_key_id,
            encrypted_data_key,
            created_at: self.cache.clock().now().wall,
        })
    }

    async fn unwrap(
        &self,
        context: &RequestContext,
        vault: &Vault,
        issued: IssuedDataKey,
    ) -> Result<UnwrappedDataKey, Error> {
        let access = CustomerAccess::to_unwrap(vault);
        let (payload, proven_at) = with_failover(context, &access, self.home, |region| {
            // A Region's answer proves access as of the moment that Region was asked, so the time lost on the other
            // does not count.
            let asked_at = self.cache.clock().now();
            let ciphertext = issued.encrypted_data_key.ciphertext();
            let answer = self.customer_keys.decrypt(context, &access, region, ciphertext);
            async move { Ok((answer.await?, asked_at)) }
        })
        .await?;
        let encryption_context = Self::origin(vault, &issued.data_key_id).encryption_context()?;
        let plaintext =
            unwrap_payload(&encryption_context, payload).map_err(|_| Error::Internal(Cause::DataKeyNotBound))?;
        Ok(UnwrappedDataKey {
            issued,
            plaintext,
            proven_at,
        })
    }

    fn origin(vault: &Vault, data_key_id: &DataKeyId) -> ItemOrigin {
        ItemOrigin {
            workspace_id: vault.workspace_id.clone(),
            vault_id: vault.vault_id.clone(),
            data_key_id: data_key_id.clone(),
        }
    }
}
