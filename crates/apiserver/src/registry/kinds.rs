//! [`Kinds`]: the kinds that a server serves.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;

use super::Kind;

/// All served kinds; custom ones come and go.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// By group, then version, then plural name.
    served: RwLock<BTreeMap<(String, String, String), Arc<Kind>>>,
}

impl Kinds {
    /// Returns the kind that a path names.
    pub(crate) fn get(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.served.read().get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
    }

    /// The kind of objects that call themselves `kind` of `api_version`, such as `apps/v1`.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let served = self.served.read();
        served
            .values()
            .find(|served| (&*served.group, &*served.version, &*served.kind) == (group, version, kind))
            .cloned()
    }

    /// All kinds, ordered by group, version and plural name.
    pub(crate) fn all(&self) -> Vec<Arc<Kind>> {
        self.served.read().values().cloned().collect()
    }

    /// Serves `kind`, in place of an earlier one of the same path.
    pub(crate) fn insert(&self, kind: Kind) {
        let path = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        self.served.write().insert(path, Arc::new(kind));
    }

    /// Serves `kinds`, and no other versions of `plural` of `group`, from one moment to the next.
    pub(crate) fn replace(&self, group: &str, plural: &str, kinds: Vec<Kind>) {
        let mut served = self.served.write();
        let path = |kind: &Kind| (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        let kinds = kinds.into_iter().map(|kind| {
            let before = served.get(&path(&kind));
            let same = before.filter(|before| before.source() == kind.source());
            let schema_since = same.map_or(kind.schema_since, |before| before.schema_since);
            (path(&kind), Arc::new(Kind { schema_since, ..kind }))
        });
        let kinds: Vec<_> = kinds.collect();
        served.retain(|(g, _, p), kind| g != group || p != plural || !kind.is_custom());
        served.extend(kinds);
    }

    /// Stops serving `plural` of `group` in every version.
    pub(crate) fn remove(&self, group: &str, plural: &str) {
        self.replace(group, plural, Vec::new());
    }
}

#[cfg(test)]
mod types_tests;
