//! How long an answer takes.

use core::f64::consts::TAU;
use core::time::Duration;
use std::sync::{Arc, Mutex};

use fastrand::Rng;

use super::lock;

/// How long answers take, drawn anew for each call. Clones draw from one sequence.
#[derive(Clone, Debug)]
pub struct Latency {
    median: Duration,
    spread: f64,
    longest: Duration,
    random: Arc<Mutex<Rng>>,
}

impl Latency {
    /// A log-normal latency, as services have it. Half of the calls take at most `median`, a few take much longer, and
    /// none takes longer than `longest`. `spread` is the standard deviation of the logarithm. The same `seed` gives the
    /// same sequence.
    pub fn log_normal(median: Duration, spread: f64, longest: Duration, seed: u64) -> Self {
        Self {
            median,
            spread,
            longest,
            random: Arc::new(Mutex::new(Rng::with_seed(seed))),
        }
    }

    pub(super) fn next(&self) -> Duration {
        let (angle, radius) = {
            let mut random = lock(&self.random);
            (random.f64(), random.f64())
        };
        // The Box-Muller transform: two uniform variates make a normal one.
        let normal = (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos();
        let seconds = self.median.as_secs_f64() * (self.spread * normal).exp();
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(self.longest)
            .min(self.longest)
    }
}

/// A latency that is always the same.
impl From<Duration> for Latency {
    fn from(always: Duration) -> Self {
        Self::log_normal(always, 0.0, always, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(latency: &Latency) -> Vec<Duration> {
        let mut drawn: Vec<_> = (0..10_000).map(|_| latency.next()).collect();
        drawn.sort();
        drawn
    }

    #[test]
    fn half_are_within_the_median_and_few_are_late() {
        let ms = Duration::from_millis;
        let drawn = sorted(&Latency::log_normal(ms(8), 0.7, ms(100), 1));
        assert!((ms(7)..ms(9)).contains(&drawn[5_000]), "{:?}", drawn[5_000]);
        assert!((ms(35)..ms(50)).contains(&drawn[9_900]), "{:?}", drawn[9_900]);
        assert!(drawn[9_999] <= ms(100) && drawn[0] < ms(2));
    }

    #[test]
    fn a_duration_is_always_itself() {
        let drawn = sorted(&Duration::from_millis(20).into());
        assert_eq!(
            (drawn[0], drawn[9_999]),
            (Duration::from_millis(20), Duration::from_millis(20))
        );
    }
}
