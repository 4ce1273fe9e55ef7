//! [`Selection`]: the objects of a kind that an informer follows.

use std::{any::type_name, collections::BTreeSet};

use k8s_openapi::ClusterResourceScope;
use kube_client::{Resource, api::ListParams};
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
    /// [`Status::sources`](crate::Status::sources) has the state of each. A cluster-scoped kind ignores them.
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

impl Selection {
    /// Returns the selection for objects of `K`: a cluster-scoped kind has no namespaces to choose from.
    ///
    /// The scope of a kind that is known at run time only is not known here; its namespaces stay.
    pub(crate) fn of_kind<K: Resource>(mut self) -> Self {
        // By name, because `Resource::Scope` need not be `'static`, as a `TypeId` needs it.
        if type_name::<K::Scope>() == type_name::<ClusterResourceScope>() {
            self.namespaces.clear();
        }
        self
    }

    /// Returns the parts in which the selection differs from `other`, for a name.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.namespaces != other.namespaces {
            let names: Vec<_> = self.namespaces.iter().map(String::as_str).collect();
            parts.push(if names.is_empty() { "all namespaces".to_owned() } else { names.join(",") });
        }
        if self.labels != other.labels {
            parts.push(self.labels.to_string());
        }
        if self.fields != other.fields {
            parts.push(self.fields.clone().unwrap_or_default());
        }
        if self.shard != other.shard {
            parts.push(self.shard.as_ref().map(|shard| format!("{shard:?}")).unwrap_or_default());
        }
        parts
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

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{Node, Pod};

    #[test]
    fn a_cluster_scoped_kind_has_no_namespaces() {
        let selection = Selection::all().namespaces(["default", "shop"]);
        assert_eq!(selection.clone().of_kind::<Pod>(), selection);
        assert_eq!(selection.of_kind::<Node>(), Selection::all());
    }

    #[test]
    fn the_differences_of_a_selection_name_its_parts() {
        let all = Selection::all();
        assert!(all.differences(&all).is_empty());
        let labels = "app=web".parse().expect("a selector");
        let some = Selection::all().namespaces(["a", "b"]).labels(labels).fields("spec.nodeName=n");
        assert_eq!(some.differences(&all), ["a,b", "app=web", "spec.nodeName=n"]);
        assert_eq!(all.differences(&some)[0], "all namespaces");
    }
}
