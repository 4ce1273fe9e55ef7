//! [`SlotId`]: the number of a slot. In a file of its own because both [`Slots`](crate::slots::Slots) and the
//! structures inside it use it.

/// The number of a slot. It stays the same for as long as the slot's key has an entry.
pub(crate) type SlotId = u32;

/// "No slot", in list links and in the hash index.
pub(crate) const NONE: SlotId = SlotId::MAX;
