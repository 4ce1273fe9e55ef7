//! [`FastSlowLimiter`]: a few short delays, then long ones.

use std::{hash::Hash, time::Duration};

use tokio::time::Instant;

use super::{failures::Failures, rate_limiter::RateLimiter};

/// Delays the first failures of a key by `fast` and every later one by `slow`. Failures are counted per key.
#[derive(Debug, Clone)]
pub struct FastSlowLimiter<K> {
    fast: Duration,
    slow: Duration,
    max_fast_attempts: u32,
    failures: Failures<K>,
}

impl<K> FastSlowLimiter<K> {
    /// Creates a limiter with `max_fast_attempts` delays of `fast`; all later ones are `slow`.
    pub fn new(fast: Duration, slow: Duration, max_fast_attempts: u32) -> Self {
        Self { fast, slow, max_fast_attempts, failures: Failures::new() }
    }
}

impl<K: Hash + Eq + Clone + Send> RateLimiter<K> for FastSlowLimiter<K> {
    fn when(&mut self, key: &K, _now: Instant) -> Duration {
        if self.failures.record(key) < self.max_fast_attempts { self.fast } else { self.slow }
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

    /// RL-T3.
    #[test]
    fn the_first_failures_are_fast_and_the_others_slow() {
        let now = Instant::now();
        let [fast, slow] = [Duration::from_millis(5), Duration::from_secs(10)];
        let mut limiter = FastSlowLimiter::new(fast, slow, 3);
        let delays: Vec<_> = (0..5).map(|_| limiter.when(&"one", now)).collect();
        assert_eq!(delays, [fast, fast, fast, slow, slow]);
        assert_eq!(limiter.num_requeues(&"one"), 5);
        assert_eq!(limiter.when(&"two", now), fast);

        limiter.forget(&"one");
        assert_eq!(limiter.num_requeues(&"one"), 0);
        assert_eq!(limiter.when(&"one", now), fast);
    }
}
