//! [`BucketLimiter`]: a rate for all keys together.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota,
    clock::Clock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

use super::rate_limiter::RateLimiter;

/// A token bucket that all keys share. Every add takes a token, reserving a future one if none is left: the
/// delay is the time until that token exists. `forget` returns no token.
pub struct BucketLimiter {
    bucket: governor::RateLimiter<NotKeyed, InMemoryState, ManualClock, NoOpMiddleware<Nanos>>,
    clock: ManualClock,
    start: Option<Instant>,
}

impl BucketLimiter {
    /// Creates a bucket that gains `qps` tokens a second and holds at most `burst`.
    ///
    /// # Errors
    ///
    /// If `qps` is not a positive number, if its tokens are more than 584 years or less than a nanosecond
    /// apart, or if `burst` is zero.
    pub fn new(qps: f64, burst: u32) -> Result<Self, BucketConfigError> {
        let refuse = |field, value: &dyn fmt::Display, expected| BucketConfigError {
            field,
            value: value.to_string(),
            expected,
        };
        let period = Duration::try_from_secs_f64(1.0 / qps).ok().filter(|_| qps > 0.0);
        let quota = period
            .filter(|period| u64::try_from(period.as_nanos()).is_ok())
            .and_then(Quota::with_period)
            .ok_or_else(|| {
                refuse("qps", &qps, "it must be positive, and a token period must fit into 1 ns to 584 years")
            })?;
        let burst = NonZeroU32::new(burst).ok_or_else(|| refuse("burst", &burst, "it must be at least 1"))?;
        Ok(Self::with_quota(quota.allow_burst(burst)))
    }

    fn with_quota(quota: Quota) -> Self {
        let clock = ManualClock::default();
        let bucket = governor::RateLimiter::direct_with_clock(quota, clock.clone());
        Self { bucket, clock, start: None }
    }
}

impl Default for BucketLimiter {
    /// client-go's default: 10 tokens a second, at most 100 at once.
    fn default() -> Self {
        let of = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self::with_quota(Quota::per_second(of(10)).allow_burst(of(100)))
    }
}

impl<K> RateLimiter<K> for BucketLimiter {
    fn when(&mut self, _key: &K, now: Instant) -> Duration {
        let start = *self.start.get_or_insert(now);
        let now = Nanos::from(now.saturating_duration_since(start));
        self.clock.set(now);
        while let Err(early) = self.bucket.check() {
            // The token does not exist yet. It is taken at the time when it will exist; the bucket's clock
            // then stands at that time, so the next token comes after it.
            self.clock.set(early.earliest_possible());
        }
        self.clock.now().saturating_sub(now).into()
    }

    fn forget(&mut self, _key: &K) {}

    fn num_requeues(&self, _key: &K) -> u32 {
        0
    }
}

impl fmt::Debug for BucketLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketLimiter").finish_non_exhaustive()
    }
}

/// The clock of the bucket. It moves only when it is set, because `now` is an argument here.
#[derive(Debug, Clone, Default)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn set(&self, time: Nanos) {
        self.0.store(time.as_u64(), Ordering::Relaxed); // Relaxed: one thread at a time, because `when` has the limiter exclusively
    }
}

impl Clock for ManualClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Ordering::Relaxed))
    }
}

/// An invalid rate or burst.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid token bucket: {field} is {value}, but {expected}")]
pub struct BucketConfigError {
    field: &'static str,
    value: String,
    expected: &'static str,
}

impl BucketConfigError {
    /// Returns the name of the invalid parameter: `qps` or `burst`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for BucketConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(limiter: &mut BucketLimiter, tries: usize, now: Instant) -> Vec<u128> {
        (0..tries).map(|_| limiter.when(&"any", now).as_millis()).collect()
    }

    /// As in client-go: every add reserves a token, and `forget` returns none.
    #[test]
    fn a_burst_is_free_and_each_later_add_reserves_the_next_token() {
        let start = Instant::now();
        let mut limiter = BucketLimiter::new(10.0, 3).expect("a valid bucket");
        assert_eq!(delays(&mut limiter, 6, start), [0, 0, 0, 100, 200, 300]);
        assert_eq!(RateLimiter::<&str>::num_requeues(&limiter, &"any"), 0);
        limiter.forget(&"any"); // no token comes back
        assert_eq!(delays(&mut limiter, 1, start), [400]);
        // A second later there are ten new tokens: four are reserved, three stay, and the bucket has no room
        // for the others.
        assert_eq!(delays(&mut limiter, 4, start + Duration::from_secs(1)), [0, 0, 0, 100]);
    }

    #[test]
    fn the_default_is_ten_a_second_after_a_hundred_at_once() {
        let delays = delays(&mut BucketLimiter::default(), 102, Instant::now());
        assert!(delays[..100].iter().all(|&delay| delay == 0));
        assert_eq!(delays[100..], [100, 200]);
    }

    #[test]
    fn impossible_rates_are_refused_by_name() {
        for qps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e12] {
            assert_eq!(BucketLimiter::new(qps, 1).expect_err("no such rate").field(), "qps", "{qps}");
        }
        let error = BucketLimiter::new(10.0, 0).expect_err("no such burst");
        let message = "invalid token bucket: burst is 0, but it must be at least 1";
        assert_eq!((error.field(), &*error.to_string()), ("burst", message));
        assert_eq!(format!("{error:?}"), message);
    }
}
