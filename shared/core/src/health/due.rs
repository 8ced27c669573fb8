//! When a vault is to be checked next.

use core::time::Duration;

use jiff::Timestamp;

use super::observation::{Observation, Scope, after};
use super::{Health, HealthState};

/// Between the beginnings of two checks of a vault.
pub const BETWEEN_CHECKS: Duration = Duration::from_secs(60);
/// Between the beginnings of two whole validations of a vault that is as it must be.
pub const BETWEEN_VALIDATIONS: Duration = Duration::from_secs(3600);

/// When a vault is to be checked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The next check, at the earliest.
    pub at: Timestamp,
    /// From when on the next check is the whole validation.
    pub whole_from: Timestamp,
}

impl Due {
    /// The whole validation, at once.
    pub const fn at_once(now: Timestamp) -> Self {
        Self {
            at: now,
            whole_from: now,
        }
    }

    /// For a vault that has just been validated, at its creation.
    pub fn first(observation: &Observation) -> Self {
        Self {
            at: after(observation.asked_at, BETWEEN_CHECKS),
            whole_from: after(observation.asked_at, BETWEEN_VALIDATIONS),
        }
    }

    /// After an observation that has left the vault in `health`.
    #[must_use]
    pub fn after(&self, observation: &Observation, health: &Health) -> Self {
        let next = after(observation.asked_at, BETWEEN_CHECKS);
        match (observation.scope, health.state) {
            // A live call has met something that only the whole validation can explain.
            (Scope::LiveCall, _) => Self::at_once(observation.asked_at),
            // Only the whole validation can clear it: recovery is noticed as fast as failure.
            (_, HealthState::Unusable | HealthState::Unknown) => Self {
                at: next,
                whole_from: next,
            },
            // What was left unanswered is tried again.
            (Scope::Whole, _) if health.unanswered_in_a_row > 0 => Self {
                at: next,
                whole_from: next,
            },
            (Scope::Whole, HealthState::Healthy | HealthState::Degraded) => Self::first(observation),
            (Scope::Description, HealthState::Healthy | HealthState::Degraded) => Self {
                at: next,
                whole_from: self.whole_from,
            },
        }
    }

    /// Whether the check that is due at `now` is the whole validation.
    pub fn is_whole(&self, now: Timestamp) -> bool {
        self.whole_from <= now
    }
}
