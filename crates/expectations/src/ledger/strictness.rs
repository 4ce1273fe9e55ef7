//! [`Strictness`]: which of its own writes a controller waits for.

/// What holds a key back in a [`Ledger`](crate::Ledger).
///
/// Counts and UIDs that were booked through [`Ledger::expectations`](crate::Ledger::expectations) are the
/// caller's own: they hold a key back as well, except at [`Off`](Self::Off).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Strictness {
    /// Versions that the caches do not show yet, and writes of which nothing is known: those under way,
    /// and those that ended without an answer. The default.
    ///
    /// Only so is a write whose reply got lost not made twice. It takes a controller that asks
    /// [`NotReady::unknown`](crate::NotReady::unknown) and calls [`Ledger::resolve`](crate::Ledger::resolve);
    /// without that, such a key stands still for the time to live.
    #[default]
    Strict,
    /// Versions alone, as in upstream's consistency store: what ended without an answer is taken for
    /// not having happened.
    Versions,
    /// Nothing: every key is ready, and nothing is recorded. It is upstream's store with its gate off.
    ///
    /// Counts and UIDs are still kept, but only who asks them
    /// ([`Expectations::satisfied`](crate::Expectations::satisfied)) hears of them.
    Off,
}
