//! [`Backoff`]: how long to stay away after each failure in a row.

use rand::{Rng, rngs::SmallRng};
use tokio::time::Duration;

const FIRST: Duration = Duration::from_millis(800);
const MOST: Duration = Duration::from_secs(30);
/// A watch that lasted for less was not healthy.
const LEAST_HEALTH: Duration = Duration::from_secs(10);

/// Client-go's reflector backoff: 800 ms, doubled up to 30 s; each delay is drawn from one to two times
/// that, so that clients that failed together part.
///
/// It begins again after a healthy interval, which is twice the last delay and at least 10 s. Client-go
/// always asks for two minutes: behind a proxy that cuts every 100 s, it is away a third of the time.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    last: Duration,
    rng: SmallRng,
}

impl Backoff {
    pub(crate) fn new(rng: SmallRng) -> Self {
        Self { base: FIRST, last: Duration::ZERO, rng }
    }

    /// The delay after a failure before which all went well for `healthy`; at least `floor`.
    pub(crate) fn after_failure(&mut self, healthy: Duration, floor: Duration) -> Duration {
        if healthy >= (self.last * 2).max(LEAST_HEALTH) {
            self.base = FIRST;
        }
        self.last = self.base.mul_f64(self.rng.random_range(1.0..2.0));
        self.base = (self.base * 2).min(MOST);
        self.last.max(floor)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const NOT: Duration = Duration::ZERO;

    fn backoff() -> Backoff {
        Backoff::new(SmallRng::seed_from_u64(7))
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
    fn twice_the_last_delay_in_health_is_needed_to_start_again_from_the_first() {
        let mut backoff = backoff();
        let fourth = (0..4).map(|_| backoff.after_failure(NOT, Duration::ZERO)).last().expect("a delay");
        let almost = fourth * 2 - Duration::from_millis(1);
        let fifth = backoff.after_failure(almost, Duration::ZERO);
        assert!(fifth >= FIRST * 16, "{fifth:?}");
        assert!(backoff.after_failure(fifth * 2, Duration::ZERO) < FIRST * 2);
        assert!(backoff.after_failure(LEAST_HEALTH - Duration::from_millis(1), NOT) >= FIRST * 2);
        assert!(backoff.after_failure(LEAST_HEALTH, NOT) < FIRST * 2);
    }

    #[test]
    fn a_delay_is_never_shorter_than_the_server_asked_for() {
        let asked = Duration::from_secs(45);
        assert_eq!(backoff().after_failure(NOT, asked), asked);
    }
}
