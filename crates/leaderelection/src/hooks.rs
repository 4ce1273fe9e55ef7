//! [`Hooks`]: the user's functions that an election calls.

use std::{collections::BTreeMap, sync::Arc};

use crate::event::LeaderEvent;

type OnNewLeader = Arc<dyn Fn(&str) + Send + Sync>;
type OnEvent = Arc<dyn Fn(&LeaderEvent) + Send + Sync>;
type OnRenew = Arc<dyn Fn() -> BTreeMap<String, String> + Send + Sync>;

/// The user's functions; each is called outside of every lock.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_new_leader: Option<OnNewLeader>,
    pub(crate) on_event: Option<OnEvent>,
    pub(crate) on_renew: Option<OnRenew>,
}

impl Hooks {
    pub(crate) fn new_leader(&self, holder: &str) {
        if let Some(called) = &self.on_new_leader {
            called(holder);
        }
    }

    /// Calls `on_event`, with an event that is made only for it.
    pub(crate) fn event(&self, event: impl FnOnce() -> LeaderEvent) {
        if let Some(called) = &self.on_event {
            called(&event());
        }
    }

    /// Returns the annotations of the next write.
    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        self.on_renew.as_ref().map(|called| called()).unwrap_or_default()
    }
}
