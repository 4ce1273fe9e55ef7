//! The built-in kinds: one line each. Apart from what a kind is, because here is what changes with
//! each Kubernetes release.

mod control;
mod core;
mod infrastructure;
mod workloads;

use super::{Column, Kind, Scale, Subresource, columns};

/// The verbs of a Namespace: a collection of them cannot be deleted.
const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
/// The verbs of virtual objects.
const READ_ONLY: &[&str] = &["get", "list"];
/// The verbs of a proxied connection.
const CONNECT: &[&str] = &["create", "delete", "get", "patch", "update"];

/// Every built-in kind in its stable versions, and what of the others our controllers need.
pub(super) fn built_in() -> Vec<Kind> {
    [core::kinds(), workloads::kinds(), infrastructure::kinds(), control::kinds()].concat()
}

/// A kind that is asked, not stored: nothing of it can be read.
fn create_only(kind: Kind) -> Kind {
    Kind { verbs: &["create"], ..kind }
}

/// The words of the tables.
impl Kind {
    fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    fn status(self) -> Self {
        Self { status: true, ..self }
    }

    fn singular(self, singular: &str) -> Self {
        Self { singular: singular.to_owned(), ..self }
    }

    fn columns(self, columns: Vec<Column>) -> Self {
        Self { columns, ..self }
    }

    fn short(mut self, name: &str) -> Self {
        self.short_names.push(name.to_owned());
        self
    }

    fn category(mut self, name: &str) -> Self {
        self.categories.push(name.to_owned());
        self
    }

    /// In `kubectl get all`.
    fn all(self) -> Self {
        self.category("all")
    }

    /// With more below its objects' paths than their status and scale.
    fn below(self, subresources: &'static [Subresource]) -> Self {
        Self { subresources, ..self }
    }

    /// Kept in another group and version than it is served in.
    fn stored(self, group: &str, version: &str) -> Self {
        Self { storage_group: group.to_owned(), storage_version: version.to_owned(), ..self }
    }

    fn scale(self) -> Self {
        let scale = Scale {
            spec: "/spec/replicas".to_owned(),
            status: "/status/replicas".to_owned(),
            selector: Some("/spec/selector".to_owned()),
        };
        Self { scale: Some(scale), ..self }
    }
}
