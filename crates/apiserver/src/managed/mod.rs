//! Who manages which fields: `metadata.managedFields`, and server-side apply, which decides by it. The rules are
//! those of upstream's structured-merge-diff.
//!
//! A manager has the fields that it set. Whoever changes a field otherwise than by applying has it alone from then
//! on; who applies shares the fields that already have the wanted value, is refused where another's would change,
//! and loses from the object what it no longer applies.

mod applied;
mod apply;
mod compare;
mod conflict;
mod element;
mod entry;
mod made;
mod merge;
mod prune;
mod resets;
pub(crate) mod scale;
mod set;
mod typed;
mod update;
mod versions;

pub(crate) use self::update::Writer;

use serde_json::Value;

use self::{entry::Managed, versions::Versions};
use crate::{
    http::route::Subresource,
    kinds::{Kind, Kinds},
};

/// The list of managers that somebody sent, as text.
pub(crate) fn sent(list: Option<&Value>) -> Option<String> {
    Managed::decode(list?).ok()?.write()
}

/// Whether two lists of managers, as text, differ in nothing but when they wrote.
pub(crate) fn differ_in_times_at_most(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || {
        let timeless = |list| {
            let mut managed = Managed::stored(list);
            managed.0.iter_mut().for_each(|entry| entry.time = None);
            managed
        };
        timeless(one) == timeless(other)
    }
}

impl<'a> Writer<'a> {
    /// Somebody who writes objects of `kind` under the name `manager`, at the time `now`.
    pub(crate) fn new(
        kinds: &'a Kinds,
        kind: &'a Kind,
        subresource: Option<Subresource>,
        manager: &'a str,
        now: &'a str,
    ) -> Self {
        let name = subresource.map_or("", Subresource::word);
        Self { versions: Versions { kinds, kind, subresource }, manager, subresource: name, now }
    }
}

#[cfg(test)]
mod tests;
