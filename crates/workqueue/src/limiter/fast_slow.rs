//! [`FastSlowLimiter`]: a few quick tries, then patient ones.

use std::{hash::Hash, time::Duration};

use tokio::time::Instant;

use super::{RateLimiter, tries::Tries};

/// Delays a key's first tries by `fast` and every later one by `slow`. Each key counts for itself.
#[derive(Debug, Clone)]
pub struct FastSlowLimiter<K> {
    fast: Duration,
    slow: Duration,
    fast_tries: u32,
    tries: Tries<K>,
}

impl<K> FastSlowLimiter<K> {
    /// `fast_tries` tries at `fast`, then `slow`.
    pub fn new(fast: Duration, slow: Duration, fast_tries: u32) -> Self {
        Self { fast, slow, fast_tries, tries: Tries::new() }
    }
}

impl<K: Hash + Eq + Clone + Send> RateLimiter<K> for FastSlowLimiter<K> {
    fn when(&mut self, key: &K, _now: Instant) -> Duration {
        if self.tries.count(key) < self.fast_tries { self.fast } else { self.slow }
    }

    fn forget(&mut self, key: &K) {
        self.tries.forget(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        self.tries.of(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RL-T3.
    #[test]
    fn the_first_tries_are_fast_and_the_others_slow() {
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
