//! [`Selection`]: the objects of a kind that an informer follows.

use std::collections::BTreeSet;

use kube_client::api::ListParams;
use trimtab_cache::{Metadata, Selector, SelectorError};

use crate::shard::Shard;

/// The objects of a kind that an informer follows; by default all. The server selects them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// All namespaces if it is empty.
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) labels: Selector,
    pub(crate) fields: Option<String>,
    pub(crate) shard: Option<Shard>,
}

impl Selection {
    /// Selects all objects of every namespace.
    pub fn all() -> Self {
        Self { namespaces: BTreeSet::new(), labels: Selector::everything(), fields: None, shard: None }
    }

    /// Only the objects of one namespace; the objects of all namespaces if `namespace` is empty.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.namespaces([namespace])
    }

    /// Only the objects of these namespaces; the objects of all namespaces if there are none. Each namespace is
    /// listed and watched separately: if one is forbidden, the informer still follows the others, and
    /// [`Status::sources`](crate::Status::sources) has the state of each.
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

    /// Only the objects with matching fields, as in `spec.nodeName=node-1`. The server decides which fields of
    /// a kind can be selected.
    #[must_use]
    pub fn fields(mut self, selector: &str) -> Self {
        self.fields = (!selector.is_empty()).then(|| selector.to_owned());
        self
    }

    /// Returns whether objects with this metadata are selected. A [field selector](Self::field_selector) may still exclude
    /// them: only the server knows the fields of a kind.
    pub fn may_contain(&self, metadata: &impl Metadata) -> bool {
        let in_namespace = match metadata.namespace() {
            Some(namespace) => self.namespaces.is_empty() || self.namespaces.contains(namespace),
            None => true,
        };
        in_namespace
            && metadata.matches(&self.labels)
            && self.shard.as_ref().is_none_or(|shard| shard.contains(metadata))
    }

    /// Returns the field selector, as it is sent to the server.
    pub fn field_selector(&self) -> Option<&str> {
        self.fields.as_deref()
    }

    /// Only a share of the objects, for one of several replicas that share the work.
    #[must_use]
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }
}

/// Takes the label and the field selector. The other parameters of a list are the informer's to choose.
impl TryFrom<&ListParams> for Selection {
    type Error = SelectorError;

    fn try_from(params: &ListParams) -> Result<Self, SelectorError> {
        let labels = params.label_selector.as_deref().unwrap_or_default().parse()?;
        Ok(Self::all().labels(labels).fields(params.field_selector.as_deref().unwrap_or_default()))
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::all()
    }
}
