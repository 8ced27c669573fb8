//! When the next data key takes over: at the end of a period, and after a number of items.
//!
//! Each execution environment keeps its own count, so sealing needs no write. An environment that has used up its share
//! of a data key goes on to the next generation in the same period. A new environment starts with the first generation,
//! and so does one that has forgotten a vault because it has not sealed for it lately.
//!
//! The limit comes from the format, which allows 2^32 messages under one data key (AWS Encryption SDK specification,
//! framework "Algorithm suites"), because each message's keys are derived with its 128 random bits as salt. With a
//! share of 2^20, it takes 4,096 environments that all use up their share of one vault's data key in one day. At 2^32
//! messages, the probability that any two share a salt is below 2^-64.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use moka::future::Cache;

use crate::values::VaultId;
use crate::vault::{DataKeyId, DataKeyPeriod};

/// The most vaults whose counts an execution environment remembers: about 2 MB.
const CAPACITY: u64 = 10_000;

/// How long, and for how many items, new items are sealed under the same data key.
#[derive(Clone, Copy, Debug)]
pub struct RotationLimits {
    /// The time.
    pub period: DataKeyPeriod,
    /// The number of items, for each execution environment.
    pub items: u64,
}

impl RotationLimits {
    /// A day, and 2^20 items for each execution environment.
    pub const DEFAULT: Self = Self {
        period: DataKeyPeriod::DAY,
        items: 1 << 20,
    };
}

/// Which data key each vault's items are sealed under, in one execution environment.
pub struct DataKeyRotation {
    limits: RotationLimits,
    turns: Cache<VaultId, Arc<Mutex<Turn>>>,
}

struct Turn {
    data_key_id: DataKeyId,
    sealed: u64,
}

impl DataKeyRotation {
    /// Starts with nothing sealed yet.
    pub fn new(limits: RotationLimits) -> Self {
        let turns = Cache::builder().max_capacity(CAPACITY).build();
        Self { limits, turns }
    }

    /// The data key for the next `items` items of a vault; it counts them as sealed. A batch is sealed under one data
    /// key, so a batch that is larger than what is left starts the next one.
    pub async fn next(&self, vault_id: &VaultId, now: Timestamp, items: u64) -> DataKeyId {
        let first = DataKeyId::first_of(now, self.limits.period);
        let begin = async {
            let (data_key_id, sealed) = (first.clone(), 0);
            Arc::new(Mutex::new(Turn { data_key_id, sealed }))
        };
        let turn = self.turns.get_with_by_ref(vault_id, begin).await;
        let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if !turn.data_key_id.is_of_same_period(&first) {
            (turn.data_key_id, turn.sealed) = (first, 0);
        } else if turn.sealed.saturating_add(items) > self.limits.items && turn.sealed > 0 {
            (turn.data_key_id, turn.sealed) = (turn.data_key_id.next_generation(), 0);
        }
        turn.sealed = turn.sealed.saturating_add(items);
        turn.data_key_id.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    async fn ids(rotation: &DataKeyRotation, vault: &VaultId, now: &str, batches: &[u64]) -> Vec<String> {
        let mut ids = Vec::new();
        for &items in batches {
            ids.push(rotation.next(vault, at(now), items).await.to_string());
        }
        ids
    }

    #[tokio::test]
    async fn a_data_key_takes_its_number_of_items_and_no_more() {
        let limits = RotationLimits {
            items: 10,
            ..RotationLimits::DEFAULT
        };
        let (rotation, vault, now) = (
            DataKeyRotation::new(limits),
            VaultId::generate(),
            "2026-11-23T10:00:00Z",
        );
        let ids = ids(&rotation, &vault, now, &[4, 6, 1, 9, 1, 10, 11, 1]).await;
        let generations: Vec<_> = ids.iter().map(|id| id.rsplit('-').next().unwrap_or_default()).collect();
        assert_eq!(generations, ["1", "1", "2", "2", "3", "4", "5", "6"]);
        let other_vault = rotation.next(&VaultId::generate(), at(now), 1).await;
        assert_eq!(other_vault.as_str(), "20261123T000000Z-1");
    }

    #[tokio::test]
    async fn a_new_period_begins_with_its_first_data_key() {
        let limits = RotationLimits {
            items: 1,
            ..RotationLimits::DEFAULT
        };
        let (rotation, vault) = (DataKeyRotation::new(limits), VaultId::generate());
        assert_eq!(
            ids(&rotation, &vault, "2026-11-23T23:59:59Z", &[1, 1]).await,
            ["20261123T000000Z-1", "20261123T000000Z-2"]
        );
        assert_eq!(
            ids(&rotation, &vault, "2026-11-24T00:00:00Z", &[1]).await,
            ["20261124T000000Z-1"]
        );
    }
}
