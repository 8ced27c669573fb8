//! A change of a vault's health, as it is on record until it has been announced.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Finding;
use crate::health::HealthState;

/// A change of a vault's health: another state, or other findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthChange {
    /// The revision of the health that the change made. A vault's later changes have higher revisions.
    pub revision: u64,
    /// When the check that found it began.
    pub changed_at: Timestamp,
    /// The state before.
    pub previous_state: HealthState,
    /// The state after.
    pub state: HealthState,
    /// What is wrong after it.
    pub findings: Vec<Finding>,
    /// See [`Health::access_ends_by`](crate::health::Health::access_ends_by).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_by: Option<Timestamp>,
    /// Whether only live traffic has met it so far. It is not announced before a check has looked at it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unexplained: bool,
}
