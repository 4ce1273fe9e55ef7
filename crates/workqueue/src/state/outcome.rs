//! The options of an add, and the results of the steps on the state.

use crate::{
    ready::GroupHash,
    slot_id::SlotId,
    slots::Phase,
    time::{Span, Time},
};

/// The options of an add.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddParams {
    pub(crate) priority: i16,
    /// The due time, if delayed. A time in the past means now.
    pub(crate) due: Option<Time>,
    pub(crate) group: GroupHash,
}

/// The result of an add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// The key has a new slot.
    New,
    /// The key had a slot already.
    Existing,
    /// The queue is shutting down.
    Refused,
}

/// A key that a worker takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<K> {
    pub(crate) slot: SlotId,
    pub(crate) key: K,
    pub(crate) priority: i16,
    /// The time that the key was ready for; zero if times are not recorded.
    pub(crate) waited: Span,
}

/// The result of a take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Take<K> {
    Key(Taken<K>),
    /// No key is ready.
    Wait,
    /// No key is ready, and none will be.
    ShutDown,
}

/// The result of `done`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done<K> {
    /// The key of the slot, if the slot was removed.
    pub(crate) removed: Option<K>,
    /// The time that the worker held the key; zero if times are not recorded.
    pub(crate) worked: Span,
}

/// The state of a key, as [`State::key_states`] returns it.
#[derive(Debug)]
pub(crate) struct KeyState<K> {
    pub(crate) key: K,
    pub(crate) phase: Phase,
    pub(crate) priority: i16,
    /// The time since which it is ready or processing, if times are recorded.
    pub(crate) since: Option<Time>,
    pub(crate) due: Option<Time>,
}

/// Counters for the metrics, read before and after each step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) adds: u64,
    pub(crate) depth: usize,
}
