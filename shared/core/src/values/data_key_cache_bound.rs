//! How long an unwrapped data key may be held (requirement E2).

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::values::Invalid;

/// The longest time for which an execution environment may hold an unwrapped data key: 0 to 300 whole seconds, 30
/// unless chosen (requirement E2). At 0 nothing is held: each request asks KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataKeyCacheBound(u16);

impl DataKeyCacheBound {
    /// The longest bound, in seconds.
    pub const MAX_SECONDS: u16 = 300;

    /// The longest bound.
    pub const LONGEST: Self = Self(Self::MAX_SECONDS);

    /// Parses a bound in seconds.
    ///
    /// # Errors
    /// [`Invalid`] above [`Self::MAX_SECONDS`].
    pub fn from_seconds(seconds: u64) -> Result<Self, Invalid> {
        u16::try_from(seconds)
            .ok()
            .filter(|&seconds| seconds <= Self::MAX_SECONDS)
            .map(Self)
            .ok_or(Invalid::expected("a whole number of seconds from 0 to 300"))
    }

    /// The bound in seconds.
    pub const fn seconds(self) -> u16 {
        self.0
    }

    /// The bound.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Default for DataKeyCacheBound {
    fn default() -> Self {
        Self(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_bound_ends_at_five_minutes() {
        assert_eq!(
            DataKeyCacheBound::from_seconds(300).map(DataKeyCacheBound::seconds),
            Ok(300)
        );
        assert!(DataKeyCacheBound::from_seconds(301).is_err());
        assert!(DataKeyCacheBound::from_seconds(u64::MAX).is_err());
    }
}
