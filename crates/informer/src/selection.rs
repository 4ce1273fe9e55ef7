//! [`Selection`]: which objects of a kind an informer follows.

use trimtab_cache::Selector;

/// Which objects of a kind an informer follows: by default all. The server does the selecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Selector,
    pub(crate) fields: Option<String>,
}

impl Selection {
    /// All objects, of every namespace.
    pub fn all() -> Self {
        Self { namespace: None, labels: Selector::everything(), fields: None }
    }

    /// Only the objects of one namespace; all if `namespace` is empty.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
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
}

impl Default for Selection {
    fn default() -> Self {
        Self::all()
    }
}
