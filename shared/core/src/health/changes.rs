//! The changes of a vault's health that nobody has been told of yet.
//!
//! A change gets on record by the very write that makes it, and stays there until it has been announced: whoever dies in
//! between, it is not lost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Finding;
use crate::health::observation::Scope;
use crate::health::{Health, HealthState};

/// How many changes of one vault are kept unannounced. They only pile up while the event bus takes none; the oldest are
/// kept apart, the newest become one.
const MOST_UNANNOUNCED: usize = 10;

/// A change of a vault's health: another state, or other findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthChange {
    /// The revision of the health that made it: later changes of a vault have higher ones.
    pub revision: u64,
    /// When the check began that found it.
    pub changed_at: Timestamp,
    /// The state before.
    pub previous_state: HealthState,
    /// The state since.
    pub state: HealthState,
    /// What is wrong since.
    pub findings: Vec<Finding>,
    /// See [`Health::access_ends_by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_by: Option<Timestamp>,
    /// Whether live traffic has met it, and no check has looked at it since. Nobody announces it before one has.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unexplained: bool,
}

impl Health {
    /// What is to be announced once `next` has followed `self`, by an observation of this scope.
    pub(super) fn unannounced_with(&self, next: &Self, scope: Scope) -> Vec<HealthChange> {
        let mut changes = self.unannounced.clone();
        let unexplained = scope == Scope::LiveCall;
        let differs = self.differs_in_substance_from(next);
        // What nobody knows of yet is told as it has turned out: live traffic meets one refusal, and the validation right
        // after it finds all of them. What a check has found, a sweeper that died may have announced as it was.
        let same_state = |last: &mut HealthChange| last.unexplained && last.state == next.state;
        let as_it_turned_out = if differs { changes.pop_if(same_state) } else { None };
        for change in &mut changes {
            change.unexplained &= unexplained;
        }
        if !differs {
            return changes;
        }
        let change = |previous_state| HealthChange {
            revision: next.revision,
            changed_at: next.checked_at,
            previous_state,
            state: next.state,
            findings: next.findings.clone(),
            access_ends_by: next.access_ends_by,
            unexplained,
        };
        if let Some(last) = as_it_turned_out {
            let changed_at = last.changed_at;
            changes.push(HealthChange {
                changed_at,
                ..change(last.previous_state)
            });
        } else {
            let merged = (changes.len() >= MOST_UNANNOUNCED).then(|| changes.pop()).flatten();
            changes.push(change(merged.map_or(self.state, |last| last.previous_state)));
        }
        changes
    }

    /// Whether anybody needs to hear of it. Calls that AWS left unanswered are others each time, so they do not count.
    fn differs_in_substance_from(&self, next: &Self) -> bool {
        let found = |health: &Self| -> Vec<_> {
            let answered = health.findings.iter().filter(|finding| !finding.unanswered);
            answered.map(|finding| (finding.check, finding.region)).collect()
        };
        self.state != next.state || found(self) != found(next)
    }

    /// The findings of `next`, each with the time since when it has been found.
    pub(super) fn dated(&self, findings: &[Finding], asked_at: Timestamp) -> Vec<Finding> {
        let known_since = |found: &Finding| {
            let same = |known: &&Finding| (known.check, known.region) == (found.check, found.region);
            // Records of before findings had a time have that of their state.
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
