//! The group `apps`.

mod base;
mod controller_revision;
mod daemon_set;
mod deployment;
pub(super) mod replica_set;
mod stateful_set;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![
        controller_revision::kind(),
        daemon_set::kind(),
        deployment::kind(),
        replica_set::kind(),
        stateful_set::kind(),
    ]
}
