//! Unwrapped data keys in memory: for at most the vault's bound, a bounded number, and one unwrapping for all who wait.

use core::fmt;
use core::future::Future;
use core::time::Duration;
use std::sync::Arc;

use moka::future::Cache;
use sealed_item::PlaintextDataKey;

use crate::data_key::{DataKeyId, IssuedDataKey};
use crate::error::Error;
use crate::ports::{Clock, Moment};
use crate::vault::{DataKeyCacheBound, Vault, VaultId};

/// How many data keys an execution environment holds at most: about 3 MB of records and keys.
const CAPACITY: u64 = 2_000;

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

/// The bound is part of the key: a vault whose bound is changed starts afresh.
type CacheKey = (VaultId, DataKeyId, DataKeyCacheBound);

/// The cache of one execution environment.
pub struct DataKeyCache<C> {
    keys: Cache<CacheKey, Arc<UnwrappedDataKey>>,
    clock: C,
}

impl<C: Clock> DataKeyCache<C> {
    /// An empty cache that goes by `clock`.
    pub fn new(clock: C) -> Self {
        // Moka's own expiry frees the memory. Whether a data key may still be used is decided by our clock, at each use.
        let longest = Duration::from_secs(u64::from(DataKeyCacheBound::MAX_SECONDS));
        Self {
            keys: Cache::builder().max_capacity(CAPACITY).time_to_live(longest).build(),
            clock,
        }
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
        self.keys.invalidate(&key).await;
        self.keys.run_pending_tasks().await;
        None
    }

    /// The data key as held, or as `unwrap` brings it. Those who ask at the same time share one unwrapping; a failure
    /// goes to all of them and is not kept. With a bound of 0 nothing is shared and nothing is held.
    ///
    /// # Errors
    /// What `unwrap` answers.
    pub async fn held_or<Unwrap>(
        &self,
        vault: &Vault,
        data_key_id: &DataKeyId,
        unwrap: Unwrap,
    ) -> Result<Arc<UnwrappedDataKey>, Error>
    where
        Unwrap: Future<Output = Result<UnwrappedDataKey, Error>> + Send,
    {
        if vault.data_key_cache.seconds() == 0 {
            return unwrap.await.map(Arc::new);
        }
        if let Some(held) = self.held(vault, data_key_id).await {
            return Ok(held);
        }
        let unwrapped = self
            .keys
            .try_get_with(Self::key(vault, data_key_id), async { unwrap.await.map(Arc::new) })
            .await
            .map_err(|error: Arc<Error>| Error::clone(&error))?;
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
        (vault.vault_id.clone(), data_key_id.clone(), vault.data_key_cache)
    }
}
