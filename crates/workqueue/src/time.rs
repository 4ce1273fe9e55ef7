//! [`Time`]: a point in time for the rules, and [`Clock`], which makes one from tokio's time.
//!
//! Not tokio's `Instant`, because the rules are plain values and a `Time` takes half the memory.

use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds since the queue was created. Saturates after 584 years instead of overflowing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    pub(crate) const ZERO: Self = Self(0);
    /// The latest time. Delays beyond it end at it.
    pub(crate) const MAX: Self = Self(u64::MAX);

    pub(crate) fn after(self, delay: Duration) -> Self {
        let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(delay))
    }

    /// Returns the number of the 2.1 ms window that this time is in.
    pub(crate) fn window(self) -> u64 {
        self.0 >> 21
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.span(earlier).into()
    }

    pub(crate) fn span(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds between two times. Half as large as a `Duration`; one is returned with every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(u64);

impl Span {
    pub(crate) const ZERO: Self = Self(0);
}

impl From<Span> for Duration {
    fn from(Span(nanoseconds): Span) -> Self {
        Self::from_nanos(nanoseconds)
    }
}

/// The origin of the [`Time`]s of one queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn starting_now() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Time {
        Time::ZERO.after(Instant::now().saturating_duration_since(self.start))
    }

    /// Converts `time` to an instant. If the platform has no instant so late, the result is decades ahead.
    pub(crate) fn instant(self, time: Time) -> Instant {
        const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        self.start.checked_add(time.since(Time::ZERO)).unwrap_or_else(|| Instant::now() + DECADES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_past_the_end_of_time_saturates() {
        assert_eq!(Time(7).after(Duration::MAX), Time::MAX);
        assert_eq!(Time::MAX.after(Duration::from_nanos(1)), Time::MAX);
        assert_eq!(Time(7).since(Time(9)), Duration::ZERO);
        let clock = Clock::starting_now();
        assert!(clock.instant(Time::MAX) > Instant::now() + Duration::from_secs(3600));
    }
}
