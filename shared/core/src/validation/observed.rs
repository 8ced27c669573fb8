//! What a validation means for a vault's health.

use jiff::Timestamp;

use crate::health::observation::{Observation, Scope, after};
use crate::validation::Validation;
use crate::values::DataKeyCacheBound;

impl Observation {
    /// What a whole validation shows that began at `asked_at` and got its last answer at `answered_at`.
    pub fn of_validation(
        validation: &Validation,
        asked_at: Timestamp,
        answered_at: Timestamp,
        bound: DataKeyCacheBound,
    ) -> Self {
        // Until the refusals came, any environment could still have a data key unwrapped. So the bound and the
        // remaining time of sessions count from `answered_at`: the time stated may be later than the real end of
        // access, never earlier.
        let access_ends_by = validation
            .opening_ended
            .map(|sessions_last| after(after(answered_at, sessions_last), bound.duration()));
        Self {
            asked_at,
            scope: Scope::Whole,
            outcome: validation.report.outcome(),
            findings: validation.report.findings(),
            access_ends_by,
        }
    }
}
