//! What a check, or a live call, has learnt about a vault's key and role.

use core::time::Duration;

use jiff::Timestamp;

use crate::findings::{CheckOutcome, Finding, Report, Verdict};
use crate::values::Region;

/// Something learnt about a vault's key and role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// A moment before anything was asked. Of two observations, the one that asked later is the newer.
    pub asked_at: Timestamp,
    /// How much it covers.
    pub scope: Scope,
    /// The outcome.
    pub outcome: Outcome,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// When access ends for good, if this shows that no Region opens data keys any more.
    pub access_ends_by: Option<Timestamp>,
}

/// How much an observation covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: the whole validation.
    Whole,
    /// What the light check looks at: the role, and the key in both Regions.
    Light,
    /// One call of live traffic in one Region.
    LiveCall,
}

/// The outcome of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it must be.
    Passed,
    /// It works, but something should be changed.
    Warned,
    /// AWS left something unanswered, and refused nothing.
    Unanswered,
    /// Something is refused or is not as it must be. This is final, whatever else was left unanswered.
    Refused,
}

impl Observation {
    /// A light check that saw nothing new, and in which AWS may have left calls unanswered.
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

    /// The Region of all unanswered calls, if there is only one. The other Region then answers.
    pub fn silent_region(&self) -> Option<Region> {
        let mut silent = self.findings.iter().filter(|finding| finding.unanswered);
        let region = silent.next()?.region?;
        silent.all(|finding| finding.region == Some(region)).then_some(region)
    }

    /// A refusal that live traffic met. It covers one Region, so it does not say that access has ended everywhere.
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

impl Report {
    /// What the report means for the vault's health. A refusal counts for more than a missing answer.
    pub fn outcome(&self) -> Outcome {
        let any = |found: fn(&CheckOutcome) -> bool| self.checks.iter().any(found);
        if any(|outcome| outcome.verdict == Verdict::Fail && !outcome.unanswered) {
            Outcome::Refused
        } else if any(|outcome| outcome.verdict == Verdict::Fail) {
            Outcome::Unanswered
        } else if any(|outcome| outcome.verdict == Verdict::Warn) {
            Outcome::Warned
        } else {
            Outcome::Passed
        }
    }
}

pub(crate) fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
