//! Placeholder
mod key;
mod object;
mod tombstone;
mod version;

pub use key::{ObjectKey, ParseKeyError};
pub use object::{MetaView, Metadata, Object};
pub use tombstone::{Change, Tombstone};
pub use version::{ParseVersionError, ResourceVersion};
