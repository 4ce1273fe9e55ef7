//! [`Strictness`]: which of its own writes a controller waits for.

/// The kinds of evidence that hold a key back in a [`Ledger`](crate::Ledger).
///
/// Counts and awaited UIDs are upstream's expectations: they stay in force at every strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strictness {
    /// Versions, counts, writes in flight, and writes whose outcome is unknown. The default.
    ///
    /// Only this strictness keeps a write whose reply was lost from being made twice. The controller
    /// must ask [`NotReady::unknown`](crate::NotReady::unknown) and call
    /// [`Ledger::resolve`](crate::Ledger::resolve); otherwise such a key waits for the time to live.
    #[default]
    Strict,
    /// Versions and counts, as upstream's consistency store (KEP-5647) beside its expectations. A write
    /// that ended without a reply is taken for one that did not happen.
    Versions,
    /// Counts alone: upstream's controllers with `StaleControllerConsistencyReplicaSet` and the like off. No version is
    /// recorded, and a write that ended without a reply is taken for one that did not happen.
    Counts,
}
