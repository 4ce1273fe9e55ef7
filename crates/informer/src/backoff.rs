//! [`Backoff`]: how long to stay away after each failure in a row.

use rand::{Rng, rngs::SmallRng};
use tokio::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(800);
const MOST: Duration = Duration::from_secs(30);
/// After so long without a failure the next one is the first again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// Client-go's reflector backoff: 800 ms, doubled up to 30 s, reset after two quiet minutes; each
/// delay is drawn from one to two times that, so that clients that failed together part.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    /// When the last delay was over.
    ended: Option<Instant>,
    rng: SmallRng,
}

impl Backoff {
    pub(crate) fn new(rng: SmallRng) -> Self {
        Self { base: FIRST, ended: None, rng }
    }

    /// The delay after a failure at `now`, at least `floor`.
    pub(crate) fn after_failure(&mut self, now: Instant, floor: Duration) -> Duration {
        if self.ended.is_some_and(|ended| now >= ended + FORGOTTEN_AFTER) {
            self.base = FIRST;
        }
        let delay = self.base.mul_f64(self.rng.random_range(1.0..2.0)).max(floor);
        self.base = (self.base * 2).min(MOST);
        self.ended = Some(now + delay);
        delay
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(SmallRng::seed_from_u64(7))
    }

    /// RE-T10 and RE-T11.
    #[test]
    fn delays_double_up_to_the_limit_and_are_jittered() {
        let (mut backoff, mut now) = (backoff(), Instant::now());
        for base in [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000] {
            let delay = backoff.after_failure(now, Duration::ZERO);
            let base = Duration::from_millis(base);
            assert!(delay >= base && delay < base * 2, "{delay:?} for {base:?}");
            now += delay;
        }
    }

    #[test]
    fn two_quiet_minutes_are_needed_to_start_again_from_the_first_delay() {
        let mut backoff = backoff();
        let mut now = Instant::now();
        for _ in 0..4 {
            now += backoff.after_failure(now, Duration::ZERO);
        }
        now += FORGOTTEN_AFTER - Duration::from_millis(1);
        let delay = backoff.after_failure(now, Duration::ZERO);
        assert!(delay >= FIRST * 16);
        now += delay + FORGOTTEN_AFTER;
        assert!(backoff.after_failure(now, Duration::ZERO) < FIRST * 2);
    }

    #[test]
    fn a_delay_is_never_shorter_than_the_server_asked_for() {
        let asked = Duration::from_secs(45);
        assert_eq!(backoff().after_failure(Instant::now(), asked), asked);
    }
}
