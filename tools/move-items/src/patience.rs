//! How long and how often an API that does not answer is asked again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The first pause is drawn from 0 to this. The range of each further pause is twice as wide.
const FIRST: Duration = Duration::from_millis(250);
/// The widest range that a pause is drawn from.
const LONGEST: Duration = Duration::from_secs(20);

/// The patience that is left for one call.
pub struct Patience {
    ends_at: Instant,
    widest: Duration,
}

impl Patience {
    /// Patience for this long.
    pub fn of(time: Duration) -> Self {
        let now = Instant::now();
        Self {
            ends_at: now.checked_add(time).unwrap_or(now),
            widest: FIRST,
        }
    }

    /// Pauses for at least `retry_after`. Jitter is added, so that callers that were refused together do not come back
    /// together. Returns `false` at once if there is no time left.
    pub async fn pause(&mut self, retry_after: Option<Duration>) -> bool {
        let jitter = self.widest.mul_f64(fastrand::f64());
        let pause = retry_after.unwrap_or_default().saturating_add(jitter);
        self.widest = self.widest.saturating_mul(2).min(LONGEST);
        let now = Instant::now();
        if now.checked_add(pause).is_none_or(|then| then >= self.ends_at) {
            return false;
        }
        sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_as_long_as_was_asked_for_and_patience_ends() {
        let began = Instant::now();
        let mut patience = Patience::of(Duration::from_secs(60));
        assert!(patience.pause(Some(Duration::from_secs(7))).await);
        assert!((7..8).contains(&began.elapsed().as_secs()));
        assert!(!patience.pause(Some(Duration::from_secs(60))).await);
        let mut pauses = 0;
        while patience.pause(None).await {
            pauses += 1;
        }
        assert!((5..200).contains(&pauses), "{pauses}");
        assert!(began.elapsed() <= Duration::from_secs(60));
    }
}
