//! How much time is left for the work under way.
//!
//! Each step gives the work it starts a part of its own time. The deadline travels with the task, so the AWS clients at
//! the bottom can set their timeouts by it and no port needs a parameter for it.

use core::future::Future;
use core::time::Duration;

use tokio::time::{Instant, timeout_at};

tokio::task_local! {
    static DEADLINE: Instant;
}

/// The time ran out before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Runs `work` for at most `patience`, and for no longer than the caller has left.
///
/// # Errors
/// [`Elapsed`] when the time runs out first. `work` is then dropped.
pub async fn within<F: Future>(patience: Duration, work: F) -> Result<F::Output, Elapsed> {
    let patience = time_left().map_or(patience, |left| left.min(patience));
    let now = Instant::now();
    let deadline = now.checked_add(patience).unwrap_or(now);
    // Boxed because limits are nested, and each unboxed level would be three times the size of `work`.
    timeout_at(deadline, DEADLINE.scope(deadline, Box::pin(work)))
        .await
        .map_err(|_| Elapsed)
}

/// The time left for the work under way; `None` outside of [`within`].
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
