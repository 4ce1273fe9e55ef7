//! [`WallClock`]: the wall clock, for comparisons with times that other processes wrote.

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock at its creation, advanced by tokio's clock, which tests can pause.
///
/// For times in objects, such as the moment since which a Pod is ready. A wall clock that is set while the process runs does
/// not move it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use std::time::Duration;
///
/// use trimtab_controller::WallClock;
///
/// let clock = WallClock::starting_now();
/// let begun = clock.now();
/// tokio::time::sleep(Duration::from_secs(3600)).await; // at once, because time is paused here
/// assert_eq!(clock.now().duration_since(begun).as_secs(), 3600);
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    wall: Timestamp,
    since: Instant,
}

impl WallClock {
    /// Returns a clock that shows the present time.
    pub fn starting_now() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// Returns a clock that shows `wall` now. For tests and simulations.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { wall, since: Instant::now() }
    }

    /// Returns the time that the clock shows.
    pub fn now(&self) -> Timestamp {
        self.wall.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
