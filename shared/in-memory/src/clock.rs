//! A clock that stands still until it is moved.

use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;

use super::lock;
use latchkey_core::ports::{Clock, Moment};

/// Both clocks of a machine, moved by hand.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<Mutex<Moment>>);

impl FakeClock {
    /// A clock that shows `wall`.
    pub fn at(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Moment {
            monotonic: Instant::now(),
            wall,
        })))
    }

    /// Moves both clocks forward.
    pub fn advance(&self, time: Duration) {
        self.advance_monotonic(time);
        self.advance_wall(time);
    }

    /// Moves only the monotonic clock forward, as when the wall clock is set back meanwhile.
    pub fn advance_monotonic(&self, time: Duration) {
        let mut now = lock(&self.0);
        now.monotonic = now.monotonic.checked_add(time).unwrap_or(now.monotonic);
    }

    /// Moves only the wall clock forward, as happens while an execution environment is frozen.
    pub fn advance_wall(&self, time: Duration) {
        let mut now = lock(&self.0);
        now.wall = now.wall.checked_add(time).unwrap_or(now.wall);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        *lock(&self.0)
    }
}
