//! What is known about a vault's key and role (requirements H1, H2).
//!
//! | to find | read |
//! | --- | --- |
//! | what is on record | here |
//! | what a check or a live call has learnt | [`observation`] |
//! | which observation leads to which state | [`transitions`] |
//! | how an observation is put on record | `operations/health_record.rs` |
//! | what is on record of a change | [`changes`] |
//! | which changes have not been announced yet | `unannounced.rs` |
//! | what is announced | [`announcement`](crate::vault::announcement) |
//! | when a vault is checked next | [`due`] |

pub mod changes;
pub mod due;
pub mod observation;
mod state;
pub mod transitions;
mod unannounced;

pub use state::HealthState;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::findings::Finding;
use crate::health::changes::HealthChange;

/// A vault's health, as the last checks left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The state.
    pub state: HealthState,
    /// When the last check began. The findings are from that check, or a light check left them as they were.
    pub checked_at: Timestamp,
    /// Since when the state has been what it is.
    pub since: Timestamp,
    /// What is wrong, and how to fix it. Empty when healthy.
    pub findings: Vec<Finding>,
    /// The latest moment at which any environment can still hold a data key. Present once no Region opens data keys for
    /// us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_by: Option<Timestamp>,
    /// How many checks in a row AWS has left unanswered.
    #[serde(skip)]
    pub unanswered_in_a_row: u32,
    /// The changes that have not been announced yet, the oldest first.
    #[serde(skip)]
    pub unannounced: Vec<HealthChange>,
    /// When a pending deletion of the key was last announced.
    #[serde(skip)]
    pub deletion_announced_at: Option<Timestamp>,
    /// Counts the changes of this record. When two writers change it at the same time, one is told about the conflict.
    #[serde(skip)]
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Check;

    #[test]
    fn what_a_later_version_found_is_read() {
        let health: Health = serde_json::from_str(
            r#"{
                "state": "quarantined",
                "checked_at": "2026-11-23T10:00:00Z",
                "since": "2026-11-23T10:00:00Z",
                "findings": [{"check": "key_not_haunted", "message": "m", "severity": 3}],
                "a_new_field": {}
            }"#,
        )
        .expect("readable");
        assert_eq!(health.state, HealthState::Unknown);
        assert_eq!(health.findings[0].check, Check::Unrecognized);
    }
}
