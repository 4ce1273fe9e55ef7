//! The remaining time of a wait. Saturates, so that `Duration::MAX` means forever.

use std::time::Duration;

use tokio::time::Instant;

/// The default limit of a wait: 5 minutes, upstream's constant.
pub(crate) const TTL: Duration = Duration::from_secs(5 * 60);

/// Returns the time from `now` until a wait that began at `since` is given up; `None` if it is
/// over.
///
/// A wait is over when it is *older* than the time to live. Without the added nanosecond, a task that
/// sleeps for the result would wake up one instant too early and ask again forever in virtual time.
pub(crate) fn remaining(since: Instant, ttl: Duration, now: Instant) -> Option<Duration> {
    let left = ttl.checked_sub(now.saturating_duration_since(since))?;
    Some(left.saturating_add(Duration::from_nanos(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line that it guards: `saturating_add` in `remaining`.
    #[test]
    fn a_time_to_live_of_the_longest_duration_never_ends() {
        let start = Instant::now();
        assert_eq!(remaining(start, Duration::MAX, start), Some(Duration::MAX));
    }
}
