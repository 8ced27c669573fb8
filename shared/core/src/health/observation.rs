//! What a check, or a live call, has learnt of a vault's key and role.

use core::time::Duration;

use jiff::Timestamp;

use super::Finding;
use crate::region::Region;
use crate::validation::Validation;
use crate::vault::DataKeyCacheBound;

/// Something learnt of a vault's key and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// A moment before anything was asked: of two observations, the one that asked later is the newer.
    pub asked_at: Timestamp,
    /// How much it speaks of.
    pub scope: Scope,
    /// What came of it.
    pub outcome: Outcome,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// When access has ended for good, if this shows that no Region opens data keys any more.
    pub access_ends_by: Option<Timestamp>,
}

/// How much an observation speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: the whole validation.
    Whole,
    /// What the light check looks at: the role, and the key in both Regions.
    Light,
    /// One call of live traffic in one Region.
    LiveCall,
}

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is as it must be.
    Passed,
    /// It works, but something should be changed.
    Warned,
    /// AWS left something unanswered, and refused nothing.
    Unanswered,
    /// Something is refused, or is not as it must be. Final, whatever else was left unanswered.
    Refused,
}

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

    /// What a light check shows that saw nothing new, but may have been left unanswered.
    pub fn of_light_check(unanswered: Vec<Finding>, asked_at: Timestamp) -> Self {
        Self {
            asked_at,
            scope: Scope::Light,
            outcome: if unanswered.is_empty() {
                Outcome::Passed
            } else {
                Outcome::Unanswered
            },
            findings: unanswered,
            access_ends_by: None,
        }
    }

    /// The Region that everything was asked in that AWS left unanswered: the other one is there, and works.
    pub fn silent_region(&self) -> Option<Region> {
        let mut silent = self.findings.iter().filter(|finding| finding.unanswered);
        let region = silent.next()?.region?;
        silent.all(|finding| finding.region == Some(region)).then_some(region)
    }

    /// A refusal that live traffic met. It speaks of one Region, so it does not say that access has ended everywhere.
    pub fn of_live_refusal(finding: Finding, asked_at: Timestamp) -> Self {
        Self {
            asked_at,
            scope: Scope::LiveCall,
            outcome: Outcome::Refused,
            findings: vec![finding],
            access_ends_by: None,
        }
    }
}

pub(super) fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
