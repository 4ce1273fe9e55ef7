//! [`RateLimiter`]: the trait that every limiter implements.

use std::time::Duration;

use tokio::time::Instant;

/// Decides how long a key is delayed before it is processed again.
pub trait RateLimiter<K>: Send {
    /// Returns the delay of the key, and counts a failure: the next call may return a longer delay.
    fn when(&mut self, key: &K, now: Instant) -> Duration;

    /// Forgets the failures of the key: it succeeded or was given up.
    fn forget(&mut self, key: &K);

    /// Returns the number of failures since the last `forget`.
    fn num_requeues(&self, key: &K) -> u32;
}

impl<K, L: RateLimiter<K> + ?Sized> RateLimiter<K> for Box<L> {
    fn when(&mut self, key: &K, now: Instant) -> Duration {
        (**self).when(key, now)
    }

    fn forget(&mut self, key: &K) {
        (**self).forget(key);
    }

    fn num_requeues(&self, key: &K) -> u32 {
        (**self).num_requeues(key)
    }
}
