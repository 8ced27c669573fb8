//! Items that did not move or do not read back, and why: one line each in the file of failures.

use serde::{Deserialize, Serialize};

/// The phase of [`crate::moving`].
pub const MOVE: &str = "move";
/// The phase of [`crate::reading_back`].
pub const READ_BACK: &str = "read_back";

/// An item that did not move, or does not read back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailureLine {
    /// The number of the item's line, counted from 1.
    pub line: u64,
    /// Its id, if the line has one.
    pub item_id: Option<String>,
    /// [`MOVE`] or [`READ_BACK`].
    pub phase: String,
    /// Why.
    #[serde(flatten)]
    pub failure: Failure,
}

/// Why an item did not move, or does not read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The problem's type, as the API or this tool names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in words.
    pub detail: String,
}

impl Failure {
    /// A failure that the tool itself has found.
    pub fn new(kind: &str, detail: &str) -> Self {
        Self {
            kind: format!("urn:latchkey:move-items:{kind}"),
            detail: detail.to_owned(),
        }
    }
}
