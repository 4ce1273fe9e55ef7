//! [`Clock`]: what time it is, for records that others wrote with a wall clock of theirs.

use jiff::Timestamp;
use tokio::time::Instant;

/// The wall clock as it was at the start, carried on by tokio's clock, which tests can pause.
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
