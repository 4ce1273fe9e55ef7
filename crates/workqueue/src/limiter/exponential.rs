//! [`ExponentialLimiter`]: the delay of a key doubles with each failure.

use std::{hash::Hash, time::Duration};

use tokio::time::Instant;

use super::{failures::Failures, rate_limiter::RateLimiter};

/// Delays a key by `base × 2^failures`, at most `max`. Failures are counted per key.
#[derive(Debug, Clone)]
pub struct ExponentialLimiter<K> {
    base: Duration,
    max: Duration,
    failures: Failures<K>,
}

impl<K> ExponentialLimiter<K> {
    /// Creates a limiter whose delays start at `base` and double up to `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self { base, max, failures: Failures::new() }
    }
}

impl<K: Hash + Eq + Clone + Send> RateLimiter<K> for ExponentialLimiter<K> {
    fn when(&mut self, key: &K, _now: Instant) -> Duration {
        let factor = 1u128.checked_shl(self.failures.record(key));
        let delay = factor.and_then(|factor| self.base.as_nanos().checked_mul(factor));
        match delay.map(u64::try_from) {
            Some(Ok(nanos)) => Duration::from_nanos(nanos).min(self.max),
            _ => self.max, // more than 584 years
        }
    }

    fn forget(&mut self, key: &K) {
        self.failures.forget(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.failures.of(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// RL-T1.
    #[test]
    fn each_key_doubles_for_itself_until_it_is_forgotten() {
        let now = Instant::now();
        let mut limiter = ExponentialLimiter::new(MS, 1000 * 1000 * MS);
        let delays: Vec<_> = (0..5).map(|_| limiter.when(&"one", now)).collect();
        assert_eq!(delays, [MS, 2 * MS, 4 * MS, 8 * MS, 16 * MS]);
        assert_eq!(limiter.num_requeues(&"one"), 5);

        assert_eq!([limiter.when(&"two", now), limiter.when(&"two", now)], [MS, 2 * MS]);
        assert_eq!(limiter.num_requeues(&"two"), 2);

        limiter.forget(&"one");
        assert_eq!(limiter.num_requeues(&"one"), 0);
        assert_eq!(limiter.when(&"one", now), MS);
    }

    /// RL-T2.
    #[test]
    fn thousands_of_failures_stay_at_the_longest_delay() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        for (base, max, exact) in
            [(MS, Duration::from_secs(1000), (6, 32 * MS)), (minute, 1000 * 60 * minute, (3, 4 * minute))]
        {
            let mut limiter = ExponentialLimiter::new(base, max);
            let delays: Vec<_> = (0..1100).map(|_| limiter.when(&"one", now)).collect();
            assert_eq!(delays[exact.0 - 1], exact.1);
            assert!(delays.is_sorted());
            assert!(delays[30..].iter().all(|&delay| delay == max));
        }
        let mut limiter = ExponentialLimiter::new(Duration::MAX, Duration::MAX);
        assert!((0..9).all(|_| limiter.when(&"one", now) == Duration::MAX));
    }
}
