//! Unwrapped data keys in memory: for at most the vault's bound, a bounded number, and one unwrapping for all who wait.

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

/// How many data keys an execution environment holds at most: about 3 MB of records and keys.
pub const CAPACITY: u64 = 2_000;

/// A data key that KMS opened for us.
pub struct UnwrappedDataKey {
    /// The data key as it is on record.
    pub issued: IssuedDataKey,
    /// The data key itself; zeroed when the last holder lets go of it.
    pub plaintext: PlaintextDataKey,
    /// A moment at which KMS had not yet been asked: counting from it, access never lasts longer than the bound.
    pub proven_at: Moment,
}

impl fmt::Debug for UnwrappedDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnwrappedDataKey({})", self.issued.data_key_id)
    }
}

/// What a data key is held for: the vault as it was when KMS was asked. A vault that is changed starts afresh, and never comes
/// back to what was held before: not by a bound that is made shorter and then longer again, not by being disabled and enabled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    vault_id: VaultId,
    version: u64,
    bound: DataKeyCacheBound,
    data_key_id: DataKeyId,
}

/// Moka's own expiry, which frees the memory of data keys that nobody asks for any more. Whether a data key may still be
/// used is decided by our clock, at each use.
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
    /// An empty cache that goes by `clock`.
    pub fn new(clock: C) -> Self {
        let keys = Cache::builder()
            .max_capacity(CAPACITY)
            .expire_after(AfterItsBound)
            .build();
        Self { keys, clock }
    }

    /// The clock it goes by.
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

    /// Takes the data key out unless another request has put a fresh one in its place meanwhile.
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
        // Moka drops, and so zeroes, what was taken out only when it does its chores.
        self.keys.run_pending_tasks().await;
    }

    /// The data key as held, or as `unwrap` brings it. Those who ask at the same time share one unwrapping; a failure
    /// goes to all of them and is not kept, except that who has time left does not fail because another's ran out. With a
    /// bound of 0 nothing is shared and nothing is held.
    ///
    /// # Errors
    /// What `unwrap` answers.
    pub async fn held_or(
        &self,
        vault: &Vault,
        data_key_id: &DataKeyId,
        // Boxed: moka and what is around it would hold it three times, one in the other.
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
                // The time of the request whose unwrapping it was is not ours.
                Err(error) if matches!(*error, Error::OutOfTime) && !ours.into_inner() => {}
                Err(error) => return Err(Error::clone(&error)),
            }
        };
        // An unwrapping that took longer than the bound proves nothing any more.
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
