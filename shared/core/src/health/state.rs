//! The states of a vault's health.

use serde::{Deserialize, Serialize};

/// Whether the key can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Every check passed.
    Healthy,
    /// Items open, but something needs attention, or AWS does not answer in one Region.
    Degraded,
    /// The key or the role refuses us, or is not what it must be. No new item is sealed.
    Unusable,
    /// AWS gave no answer in either Region several times in a row, so nothing is known. A state that a later version
    /// put on record is also read as this.
    #[serde(other)]
    Unknown,
}

impl HealthState {
    /// The state with this name, as the API spells it.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Healthy, Self::Degraded, Self::Unusable, Self::Unknown];
        all.into_iter().find(|state| state.as_str() == text)
    }

    /// The state as the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unusable => "unusable",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_name_in_queries_and_in_json() {
        for (state, name) in [
            (HealthState::Healthy, "healthy"),
            (HealthState::Degraded, "degraded"),
            (HealthState::Unusable, "unusable"),
            (HealthState::Unknown, "unknown"),
        ] {
            assert_eq!(state.as_str(), name);
            assert_eq!(HealthState::parse(name), Some(state));
            assert_eq!(serde_json::to_value(state).expect("JSON"), name);
        }
        assert_eq!(HealthState::parse("quarantined"), None);
    }
}
