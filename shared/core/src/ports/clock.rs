//! The time.

use core::time::Duration;
use std::time::Instant;

use jiff::Timestamp;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// A point in time on two clocks. While an execution environment is frozen, its monotonic clock may stand still, and
/// the wall clock may be set back. Access must never be held for too long, so the clock that shows more time counts.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The monotonic clock.
    pub monotonic: Instant,
    /// The wall clock.
    pub wall: Timestamp,
}

impl Moment {
    /// The time since `earlier`, by the clock that shows more.
    pub fn since(&self, earlier: &Self) -> Duration {
        let wall = Duration::try_from(self.wall.duration_since(earlier.wall)).unwrap_or_default();
        self.monotonic.saturating_duration_since(earlier.monotonic).max(wall)
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment {
            monotonic: Instant::now(),
            wall: Timestamp::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_that_says_longer_is_believed() {
        let start = SystemClock.now();
        let frozen = Moment {
            wall: start.wall + Duration::from_secs(60),
            ..start
        };
        let set_back = Moment {
            monotonic: start.monotonic + Duration::from_secs(60),
            wall: start.wall - Duration::from_secs(3600),
        };
        assert_eq!(frozen.since(&start), Duration::from_secs(60));
        assert_eq!(set_back.since(&start), Duration::from_secs(60));
    }
}
