//! Unwrapped data keys in memory: a limited number, each for at most its vault's bound. Requests that wait for the same
//! data key share one unwrapping.

use core::fmt;
use core::future::ready;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use moka::future::Cache;
use moka::ops::compute::Op;
use moka::{Entry, Expiry};
use sealed_item::PlaintextDataKey;

use crate::error::Error;
use crate::ports::{Clock, Moment};
use crate::values::{DataKeyCacheBound, VaultId};
use crate::vault::{DataKeyId, IssuedDataKey, Vault};

/// The most data keys that an execution environment holds: about 3 MB of records and keys.
pub const CAPACITY: u64 = 2_000;

/// A data key that KMS unwrapped for us.
pub struct UnwrappedDataKey {
    /// The data key as it is on record.
    pub issued: IssuedDataKey,
    /// The data key itself. It is zeroed when its last holder drops it.
    pub plaintext: PlaintextDataKey,
    /// A moment before KMS was asked. The bound counts from here, so access never lasts longer than the bound.
    pub proven_at: Moment,
}

impl fmt::Debug for UnwrappedDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnwrappedDataKey({})", self.issued.data_key_id)
    }
}

/// What a data key is held for: the vault as it was when KMS was asked. A change to the vault starts an empty cache,
/// and no later change brings the old entries back: neither a bound that is shortened and lengthened again, nor a vault
/// that is disabled and enabled again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    vault_id: VaultId,
    version: u64,
    bound: DataKeyCacheBound,
    data_key_id: DataKeyId,
}

/// Moka's own expiry. It frees the memory of data keys that are no longer used. Whether a data key may still be used is
/// decided by our clock, at each use.
struct AfterItsBound;

impl Expiry<CacheKey, Arc<UnwrappedDataKey>> for AfterItsBound {
    fn expire_after_create(&self, key: &CacheKey, _: &Arc<UnwrappedDataKey>, _: Instant) -> Option<Duration> {
        Some(key.bound.duration())
    }
}

/// The cache of one execution environment.
pub struct DataKeyCache<C> {
    keys: Cache<CacheKey, Arc<UnwrappedDataKey>>,
    clock: C,
}

impl<C: Clock> DataKeyCache<C> {
    /// An empty cache that uses `clock`.
    pub fn new(clock: C) -> Self {
        let keys = Cache::builder()
            .max_capacity(CAPACITY)
            .expire_after(AfterItsBound)
            .build();
        Self { keys, clock }
    }

    /// The clock that the bounds are measured with.
    pub const fn clock(&self) -> &C {
        &self.clock
    }

    /// The data key, if it is held and within the vault's bound.
    pub async fn held(&self, vault: &Vault, data_key_id: &DataKeyId) -> Option<Arc<UnwrappedDataKey>> {
        let key = Self::key(vault, data_key_id);
        let held = self.keys.get(&key).await?;
        if self.within_bound(&held, vault.data_key_cache) {
            return Some(held);
        }
        self.forget_outlived(key, vault.data_key_cache).await;
        None
    }

    /// Removes the data key unless another request has replaced it with a fresh one in the meantime.
    async fn forget_outlived(&self, key: CacheKey, bound: DataKeyCacheBound) {
        let outlived = |entry: &Entry<CacheKey, Arc<UnwrappedDataKey>>| !self.within_bound(entry.value(), bound);
        self.keys
            .entry(key)
            .and_compute_with(|entry| {
                ready(if entry.as_ref().is_some_and(outlived) {
                    Op::Remove
                } else {
                    Op::Nop
                })
            })
            .await;
        // Moka drops a removed entry, and so zeroes it, only when its pending tasks run.
        self.keys.run_pending_tasks().await;
    }

    /// The data key from the cache, or else from `unwrap`. Concurrent callers share one unwrapping. If it fails, it
    /// fails for all of them, and the failure is not cached. The exception is [`Error::OutOfTime`]: callers that still
    /// have time try again. With a bound of 0, nothing is shared and nothing is held.
    ///
    /// # Errors
    /// The errors of `unwrap`, and [`Error::OutOfTime`] when it took longer than the bound.
    pub async fn held_or(
        &self,
        vault: &Vault,
        data_key_id: &DataKeyId,
        // Boxed because moka and the futures around it would otherwise hold it three times.
        mut unwrap: BoxFuture<'_, Result<UnwrappedDataKey, Error>>,
    ) -> Result<Arc<UnwrappedDataKey>, Error> {
        if vault.data_key_cache.seconds() == 0 {
            return unwrap.await.map(Arc::new);
        }
        if let Some(held) = self.held(vault, data_key_id).await {
            return Ok(held);
        }
        let unwrapped = loop {
            let ours = AtomicBool::new(false);
            let unwrapping = async {
                ours.store(true, Ordering::Relaxed);
                unwrap.as_mut().await.map(Arc::new)
            };
            match self.keys.try_get_with(Self::key(vault, data_key_id), unwrapping).await {
                Ok(unwrapped) => break unwrapped,
                // The request that ran the unwrapping ran out of time. This one may have time left.
                Err(error) if matches!(*error, Error::OutOfTime) && !ours.into_inner() => {}
                Err(error) => return Err(Error::clone(&error)),
            }
        };
        // The answer is older than the bound, so it proves nothing.
        if self.within_bound(&unwrapped, vault.data_key_cache) {
            Ok(unwrapped)
        } else {
            Err(Error::OutOfTime)
        }
    }

    fn within_bound(&self, held: &UnwrappedDataKey, bound: DataKeyCacheBound) -> bool {
        self.clock.now().since(&held.proven_at) < bound.duration()
    }

    fn key(vault: &Vault, data_key_id: &DataKeyId) -> CacheKey {
        CacheKey {
            vault_id: vault.vault_id.clone(),
            version: vault.version,
            bound: vault.data_key_cache,
            data_key_id: data_key_id.clone(),
        }
    }
}
