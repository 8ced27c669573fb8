//! Keeps one vault whose key is slow from taking up a whole execution environment.
//!
//! An environment serves several requests at a time (`AWS_LAMBDA_MAX_CONCURRENCY`). Without a limit, requests that wait
//! for one slow key could fill it, and other customers would not be served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::values::{RequestId, VaultId};

/// Which requests wait for which vault's key.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    places: usize,
    /// For each request, how many of its data keys it waits for. A request takes one place, however many data keys it
    /// needs.
    waiting: Arc<Mutex<HashMap<VaultId, HashMap<RequestId, usize>>>>,
}

/// The vault has no place left for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Bulkhead {
    /// For an environment that serves up to `max_concurrency` requests at a time. Half of them may wait for the same
    /// vault.
    pub fn new(max_concurrency: usize) -> Self {
        Self {
            places: max_concurrency.div_ceil(2).max(1),
            waiting: Arc::default(),
        }
    }

    /// Takes a place for a request, until the returned [`Place`] is dropped.
    ///
    /// # Errors
    /// [`Full`] when half of the environment already waits for this vault.
    pub fn enter(&self, vault_id: &VaultId, request_id: &RequestId) -> Result<Place, Full> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_vault = waiting.entry(vault_id.clone()).or_default();
        if of_vault.len() >= self.places && !of_vault.contains_key(request_id) {
            return Err(Full);
        }
        let count = of_vault.entry(request_id.clone()).or_default();
        *count = count.saturating_add(1);
        Ok(Place {
            bulkhead: self.clone(),
            vault_id: vault_id.clone(),
            request_id: request_id.clone(),
        })
    }

    fn leave(&self, vault_id: &VaultId, request_id: &RequestId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_vault) = waiting.get_mut(vault_id) else {
            return;
        };
        if let Some(count) = of_vault.get_mut(request_id) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                of_vault.remove(request_id);
            }
        }
        if of_vault.is_empty() {
            waiting.remove(vault_id);
        }
    }
}

/// The place that a request holds.
#[derive(Debug)]
pub struct Place {
    bulkhead: Bulkhead,
    vault_id: VaultId,
    request_id: RequestId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.bulkhead.leave(&self.vault_id, &self.request_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_requests_may_wait_for_one_vault() {
        let (vault, other, request) = (VaultId::generate(), VaultId::generate(), RequestId::generate());
        for (max_concurrency, places) in [(1, 1), (2, 1), (3, 2), (10, 5)] {
            let bulkhead = Bulkhead::new(max_concurrency);
            let mut taken: Vec<_> = (0..places)
                .map(|_| bulkhead.enter(&vault, &RequestId::generate()).unwrap())
                .collect();
            assert_eq!(bulkhead.enter(&vault, &request).unwrap_err(), Full);
            assert!(
                bulkhead.enter(&other, &request).is_ok(),
                "other vaults have their own places"
            );
            taken.pop();
            assert!(
                bulkhead.enter(&vault, &request).is_ok(),
                "a request that leaves makes room"
            );
        }
    }

    #[test]
    fn a_request_takes_one_place_however_many_data_keys_it_waits_for() {
        let (vault, request) = (VaultId::generate(), RequestId::generate());
        let bulkhead = Bulkhead::new(1);
        let first = bulkhead.enter(&vault, &request).unwrap();
        let second = bulkhead.enter(&vault, &request).unwrap();
        drop(first);
        assert_eq!(bulkhead.enter(&vault, &RequestId::generate()).unwrap_err(), Full);
        drop(second);
        assert!(bulkhead.enter(&vault, &RequestId::generate()).is_ok());
        assert!(bulkhead.waiting.lock().unwrap().is_empty(), "and nothing is kept of it");
    }
}
