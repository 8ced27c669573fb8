//! What is known of a vault's key and role (requirements H1, H2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::region::Region;
use crate::validation::{Check, Report, Verdict};

/// A vault's health, as the last checks left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The state.
    pub state: HealthState,
    /// When the last check ended.
    pub checked_at: Timestamp,
    /// Since when the state has been what it is.
    pub since: Timestamp,
    /// What is wrong, and how to mend it. Empty when healthy.
    pub findings: Vec<Finding>,
    /// Once the key or role has refused us: the latest moment at which any environment can still hold a data key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_by: Option<Timestamp>,
}

/// Whether the key can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Every check passed.
    Healthy,
    /// Items open, but something needs attention.
    Degraded,
    /// The key or the role refuses us.
    Unusable,
    /// AWS gave no answer, so nothing is known.
    Unknown,
}

/// One thing that is wrong, for the people who can mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// The Region it was found in, where it is a matter of one Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What was found.
    pub message: String,
    /// The exact thing to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Health {
    /// The health that a full validation shows, given what was known before it.
    ///
    /// A failed check that AWS answered makes the vault `unusable`; checks that got no answer at all leave `unknown`
    /// when nothing else failed, for an outage is not a refusal. Warnings make it `degraded`.
    pub fn from_report(report: &Report, checked_at: Timestamp, previous: Option<&Self>) -> Self {
        let verdicts = || report.checks.iter().map(|outcome| outcome.verdict);
        let state = if report
            .checks
            .iter()
            .any(|outcome| outcome.verdict == Verdict::Fail && !outcome.unanswered)
        {
            HealthState::Unusable
        } else if verdicts().any(|verdict| verdict == Verdict::Fail) {
            HealthState::Unknown
        } else if verdicts().any(|verdict| verdict == Verdict::Warn) {
            HealthState::Degraded
        } else {
            HealthState::Healthy
        };
        let since = previous
            .filter(|health| health.state == state)
            .map_or(checked_at, |health| health.since);
        Self {
            state,
            checked_at,
            since,
            findings: report.findings(),
            access_ends_by: None,
        }
    }
}
