//! [`Slot`]: the byte in which a gate's value is read.

use std::fmt;

use crate::sync::{AtomicU8, Ordering};

const ENABLED: u8 = 1;
/// Nobody has read the gate since its value was first known or another version was emulated.
const UNREAD: u8 = 2;
/// A test's scope is live: the value may be another one on this thread.
const SCOPED: u8 = 4;

/// One gate's byte. A byte of 0 or 1 is the gate's value; anything more leads to the slow path.
///
/// Only the registry, under its lock, changes `ENABLED` and `SCOPED`, and sets `UNREAD`; readers clear
/// `UNREAD`. All of it in single read-modify-write steps.
#[doc(hidden)]
pub struct Slot(AtomicU8);

/// What a look at a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen(u8);

impl Seen {
    pub(crate) fn enabled(self) -> bool {
        self.0 & ENABLED != 0
    }

    pub(crate) fn was_unread(self) -> bool {
        self.0 & UNREAD != 0
    }
}

impl Slot {
    /// Of a set that no registry has adopted yet: its value is not known.
    #[cfg(not(all(test, trimtab_loom)))]
    #[doc(hidden)]
    pub const fn unknown() -> Self {
        Self(AtomicU8::new(UNREAD))
    }

    pub(crate) fn new(enabled: bool) -> Self {
        Self(AtomicU8::new(UNREAD | u8::from(enabled)))
    }

    /// The value, if one load tells it.
    #[inline]
    pub(crate) fn fast(&self) -> Option<bool> {
        // Acquire: pairs with the release in `set` and `reset`, so that whoever sees a gate on also
        // sees what was made ready before it was set.
        let byte = self.0.load(Ordering::Acquire);
        (byte <= ENABLED).then_some(byte == ENABLED)
    }

    /// Notes that the gate is being read. The value to use is the one returned: a value loaded before
    /// may have been changed in between by an emulation that found the gate unread and so did not warn.
    /// Modelled by `loom_tests::a_read_is_noticed_or_sees_the_new_version`.
    pub(crate) fn read(&self) -> Seen {
        Seen(self.0.fetch_and(!UNREAD, Ordering::AcqRel))
    }

    /// Another value; who has read the gate is kept.
    pub(crate) fn set(&self, enabled: bool) {
        if enabled {
            self.0.fetch_or(ENABLED, Ordering::Release);
        } else {
            self.0.fetch_and(!ENABLED, Ordering::Release);
        }
    }

    /// The value at another version: nobody has read it there. Returns what was there before.
    pub(crate) fn reset(&self, enabled: bool, scoped: bool) -> Seen {
        let byte = UNREAD | u8::from(enabled) | if scoped { SCOPED } else { 0 };
        Seen(self.0.swap(byte, Ordering::AcqRel))
    }

    /// Whether readers must look for a test's scope. Relaxed: the thread or task that is in the scope
    /// got there after this, by program order or by being handed the future.
    pub(crate) fn set_scoped(&self, scoped: bool) {
        if scoped {
            self.0.fetch_or(SCOPED, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!SCOPED, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.0.load(Ordering::Relaxed)).finish()
    }
}

#[cfg(all(test, not(trimtab_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_read_is_slow_and_the_next_are_one_load() {
        let slot = Slot::new(true);
        assert_eq!(slot.fast(), None);
        assert!(slot.read().was_unread());
        assert_eq!(slot.fast(), Some(true));
        slot.set(false);
        assert_eq!(slot.fast(), Some(false), "still read");
        assert!(!slot.reset(true, false).was_unread());
        assert_eq!(slot.fast(), None, "unread at the new version");
    }

    #[test]
    fn a_live_scope_is_the_slow_path_for_everybody() {
        let slot = Slot::new(true);
        slot.read();
        slot.set_scoped(true);
        assert_eq!(slot.fast(), None);
        assert!(slot.read().enabled());
        slot.set_scoped(false);
        assert_eq!(slot.fast(), Some(true));
    }
}
