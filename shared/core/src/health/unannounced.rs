//! The changes of a vault's health that have not been announced yet.
//!
//! A change is put on record by the same write that makes it, and stays there until it has been announced. So it is not
//! lost when a process dies in between.

use crate::health::Health;
use crate::health::changes::HealthChange;
use crate::health::observation::Scope;

/// How many unannounced changes are kept for a vault. They pile up only while the event bus takes none. At the limit, a
/// new change is merged into the newest one; the older ones stay as they are.
const MOST_UNANNOUNCED: usize = 10;

impl Health {
    /// What is to be announced after an observation of this scope has replaced `self` by `next`.
    pub(super) fn unannounced_with(&self, next: &Self, scope: Scope) -> Vec<HealthChange> {
        let mut changes = self.unannounced.clone();
        let unexplained = scope == Scope::LiveCall;
        let differs = self.differs_in_substance_from(next);
        // A change that cannot have been announced yet is updated: live traffic meets one refusal, and the validation
        // right after it finds all of them. A change that a check found stays as it is, because a sweep that died may
        // have announced it.
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

    /// Whether the change is worth announcing. Unanswered calls differ from check to check, so they do not count.
    fn differs_in_substance_from(&self, next: &Self) -> bool {
        let found = |health: &Self| -> Vec<_> {
            let answered = health.findings.iter().filter(|finding| !finding.unanswered);
            answered.map(|finding| (finding.check, finding.region)).collect()
        };
        self.state != next.state || found(self) != found(next)
    }
}
