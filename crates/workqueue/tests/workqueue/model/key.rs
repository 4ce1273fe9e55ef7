//! A key that can run code while its queue is locked: the queue clones keys under its lock.

use std::cell::Cell;

thread_local! {
    static WHILE_LOCKED: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// The name of a group, and a number.
#[derive(Debug, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) &'static str, pub(crate) u8);

#[expect(clippy::non_canonical_clone_impl, reason = "a clone runs code")]
impl Clone for Key {
    fn clone(&self) -> Self {
        if let Some(run) = WHILE_LOCKED.take() {
            run();
        }
        *self
    }
}

/// Sets the code that the next clone runs.
pub(crate) fn on_clone(run: impl FnOnce() + 'static) {
    WHILE_LOCKED.set(Some(Box::new(run)));
}

/// Forgets the code. Returns whether it has run.
pub(crate) fn has_run() -> bool {
    WHILE_LOCKED.take().is_none()
}
