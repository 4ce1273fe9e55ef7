//! [`Clock`]: the wall clock, to be compared with times that other processes wrote.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock at the start, advanced by tokio's clock, which tests can pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    wall: Timestamp,
    since: Instant,
}

impl Clock {
    pub(super) fn starting_now() -> Self {
        Self { wall: Timestamp::now(), since: Instant::now() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.wall.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
