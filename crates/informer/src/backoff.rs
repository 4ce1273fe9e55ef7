//! [`Backoff`]: the delay after each of several consecutive failures.

use rand::{Rng, rngs::SmallRng};
use tokio::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
/// The largest base by default, as client-go's.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);
/// The shortest healthy interval that resets the backoff.
const SHORTEST_HEALTH: Duration = Duration::from_secs(10);

/// client-go's reflector backoff: 800 ms, doubled up to a limit. Each delay is drawn from one to two times that
/// value, so that clients that failed together do not return together.
///
/// A healthy interval of twice the last delay, and of at least 10 s, resets the backoff. client-go always
/// requires two minutes: behind a proxy that cuts connections every 100 s, it is disconnected a third of the time.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    longest: Duration,
    last: Duration,
    rng: SmallRng,
}

impl Backoff {
    /// `longest` is the largest base.
    pub(crate) fn new(longest: Duration, rng: SmallRng) -> Self {
        Self { base: FIRST.min(longest), longest, last: Duration::ZERO, rng }
    }

    /// Returns the delay after a failure that followed a healthy interval of `healthy`; at least `floor`.
    pub(crate) fn after_failure(&mut self, healthy: Duration, floor: Duration) -> Duration {
        if healthy >= (self.last * 2).max(SHORTEST_HEALTH) {
            self.base = FIRST.min(self.longest);
        }
        self.last = self.base.mul_f64(self.rng.random_range(1.0..2.0));
        self.base = (self.base * 2).min(self.longest);
        self.last.max(floor)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const NOT: Duration = Duration::ZERO;

    fn backoff() -> Backoff {
        Backoff::new(LONGEST, SmallRng::seed_from_u64(7))
    }

    /// RE-T10 and RE-T11.
    #[test]
    fn delays_double_up_to_the_limit_and_are_jittered() {
        let mut backoff = backoff();
        for base in [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000] {
            let delay = backoff.after_failure(NOT, Duration::ZERO);
            let base = Duration::from_millis(base);
            assert!(delay >= base && delay < base * 2, "{delay:?} for {base:?}");
        }
    }

    #[test]
    fn a_lower_limit_holds_from_the_first_delay_and_after_a_reset() {
        let longest = Duration::from_millis(500);
        let mut backoff = Backoff::new(longest, SmallRng::seed_from_u64(7));
        for healthy in [NOT, NOT, NOT, SHORTEST_HEALTH] {
            let delay = backoff.after_failure(healthy, Duration::ZERO);
            assert!(delay >= longest && delay < longest * 2, "{delay:?}");
        }
    }

    #[test]
    fn twice_the_last_delay_in_health_is_needed_to_start_again_from_the_first() {
        let mut backoff = backoff();
        let fourth = (0..4).map(|_| backoff.after_failure(NOT, Duration::ZERO)).last().expect("a delay");
        let almost = fourth * 2 - Duration::from_millis(1);
        let fifth = backoff.after_failure(almost, Duration::ZERO);
        assert!(fifth >= FIRST * 16, "{fifth:?}");
        assert!(backoff.after_failure(fifth * 2, Duration::ZERO) < FIRST * 2);
        assert!(backoff.after_failure(SHORTEST_HEALTH - Duration::from_millis(1), NOT) >= FIRST * 2);
        assert!(backoff.after_failure(SHORTEST_HEALTH, NOT) < FIRST * 2);
    }

    #[test]
    fn a_delay_is_never_shorter_than_the_server_asked_for() {
        let asked = Duration::from_secs(45);
        assert_eq!(backoff().after_failure(NOT, asked), asked);
    }
}
