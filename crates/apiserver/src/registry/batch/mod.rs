//! The group `batch`.

mod base;
mod cron_job;
mod job;
mod schedule;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![cron_job::kind(), job::kind()]
}
