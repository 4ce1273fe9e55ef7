//! [`MaxWaitLimiter`]: an upper bound for another limiter's delays.

use std::time::Duration;

use tokio::time::Instant;

use super::rate_limiter::RateLimiter;

/// Limits the delays of another limiter to `max`.
#[derive(Debug, Clone)]
pub struct MaxWaitLimiter<L> {
    limiter: L,
    max: Duration,
}

impl<L> MaxWaitLimiter<L> {
    /// Creates a limiter that returns the delays of `limiter`, at most `max`.
    pub fn new(limiter: L, max: Duration) -> Self {
        Self { limiter, max }
    }
}

impl<K, L: RateLimiter<K>> RateLimiter<K> for MaxWaitLimiter<L> {
    fn when(&mut self, key: &K, now: Instant) -> Duration {
        self.limiter.when(key, now).min(self.max)
    }

    fn forget(&mut self, key: &K) {
        self.limiter.forget(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.limiter.num_requeues(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::FastSlowLimiter;

    /// RL-T5.
    #[test]
    fn long_delays_are_cut_and_short_ones_left_alone() {
        let now = Instant::now();
        let [fast, slow] = [Duration::from_millis(5), Duration::from_secs(1000)];
        let mut limiter = MaxWaitLimiter::new(FastSlowLimiter::new(fast, slow, 1), slow / 2);
        assert_eq!([limiter.when(&"one", now), limiter.when(&"one", now)], [fast, slow / 2]);
        assert_eq!(limiter.num_requeues(&"one"), 2);
        limiter.forget(&"one");
        assert_eq!(limiter.when(&"one", now), fast);
    }
}
