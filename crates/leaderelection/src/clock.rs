//! [`Clock`]: the local clock by which a token ends and a Lease expires; [`Timer`]: waiting by it.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

/// A clock of this machine that counts time from any fixed moment and never goes back.
///
/// All decisions of an election read one such clock. No wall clock takes part in them.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the time since the clock's fixed moment.
    fn now(&self) -> Duration;

    /// Returns the time that a timer of tokio has to run for this clock to advance by `wait`.
    ///
    /// Default: `wait`. A simulated clock that runs faster or slower than tokio's converts here.
    fn timer(&self, wait: Duration) -> Duration {
        wait
    }
}

/// `CLOCK_BOOTTIME`, which continues while the machine is suspended: the default on Linux and Android.
///
/// tokio's timers stand still during a suspension. So after it, a token is invalid at once if its end has
/// passed; led work is asked to stop within one retry period of running time.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct BootClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Clock for BootClock {
    fn now(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        // Neither is negative: the clock counts from the boot.
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}

/// tokio's clock, which tests can pause and advance: the default where time is paused when the elector is
/// built, and on systems other than Linux and Android.
///
/// Its behaviour during a suspension depends on the system: `std::time::Instant` stops on macOS and continues on
/// Windows.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    origin: Instant,
}

impl TokioClock {
    /// Creates a clock that counts from this moment.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Returns the clock of an elector that was given none.
pub(crate) fn default_clock() -> Arc<dyn Clock> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !is_paused() {
        return Arc::new(BootClock);
    }
    Arc::new(TokioClock::new())
}

/// Returns whether tokio's time stands still while the system's advances, because a test has paused it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_paused() -> bool {
    let (before, start) = (Instant::now(), BootClock.now());
    while BootClock.now() == start {
        std::hint::spin_loop();
    }
    Instant::now() == before
}

/// A moment by the clock of one elector, in nanoseconds; 584 years at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Returns the moment `wait` later, or the last one that can be represented.
    pub(crate) fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(wait)))
    }

    /// Returns the time from `earlier` to this moment; zero if that is the later one.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Saturates. Two operations of 64 bits: a check of a token has few others.
fn nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}

/// A wall clock. Its times label records, and decide nothing.
pub(crate) type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Waits by a clock, with tokio's timers; also has the wall clock.
#[derive(Clone)]
pub(crate) struct Timer {
    clock: Arc<dyn Clock>,
    wall: Option<WallClock>,
}

impl Timer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, wall: None }
    }

    /// With another wall clock than the system's, if there is one.
    pub(crate) fn with_wall_clock(self, wall: Option<WallClock>) -> Self {
        Self { wall, ..self }
    }

    /// The wall clock.
    pub(crate) fn wall(&self) -> Timestamp {
        self.wall.as_ref().map_or_else(Timestamp::now, |wall| wall())
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(nanoseconds(self.clock.now()))
    }

    /// Returns the time that tokio's clock advances by while this one advances by `wait`.
    pub(crate) fn of_tokio(&self, wait: Duration) -> Duration {
        self.clock.timer(wait)
    }

    /// Waits until the clock shows `at`, however tokio's timers run.
    pub(crate) async fn sleep_until(&self, at: Moment) {
        loop {
            let now = self.now();
            if now >= at {
                return;
            }
            sleep(self.clock.timer(at.since(now))).await;
        }
    }

    pub(crate) async fn sleep(&self, wait: Duration) {
        self.sleep_until(self.now().plus(wait)).await;
    }

    /// Returns the output of `future`, or `None` at the end of the time.
    pub(crate) async fn timeout_at<F: Future>(&self, at: Moment, future: F) -> Option<F::Output> {
        tokio::select! {
            biased; // what has ended in time counts, even if the task is polled late
            output = future => Some(output),
            () = self.sleep_until(at) => None,
        }
    }

    /// Returns the output of `future`, or `None` after `wait`.
    pub(crate) async fn timeout<F: Future>(&self, wait: Duration, future: F) -> Option<F::Output> {
        timeout(self.clock.timer(wait), future).await.ok()
    }

    /// `at` as a moment of tokio's clock.
    pub(crate) fn instant(&self, at: Moment) -> Instant {
        let (now, instant) = (self.now(), Instant::now());
        if at < now {
            let ago = self.clock.timer(now.since(at));
            return instant.checked_sub(ago).unwrap_or(instant);
        }
        let wait = self.clock.timer(at.since(now));
        instant.checked_add(wait).unwrap_or(instant + Duration::from_secs(u64::from(u32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn the_default_clock_is_the_boot_clock_unless_a_test_has_paused_time() {
        assert_eq!(format!("{:?}", default_clock()), "BootClock");
        let paused = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let clock = paused.expect("a runtime").block_on(async { default_clock() });
        assert!(format!("{clock:?}").starts_with("TokioClock"));
    }

    #[test]
    fn moments_saturate() {
        let last = Moment(5).plus(Duration::MAX);
        assert_eq!(last, Moment(u64::MAX));
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Moment(5).since(last), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_far_away_is_an_instant_far_away() {
        let timer = Timer::new(default_clock());
        assert!(timer.instant(Moment(u64::MAX)) > Instant::now() + Duration::from_secs(1 << 31));
        let now = Instant::now();
        assert_eq!(timer.instant(timer.now().plus(Duration::from_secs(3))), now + Duration::from_secs(3));
    }
}
