//! [`Pace`]: the rate of changes, and the clock for their versions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep_until};

/// A rate of events a second, beginning with one of them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    first: u64,
    begun: Instant,
    rate: u64,
}

impl Pace {
    /// Starts the rate: the event `first` is due now.
    pub fn new(first: u64, rate: u64) -> Self {
        Self { first, begun: Instant::now(), rate: rate.max(1) }
    }

    /// Waits until the event is due. Late events are sent at once, because timers have a resolution of a millisecond.
    pub async fn wait_for(&self, event: u64) {
        sleep_until(self.begun + self.after(event)).await;
    }

    fn after(&self, event: u64) -> Duration {
        Duration::from_nanos((event - self.first) * 1_000_000_000 / self.rate)
    }
}

/// Nanoseconds since 1970: a version that is newer than all others and tells the client the time of the event.
pub fn unix_nanos() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_due_at_their_rate_from_the_first_on() {
        let pace = Pace::new(100, 2_000);
        assert_eq!(pace.after(100), Duration::ZERO);
        assert_eq!(pace.after(101), Duration::from_micros(500));
        assert_eq!(pace.after(2_100), Duration::from_secs(1));
    }
}
