//! [`Selection`]: which objects of a kind an informer follows.

use std::collections::BTreeSet;

use trimtab_cache::Selector;

use crate::Shard;

/// Which objects of a kind an informer follows: by default all. The server does the selecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// All of them if it is empty.
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) labels: Selector,
    pub(crate) fields: Option<String>,
    pub(crate) shard: Option<Shard>,
}

impl Selection {
    /// All objects, of every namespace.
    pub fn all() -> Self {
        Self { namespaces: BTreeSet::new(), labels: Selector::everything(), fields: None, shard: None }
    }

    /// Only the objects of one namespace; all if `namespace` is empty.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.namespaces([namespace])
    }

    /// Only the objects of these namespaces; all if there is none. Each is listed and watched by itself:
    /// where one is forbidden, the others are followed, and [`Status::sources`](crate::Status::sources)
    /// says which is not.
    #[must_use]
    pub fn namespaces<'a>(mut self, namespaces: impl IntoIterator<Item = &'a str>) -> Self {
        let named = namespaces.into_iter().filter(|name| !name.is_empty());
        self.namespaces = named.map(str::to_owned).collect();
        self
    }

    /// Only the objects with matching labels.
    #[must_use]
    pub fn labels(mut self, selector: Selector) -> Self {
        self.labels = selector;
        self
    }

    /// Only the objects with matching fields, as in `spec.nodeName=node-1`; the server says which
    /// fields of a kind it knows.
    #[must_use]
    pub fn fields(mut self, selector: &str) -> Self {
        self.fields = (!selector.is_empty()).then(|| selector.to_owned());
        self
    }

    /// Only a share of the objects, for one of several replicas that have them all between them.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::all()
    }
}
