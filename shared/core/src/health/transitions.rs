//! The states of health and what leads from one to another: the table of docs/health.md, as one function.

use jiff::Timestamp;

use crate::findings::Finding;
use crate::health::observation::{Observation, Outcome, Scope};
use crate::health::{Health, HealthState};

/// How many checks in a row AWS must leave unanswered before it counts as more than a hiccup.
pub const UNANSWERED_UNTIL_UNKNOWN: u32 = 3;

impl Health {
    /// The health of a new vault, which has just passed its whole validation.
    pub fn first(observation: &Observation) -> Self {
        let unexamined = Self {
            state: HealthState::Healthy,
            checked_at: observation.asked_at,
            since: observation.asked_at,
            findings: Vec::new(),
            access_ends_by: None,
            unanswered_in_a_row: 0,
            unannounced: Vec::new(),
            deletion_announced_at: None,
            revision: 0,
        };
        let first = unexamined.after(observation).unwrap_or(unexamined);
        // The creator sees these findings in the answer, so there is nothing to announce.
        Self {
            unannounced: Vec::new(),
            ..first
        }
    }

    /// The health after an observation. `None` when the observation changes nothing: it is older than the record, it is
    /// a light check of a vault that only a whole validation can clear, or it is a refusal that is already on record.
    #[must_use]
    pub fn after(&self, observation: &Observation) -> Option<Self> {
        if observation.asked_at < self.checked_at {
            return None;
        }
        let next = match (observation.outcome, observation.scope) {
            // When many requests are refused at once, only one of them writes.
            (Outcome::Refused, Scope::LiveCall) if self.state == HealthState::Unusable => return None,
            (Outcome::Refused, _) => self.refused(observation),
            (Outcome::Unanswered, _) => self.unanswered(observation),
            (Outcome::Passed | Outcome::Warned, Scope::Whole) => cleared(observation),
            (Outcome::Passed | Outcome::Warned, Scope::Light | Scope::LiveCall) => self.let_stand()?,
        };
        let health = Self {
            checked_at: observation.asked_at,
            since: if next.state == self.state {
                self.since
            } else {
                observation.asked_at
            },
            state: next.state,
            findings: self.dated(&next.findings, observation.asked_at),
            access_ends_by: next.access_ends_by,
            unanswered_in_a_row: next.unanswered_in_a_row,
            unannounced: Vec::new(),
            deletion_announced_at: self.deletion_announced_at,
            revision: self.revision.saturating_add(1),
        };
        Some(Self {
            unannounced: self.unannounced_with(&health, observation.scope),
            ..health
        })
    }

    /// A refusal takes effect at once.
    fn refused(&self, observation: &Observation) -> Next {
        Next {
            state: HealthState::Unusable,
            findings: observation.findings.clone(),
            // While access is ended, the first time stays. An observation without a time means that some Region still
            // gives access.
            access_ends_by: observation
                .access_ends_by
                .map(|ends_by| self.access_ends_by.unwrap_or(ends_by)),
            unanswered_in_a_row: 0,
        }
    }

    /// A missing answer is not a refusal, and takes no refusal back. If one Region is gone, everything works in the
    /// other.
    fn unanswered(&self, observation: &Observation) -> Next {
        let unanswered_in_a_row = self.unanswered_in_a_row.saturating_add(1);
        let counts = unanswered_in_a_row >= UNANSWERED_UNTIL_UNKNOWN;
        let (state, findings) = if self.state == HealthState::Unusable || !counts {
            (self.state, self.findings.clone())
        } else if observation.silent_region().is_some() {
            (HealthState::Degraded, observation.findings.clone())
        } else {
            (HealthState::Unknown, observation.findings.clone())
        };
        Next {
            state,
            findings,
            access_ends_by: self.access_ends_by,
            unanswered_in_a_row,
        }
    }

    /// The check saw nothing new. That proves little where something was wrong before.
    fn let_stand(&self) -> Option<Next> {
        matches!(self.state, HealthState::Healthy | HealthState::Degraded).then(|| Next {
            state: self.state,
            findings: self.findings.clone(),
            access_ends_by: None,
            unanswered_in_a_row: 0,
        })
    }

    /// The findings, each with the time since when it has been found.
    fn dated(&self, findings: &[Finding], asked_at: Timestamp) -> Vec<Finding> {
        let known_since = |found: &Finding| {
            let same = |known: &&Finding| (known.check, known.region) == (found.check, found.region);
            // Findings in older records have no time of their own, so they get that of the state.
            let known = self.findings.iter().find(same)?;
            Some(known.since.unwrap_or(self.since))
        };
        let dated = |found: &Finding| Finding {
            since: Some(known_since(found).unwrap_or(asked_at)),
            ..found.clone()
        };
        findings.iter().map(dated).collect()
    }
}

/// Everything was checked and works. Recovery is noticed as fast as failure.
fn cleared(observation: &Observation) -> Next {
    Next {
        state: if observation.outcome == Outcome::Warned {
            HealthState::Degraded
        } else {
            HealthState::Healthy
        },
        findings: observation.findings.clone(),
        access_ends_by: None,
        unanswered_in_a_row: 0,
    }
}

/// What an observation decides. The times and the count of changes follow from it.
struct Next {
    state: HealthState,
    findings: Vec<Finding>,
    access_ends_by: Option<Timestamp>,
    unanswered_in_a_row: u32,
}
