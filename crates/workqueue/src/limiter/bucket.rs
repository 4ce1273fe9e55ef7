//! [`BucketLimiter`]: so many tries a second for all keys together.

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

use super::RateLimiter;

/// A token bucket that all keys share. Every try takes a token, reserved ahead if need be: the delay is
/// the time until that token is there. A key's success gives nothing back.
pub struct BucketLimiter {
    bucket: governor::RateLimiter<NotKeyed, InMemoryState, Hand, NoOpMiddleware<Nanos>>,
    hand: Hand,
    start: Option<Instant>,
}

impl BucketLimiter {
    /// `qps` tokens a second, `burst` of them at once.
    ///
    /// # Errors
    ///
    /// Refuses a `qps` that is not a positive number, or whose tokens are more than 584 years or less
    /// than a nanosecond apart, and a `burst` of zero.
    pub fn new(qps: f64, burst: u32) -> Result<Self, BucketConfigError> {
        let refuse = |field, value: &dyn fmt::Display| BucketConfigError { field, value: value.to_string() };
        let period = Duration::try_from_secs_f64(1.0 / qps).ok().filter(|_| qps > 0.0);
        let quota = period
            .filter(|period| u64::try_from(period.as_nanos()).is_ok())
            .and_then(Quota::with_period)
            .ok_or_else(|| refuse("qps", &qps))?;
        let burst = NonZeroU32::new(burst).ok_or_else(|| refuse("burst", &burst))?;
        Ok(Self::with_quota(quota.allow_burst(burst)))
    }

    fn with_quota(quota: Quota) -> Self {
        let hand = Hand::default();
        let bucket = governor::RateLimiter::direct_with_clock(quota, hand.clone());
        Self { bucket, hand, start: None }
    }
}

impl Default for BucketLimiter {
    /// client-go's: 10 a second, 100 at once.
    fn default() -> Self {
        let of = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self::with_quota(Quota::per_second(of(10)).allow_burst(of(100)))
    }
}

impl<K> RateLimiter<K> for BucketLimiter {
    fn when(&mut self, _key: &K, now: Instant) -> Duration {
        let start = *self.start.get_or_insert(now);
        let now = Nanos::from(now.saturating_duration_since(start));
        self.hand.point_to(now);
        while let Err(early) = self.bucket.check() {
            // A token that is not there yet: taken all the same, at the moment when it will be. The
            // bucket then stands at that moment, so the next token comes after it.
            self.hand.point_to(early.earliest_possible());
        }
        self.hand.now().saturating_sub(now).into()
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

/// The bucket's clock, which stands still unless it is moved: `now` is an argument here.
#[derive(Debug, Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn point_to(&self, time: Nanos) {
        self.0.store(time.as_u64(), Ordering::Relaxed); // one thread: `when` has the limiter to itself
    }
}

impl Clock for Hand {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Ordering::Relaxed))
    }
}

/// A rate or a burst that no bucket can have; says which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token bucket with {field} = {value} would never give a token")]
pub struct BucketConfigError {
    field: &'static str,
    value: String,
}

impl BucketConfigError {
    /// The refused parameter's name: `qps` or `burst`.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(limiter: &mut BucketLimiter, tries: usize, now: Instant) -> Vec<u128> {
        (0..tries).map(|_| limiter.when(&"any", now).as_millis()).collect()
    }

    /// As client-go's: every try reserves a token, and forgetting gives none back.
    #[test]
    fn a_burst_is_free_and_each_later_try_reserves_the_next_token() {
        let start = Instant::now();
        let mut limiter = BucketLimiter::new(10.0, 3).expect("a valid bucket");
        assert_eq!(delays(&mut limiter, 6, start), [0, 0, 0, 100, 200, 300]);
        assert_eq!(RateLimiter::<&str>::num_requeues(&limiter, &"any"), 0);
        limiter.forget(&"any"); // no token comes back
        assert_eq!(delays(&mut limiter, 1, start), [400]);
        // A second later ten tokens have come: four are spoken for, three stay, the others ran over.
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
        assert_eq!((error.field(), error.to_string().contains("burst = 0")), ("burst", true));
    }
}
