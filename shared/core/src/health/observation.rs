//! What a check, or a live call, has learnt of a vault's key and role.

use core::time::Duration;

use jiff::Timestamp;

use crate::findings::{CheckOutcome, Finding, Report, Verdict};
use crate::values::Region;

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

impl Report {
    /// What it comes to for the vault's health. Whatever was answered counts for more than what was not.
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
