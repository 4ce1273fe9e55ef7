//! [`Request`]: the argument of a reconcile.

use trimtab_cache::ObjectKey;
use trimtab_workqueue::priority;

use crate::reasons::Reasons;

/// The key of an object that needs work, the number of consecutive failures, and the events that queued the key.
///
/// Requests are level-triggered: the reasons are for logs and for shortcuts that are safe without them. The reconciler
/// reads the present state from the cache; an object that is absent there was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The key of the primary object.
    pub key: ObjectKey,
    /// The number of consecutive failures before this attempt; 0 at first. A success resets it; a reconcile that
    /// [waits](crate::Error::waiting) changes nothing.
    pub attempt: u32,
    /// The events that were merged while the key waited; the controller's own requeue or retry, if there was none.
    pub reasons: Reasons,
    /// The priority with which the key was taken; see [`priority`].
    pub priority: i16,
}

impl Request {
    /// Returns the request of a first attempt, with normal priority and without reasons. For tests that call a
    /// reconciler themselves.
    pub fn new(key: ObjectKey) -> Self {
        Self { key, attempt: 0, reasons: Reasons::default(), priority: priority::NORMAL }
    }

    /// Sets the number of consecutive failures.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the reasons.
    #[must_use]
    pub fn reasons(mut self, reasons: Reasons) -> Self {
        self.reasons = reasons;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_defaults_for_tests() {
        let key = ObjectKey::namespaced("default", "web");
        let expected = Request { key: key.clone(), attempt: 0, reasons: Reasons::default(), priority: 0 };
        assert_eq!(Request::new(key.clone()), expected);
        assert_eq!(Request::new(key).attempt(3), Request { attempt: 3, ..expected });
    }
}
