//! One thing that is wrong, for the people who can mend it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Check;
use crate::values::Region;

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
    /// Since when it has been found by every check that looked for it. Absent in the report of a single validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When KMS deletes the key, if it is scheduled for deletion and KMS states the date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_at: Option<Timestamp>,
    /// Whether it is no more than a call that AWS left unanswered: that says nothing of the customer's set-up.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unanswered: bool,
}
