//! How much time the work under way has left.
//!
//! A request's deadline is divided on the way down: each step gives what it starts a part of what it was given itself. The
//! task carries what is left, so that the clients at the bottom set their timeouts by it without every port naming it.

use core::future::Future;
use core::time::Duration;

use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// The time was over before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Does `work` within `patience`, and within what is left to whoever asks for it.
///
/// # Errors
/// [`Elapsed`] when the time is over first; the work is dropped then.
pub async fn within<F: Future>(patience: Duration, work: F) -> Result<F::Output, Elapsed> {
    let patience = time_left().map_or(patience, |left| left.min(patience));
    let now = Instant::now();
    let deadline = now.checked_add(patience).unwrap_or(now);
    // Boxed: this future would be three times the size of `work`, and limits stand within limits.
    timeout_at(deadline, DEADLINE.scope(deadline, Box::pin(work)))
        .await
        .map_err(|_| Elapsed)
}

/// What is left to the work under way; `None` outside of [`within`].
pub fn time_left() -> Option<Duration> {
    DEADLINE
        .try_with(|deadline| deadline.saturating_duration_since(Instant::now()))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_started_has_no_more_time_than_who_starts_it() {
        assert_eq!(time_left(), None);
        let left = within(Duration::from_secs(4), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let inner = within(Duration::from_secs(60), async { time_left() }).await;
            let shorter = within(Duration::from_secs(2), async { time_left() }).await;
            (inner, shorter, time_left())
        });
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(left.await, Ok((Ok(seconds(3)), Ok(seconds(2)), seconds(3))));
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_time_is_over_the_work_is_too() {
        let start = Instant::now();
        let never = within(
            Duration::from_secs(2),
            within(Duration::from_secs(60), core::future::pending::<()>()),
        );
        assert!(matches!(never.await, Err(Elapsed) | Ok(Err(Elapsed))));
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}
