//! [`Context`]: the served kinds and their objects, as the rules of kinds read them.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use super::{Kind, Kinds, addresses, custom};
use crate::{
    api::{clock::Clock, random::Random},
    store::{Store, Stored},
};

/// The state of a server that the rules of its kinds depend on.
#[derive(Debug)]
pub(crate) struct Context {
    /// The served kinds.
    pub(crate) kinds: Kinds,
    /// All objects.
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    /// The allocations of Services that are not stored yet. Its lock comes before the store's.
    pub(crate) addresses: addresses::Reserved,
    /// Held while the kinds that are served follow a definition; comes before the store's lock and the kinds'.
    definitions: Mutex<()>,
}

impl Context {
    /// Makes the context of a server that serves the built-in kinds.
    pub(crate) fn new(store: Arc<Store>, clock: Clock, random: Random) -> Self {
        let (addresses, definitions) = Default::default();
        Self { kinds: Kinds::built_in(), store, clock, random, addresses, definitions }
    }

    /// Serves the kinds of a definition that was written or removed. Objects of other kinds change nothing.
    ///
    /// The kinds are those that the definition has now, which may be newer than `stored`: two writers come here in any
    /// order, and the later commit must not be undone by the earlier one.
    pub(crate) fn follow(&self, kind: &Kind, stored: &Stored) {
        if !kind.strategy.is_definition {
            return;
        }
        let _one_at_a_time = self.definitions.lock();
        let object = stored.value();
        let (group, plural) = names(&object);
        match self.store.get(&kind.resource(), &stored.key) {
            Some(present) => self.kinds.replace(group, plural, custom::served(&present.value())),
            None => {
                self.kinds.remove(group, plural);
                let resource = format!("{plural}.{group}");
                if !self.kinds.all().iter().any(|kind| kind.resource() == resource) {
                    self.store.clear(&resource);
                }
            }
        }
    }
}

/// Returns the group and the plural name that a definition is about.
fn names(definition: &Value) -> (&str, &str) {
    let text = |pointer| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/spec/group"), text("/spec/names/plural"))
}
