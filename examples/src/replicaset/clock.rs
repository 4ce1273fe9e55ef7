//! [`Clock`]: the wall clock, to be compared with times that other processes wrote.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock at the start, advanced by tokio's clock, which tests can pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    wall: Timestamp,
    since: Instant,
}

impl Clock {
    pub(crate) fn starting_now() -> Self {
        Self::starting_at(Timestamp::now())
    }

    pub(crate) fn starting_at(wall: Timestamp) -> Self {
        Self { wall, since: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.wall.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
