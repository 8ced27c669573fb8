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

/// Every failure's line begins with this.
const START: &[u8] = br#"{"line":"#;

/// Whether a run that was killed may have left `tail` at the end of the failures: whole lines, then a torn one. After a
/// loss of power, some file systems have zeros in place of the last bytes.
pub(crate) fn may_be_left(tail: &[u8]) -> bool {
    let written = tail.iter().rposition(|byte| *byte != 0);
    let written = written.and_then(|last| tail.get(..=last)).unwrap_or_default();
    let mut lines: Vec<&[u8]> = written.split(|byte| *byte == b'\n').collect();
    let torn = lines.pop().unwrap_or_default();
    torn.iter().zip(START).all(|(is, starts)| is == starts)
        && lines
            .into_iter()
            .all(|line| serde_json::from_slice::<FailureLine>(line).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_run_leaves_lines_torn_lines_and_zeros_and_nothing_else() {
        let failure = FailureLine {
            line: 7,
            item_id: None,
            phase: MOVE.to_owned(),
            failure: Failure::new("x", "y"),
        };
        let whole = serde_json::to_string(&failure).expect("JSON") + "\n";
        let two = whole.repeat(2);
        for end in 0..=two.len() {
            assert!(may_be_left(&two.as_bytes()[..end]), "{end}");
            assert!(
                may_be_left(&[&two.as_bytes()[..end], [0; 9].as_slice()].concat()),
                "{end}"
            );
        }
        for other in ["x", "\n", " ", "{}\n", "{\"a\"", "a note\n", "{\"line\":7}\n"] {
            assert!(!may_be_left(other.as_bytes()), "{other}");
            assert!(!may_be_left((whole.clone() + other).as_bytes()), "{other}");
        }
    }
}
