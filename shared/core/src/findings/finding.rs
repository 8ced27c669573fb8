//! One thing that is wrong, for the people who can fix it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Check;
use crate::values::Region;

/// One thing that is wrong, for the people who can fix it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it.
    pub check: Check,
    /// The Region it was found in, if it concerns a single Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What was found.
    pub message: String,
    /// The exact thing to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Since when every check that looked for it has found it. Absent in the report of a single validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When KMS deletes the key, if it is scheduled for deletion and KMS states the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_at: Option<Timestamp>,
    /// Whether it is only a call that AWS left unanswered, which says nothing about the customer's set-up.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unanswered: bool,
}
