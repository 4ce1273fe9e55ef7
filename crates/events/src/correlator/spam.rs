//! [`SpamFilter`]: a token bucket for each source and object (`EventSourceObjectSpamFilter`).

use lru::LruCache;
use tokio::time::Instant;

use super::{aggregate::EventKey, options::CorrelatorOptions};
use crate::record::Recorded;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

#[derive(Debug)]
pub(super) struct SpamFilter {
    buckets: LruCache<EventKey, Bucket>,
    burst: f64,
    /// Tokens a second.
    rate: f64,
    by_reason: bool,
}

impl SpamFilter {
    pub(super) fn new(options: &CorrelatorOptions) -> Self {
        let refill = options.refill.as_secs_f64();
        Self {
            buckets: LruCache::new(options.capacity),
            burst: options.burst.into(),
            rate: if refill > 0.0 { 1.0 / refill } else { f64::INFINITY },
            by_reason: options.spam_by_reason,
        }
    }

    /// Takes a token for the event. Returns `false` if the bucket is empty.
    pub(super) fn takes(&mut self, event: &Recorded, now: Instant) -> bool {
        let full = || Bucket { tokens: self.burst, filled: now };
        let bucket = self.buckets.get_or_insert_mut(EventKey::of_source(event, self.by_reason), full);
        let elapsed = now.duration_since(bucket.filled).as_secs_f64();
        if elapsed > 0.0 {
            bucket.tokens = (bucket.tokens + elapsed * self.rate).min(self.burst);
            bucket.filled = now;
        }
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }
}
