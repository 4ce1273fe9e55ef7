//! Names for common priorities.

/// For work that can wait: an initial list, a resync.
pub const LOW: i16 = -100;
/// The default priority of every add.
pub const NORMAL: i16 = 0;
/// For work that a user waits for.
pub const HIGH: i16 = 100;
