//! [`MaxOfLimiter`]: the longest delay of several limiters.

use std::{fmt, time::Duration};

use tokio::time::Instant;

use super::rate_limiter::RateLimiter;

/// Returns the longest delay of its limiters. Each of them counts the failure.
pub struct MaxOfLimiter<K> {
    limiters: Vec<Box<dyn RateLimiter<K>>>,
}

impl<K> MaxOfLimiter<K> {
    /// Creates an empty limiter, which returns no delay.
    pub fn new() -> Self {
        Self { limiters: Vec::new() }
    }

    /// Adds a limiter.
    #[must_use]
    pub fn and(mut self, limiter: impl RateLimiter<K> + 'static) -> Self {
        self.limiters.push(Box::new(limiter));
        self
    }
}

impl<K> Default for MaxOfLimiter<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for MaxOfLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxOfLimiter").field("limiters", &self.limiters.len()).finish()
    }
}

impl<K> RateLimiter<K> for MaxOfLimiter<K> {
    fn when(&mut self, key: &K, now: Instant) -> Duration {
        let delays = self.limiters.iter_mut().map(|limiter| limiter.when(key, now));
        delays.max().unwrap_or_default()
    }

    fn forget(&mut self, key: &K) {
        self.limiters.iter_mut().for_each(|limiter| limiter.forget(key));
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.limiters.iter().map(|limiter| limiter.num_requeues(key)).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limiter::{ExponentialLimiter, FastSlowLimiter};

    /// RL-T4.
    #[test]
    fn the_longest_delay_wins_and_every_limiter_counts() {
        let now = Instant::now();
        let [ms, second] = [Duration::from_millis(1), Duration::from_secs(1)];
        let mut limiter = MaxOfLimiter::new()
            .and(FastSlowLimiter::new(5 * ms, 3 * second, 3))
            .and(ExponentialLimiter::new(ms, second));
        let delays: Vec<_> = (0..5).map(|_| limiter.when(&"one", now)).collect();
        assert_eq!(delays, [5 * ms, 5 * ms, 5 * ms, 3 * second, 3 * second]);
        assert_eq!(limiter.num_requeues(&"one"), 5);
        assert_eq!(limiter.when(&"two", now), 5 * ms);

        limiter.forget(&"one");
        assert_eq!(limiter.num_requeues(&"one"), 0);
        assert_eq!(limiter.when(&"one", now), 5 * ms);
    }
}
