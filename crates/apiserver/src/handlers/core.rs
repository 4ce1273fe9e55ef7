//! [`Core`]: the state that the handlers of one server share.

use std::sync::Arc;

use super::{request_log::RequestLog, watches::Watches};
use crate::{
    admission::hooks::Hooks,
    auth::Access,
    registry::{Context, Kind},
    store::Stored,
};

/// The state of one server below its front ends.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) registry: Context,
    pub(crate) access: Access,
    pub(crate) hooks: Hooks,
    pub(crate) watches: Arc<Watches>,
    pub(crate) request_log: RequestLog,
}

impl Core {
    /// Applies the consequences of an object that was written or removed.
    pub(crate) fn after_commit(&self, kind: &Kind, stored: &Stored) {
        self.access.changed(&kind.group);
        self.registry.follow(kind, stored);
    }
}
