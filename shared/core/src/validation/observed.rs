//! What a validation says of a vault's health.

use jiff::Timestamp;

use crate::health::observation::{Observation, Scope, after};
use crate::validation::Validation;
use crate::values::DataKeyCacheBound;

impl Observation {
    /// What a whole validation shows that began at `asked_at` and had its last answer at `answered_at`.
    pub fn of_validation(
        validation: &Validation,
        asked_at: Timestamp,
        answered_at: Timestamp,
        bound: DataKeyCacheBound,
    ) -> Self {
        // Until the refusals were answered, any environment may have had a data key opened. Counted from then, the bound
        // and what is left of sessions end later than the truth, never earlier.
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
