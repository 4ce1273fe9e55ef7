//! [`Slot`]: the byte that a gate's value is read from.

use std::fmt;

use crate::sync::{AtomicU8, Ordering};

const ENABLED: u8 = 1;
/// The gate was not read since its value was first known or another version was emulated.
const UNREAD: u8 = 2;
/// A test's scope is active: the value may be different on this thread.
const SCOPED: u8 = 4;

/// The byte of one gate. 0 or 1 is the gate's value; any other value leads to the slow path.
///
/// Only the registry, under its lock, changes `ENABLED` and `SCOPED` and sets `UNREAD`. Readers clear
/// `UNREAD`. All changes are single read-modify-write operations.
#[doc(hidden)]
pub struct Slot(AtomicU8);

/// The value of a slot at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotValue(u8);

impl SlotValue {
    pub(crate) fn enabled(self) -> bool {
        self.0 & ENABLED != 0
    }

    pub(crate) fn was_unread(self) -> bool {
        self.0 & UNREAD != 0
    }
}

impl Slot {
    /// Returns a slot of a set that has no registry yet: its value is not known.
    #[cfg(not(all(test, trimtab_loom)))]
    #[doc(hidden)]
    pub const fn unknown() -> Self {
        Self(AtomicU8::new(UNREAD))
    }

    pub(crate) fn new(enabled: bool) -> Self {
        Self(AtomicU8::new(UNREAD | u8::from(enabled)))
    }

    /// Returns the value, if a single load is enough.
    #[inline]
    pub(crate) fn fast(&self) -> Option<bool> {
        // Acquire: pairs with the release in `set` and `reset`, so that a reader that sees a gate on also
        // sees everything done before it was set.
        let byte = self.0.load(Ordering::Acquire);
        (byte <= ENABLED).then_some(byte == ENABLED)
    }

    /// Records a read. The caller must use the returned value: an emulation may have changed an earlier
    /// loaded value in between, found the gate unread and so not warned. Modelled by
    /// `loom_tests::a_read_is_recorded_or_sees_the_new_version`.
    pub(crate) fn read(&self) -> SlotValue {
        SlotValue(self.0.fetch_and(!UNREAD, Ordering::AcqRel))
    }

    /// Sets the value. Whether the gate was read stays recorded.
    pub(crate) fn set(&self, enabled: bool) {
        if enabled {
            self.0.fetch_or(ENABLED, Ordering::Release);
        } else {
            self.0.fetch_and(!ENABLED, Ordering::Release);
        }
    }

    /// Sets the value at another version, where the gate is unread. Returns the previous value.
    pub(crate) fn reset(&self, enabled: bool, scoped: bool) -> SlotValue {
        let byte = UNREAD | u8::from(enabled) | if scoped { SCOPED } else { 0 };
        SlotValue(self.0.swap(byte, Ordering::AcqRel))
    }

    /// Sets whether readers must look for a test's scope. Relaxed: the thread or task in the scope entered it
    /// after this, in program order or because it received the future.
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
    fn an_active_scope_leads_every_read_to_the_slow_path() {
        let slot = Slot::new(true);
        slot.read();
        slot.set_scoped(true);
        assert_eq!(slot.fast(), None);
        assert!(slot.read().enabled());
        slot.set_scoped(false);
        assert_eq!(slot.fast(), Some(true));
    }
}
