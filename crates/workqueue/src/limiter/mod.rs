//! Rate limiters: they decide how long a failed key is delayed.
//!
//! A limiter is a plain value: it takes `now` and returns a delay, and never waits. Limiters can be combined.
//! [`default_controller`] is the default of a [`WorkQueue`](crate::WorkQueue).

mod bucket;
mod exponential;
mod failures;
mod fast_slow;
mod max_of;
mod max_wait;
mod rate_limiter;

use std::{hash::Hash, time::Duration};

pub use self::{
    bucket::{BucketConfigError, BucketLimiter},
    exponential::ExponentialLimiter,
    fast_slow::FastSlowLimiter,
    max_of::MaxOfLimiter,
    max_wait::MaxWaitLimiter,
    rate_limiter::RateLimiter,
};

/// Returns client-go's default for controllers: the longer of 5 ms doubling to 1000 s per key, and 10 a
/// second with bursts of 100 for all keys together.
pub fn default_controller<K: Hash + Eq + Clone + Send + 'static>() -> MaxOfLimiter<K> {
    let per_key = ExponentialLimiter::new(Duration::from_millis(5), Duration::from_secs(1000));
    MaxOfLimiter::new().and(per_key).and(BucketLimiter::default())
}

/// Returns client-go's default per item: 1 ms doubling to 1000 s per key, without a limit for all keys
/// together.
pub fn default_item_based<K: Hash + Eq + Clone>() -> ExponentialLimiter<K> {
    ExponentialLimiter::new(Duration::from_millis(1), Duration::from_secs(1000))
}
