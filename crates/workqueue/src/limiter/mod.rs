//! Rate limiters: how long a key waits before its next try.
//!
//! Each is a plain value that composes with the others: it takes `now` and returns a delay, and never
//! waits itself. [`default_controller`] is what a [`WorkQueue`](crate::WorkQueue) has unless told otherwise.

mod bucket;
mod exponential;
mod fast_slow;
mod max_of;
mod max_wait;
mod tries;

use std::{hash::Hash, time::Duration};

use tokio::time::Instant;

pub use self::{
    bucket::{BucketConfigError, BucketLimiter},
    exponential::ExponentialLimiter,
    fast_slow::FastSlowLimiter,
    max_of::MaxOfLimiter,
    max_wait::MaxWaitLimiter,
};

/// Decides how long a key waits before it may be tried again.
pub trait RateLimiter<K>: Send {
    /// The delay before this try of the key. Counts as one: asking twice is trying twice.
    fn when(&mut self, key: &K, now: Instant) -> Duration;

    /// Forgets the key's tries: it succeeded, or nobody tries it again.
    fn forget(&mut self, key: &K);

    /// How often the key was tried since it was last forgotten.
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

/// client-go's default for controllers: the longer of 5 ms doubling to 1000 s for each key, and
/// 10 tries a second with bursts of 100 for all keys together.
pub fn default_controller<K: Hash + Eq + Clone + Send + 'static>() -> MaxOfLimiter<K> {
    let per_key = ExponentialLimiter::new(Duration::from_millis(5), Duration::from_secs(1000));
    MaxOfLimiter::new().and(per_key).and(BucketLimiter::default())
}

/// client-go's default per item: 1 ms doubling to 1000 s for each key, without a limit for all together.
pub fn default_item_based<K: Hash + Eq + Clone>() -> ExponentialLimiter<K> {
    ExponentialLimiter::new(Duration::from_millis(1), Duration::from_secs(1000))
}
