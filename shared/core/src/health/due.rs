//! When a vault is to be checked next.

use core::fmt;
use core::time::Duration;

use jiff::Timestamp;

use crate::health::observation::{Observation, Scope, after};
use crate::health::{Health, HealthState};
use crate::values::{Strategy, VaultId};

/// The time between the starts of two checks of a vault.
pub const BETWEEN_CHECKS: Duration = Duration::from_secs(60);

/// The time between the starts of two whole validations of a vault that is as it must be.
pub const BETWEEN_VALIDATIONS: Duration = Duration::from_secs(3600);

/// When a vault is to be checked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The earliest time of the next check.
    pub at: Timestamp,
    /// The time from which the next check is the whole validation.
    pub whole_from: Timestamp,
}

impl Due {
    /// The whole validation is due at once.
    pub const fn at_once(now: Timestamp) -> Self {
        Self {
            at: now,
            whole_from: now,
        }
    }

    /// For a vault of `strategy` that its creation has just validated.
    pub fn first(observation: &Observation, strategy: Strategy) -> Self {
        Self {
            at: after(observation.asked_at, strategy.between_checks()),
            whole_from: after(observation.asked_at, BETWEEN_VALIDATIONS),
        }
    }

    /// After an observation that left the vault, of `strategy`, in `health`. A vault that is not as it must be is
    /// checked each minute.
    #[must_use]
    pub fn after(&self, observation: &Observation, health: &Health, strategy: Strategy) -> Self {
        let next = after(observation.asked_at, BETWEEN_CHECKS);
        match (observation.scope, health.state) {
            // A live call met something that only the whole validation can explain.
            (Scope::LiveCall, _) => Self::at_once(observation.asked_at),
            // Only the whole validation can clear it, and recovery is to be noticed as fast as failure.
            (_, HealthState::Unusable | HealthState::Unknown) => Self {
                at: next,
                whole_from: next,
            },
            // Unanswered calls are tried again.
            (Scope::Whole, _) if health.unanswered_in_a_row > 0 => Self {
                at: next,
                whole_from: next,
            },
            (Scope::Whole, HealthState::Healthy | HealthState::Degraded) => Self::first(observation, strategy),
            (Scope::Light, HealthState::Healthy | HealthState::Degraded) => Self {
                at: after(observation.asked_at, strategy.between_checks()),
                whole_from: self.whole_from,
            },
        }
    }

    /// Whether the check of a vault in `health` that is due at `now` is the whole validation.
    pub fn is_whole(&self, now: Timestamp, health: &Health) -> bool {
        self.whole_from <= now || matches!(health.state, HealthState::Unusable | HealthState::Unknown)
    }
}

impl Strategy {
    /// The time between the starts of two checks of a vault. All managed vaults share one key. Only we can take it
    /// away, and we pay for each check of it.
    pub(crate) const fn between_checks(self) -> Duration {
        match self {
            Self::AwsKms => BETWEEN_CHECKS,
            Self::Managed => BETWEEN_VALIDATIONS,
        }
    }
}

/// A part of the index of due vaults. A vault never changes its partition. All partitions are about the same size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DuePartition(u8);

impl DuePartition {
    /// The number of partitions, and so the most shards that a Region can have (docs/sweep-at-scale.md). It never
    /// changes, because records are stored under it.
    const COUNT: u16 = u8::MAX as u16 + 1;

    /// The partition of a vault, from the last two digits of its id, which are random.
    pub fn of(vault_id: &VaultId) -> Self {
        let partition = vault_id.last_two_digits().checked_rem(usize::from(Self::COUNT));
        Self(partition.and_then(|place| u8::try_from(place).ok()).unwrap_or_default())
    }

    /// The partitions of shard number `shard` of `shards`. Each partition is in exactly one shard.
    pub fn of_shard(shard: u32, shards: u32) -> Vec<Self> {
        (0..=u8::MAX)
            .filter(|partition| u32::from(*partition).checked_rem(shards) == Some(shard))
            .map(Self)
            .collect()
    }
}

impl fmt::Display for DuePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records are stored under this text, so it never changes.
    #[test]
    fn a_partition_is_written_with_three_digits() {
        assert_eq!(
            [0, 7, 255].map(|number| DuePartition(number).to_string()),
            ["000", "007", "255"]
        );
    }

    #[test]
    fn every_vault_is_in_one_partition_and_every_partition_in_one_shard() {
        let mut vaults = [0_u32; 256];
        for _ in 0..40_000 {
            vaults[usize::from(DuePartition::of(&VaultId::generate()).0)] += 1;
        }
        assert!(vaults.iter().all(|&count| count > 80), "{vaults:?}");
        for shards in 1..=20 {
            let mut all: Vec<_> = (0..shards)
                .flat_map(|shard| DuePartition::of_shard(shard, shards))
                .collect();
            all.sort();
            assert_eq!(all, (0..=255).map(DuePartition).collect::<Vec<_>>(), "{shards} shards");
        }
        assert!(DuePartition::of_shard(0, 0).is_empty());
    }
}
