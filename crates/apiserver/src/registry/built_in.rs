//! The built-in kinds, and the words in which they are described.

use super::{
    Column, Kind, Kinds, Scale, Strategy, Subresource, admissionregistration, apiextensions, apiregistration,
    apps, authentication, authorization, autoscaling, batch, certificates, coordination, core, discovery,
    events, flowcontrol, networking, node, policy, rbac, resource, scheduling, storage, storagemigration,
};

/// Lists every built-in kind in its stable versions, and those of other versions that controllers need.
fn kinds() -> Vec<Kind> {
    [
        admissionregistration::kinds(),
        apiextensions::kinds(),
        apiregistration::kinds(),
        apps::kinds(),
        authentication::kinds(),
        authorization::kinds(),
        autoscaling::kinds(),
        batch::kinds(),
        certificates::kinds(),
        coordination::kinds(),
        core::kinds(),
        discovery::kinds(),
        events::kinds(),
        flowcontrol::kinds(),
        networking::kinds(),
        node::kinds(),
        policy::kinds(),
        rbac::kinds(),
        resource::kinds(),
        scheduling::kinds(),
        storage::kinds(),
        storagemigration::kinds(),
    ]
    .concat()
}

impl Kinds {
    /// Serves the built-in kinds.
    pub(crate) fn built_in() -> Self {
        let served = Self::default();
        kinds().into_iter().for_each(|kind| served.insert(kind));
        served
    }
}

impl Kind {
    /// Sets the rules of the objects.
    pub(super) fn strategy(self, strategy: &'static Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// Limits the kind to creation: nothing of it can be read.
    pub(super) fn create_only(self) -> Self {
        self.verbs(&["create"])
    }

    /// Sets the verbs.
    pub(super) fn verbs(self, verbs: &'static [&'static str]) -> Self {
        Self { verbs, ..self }
    }

    /// Sets the grace period of a deletion that names none.
    pub(super) fn grace_seconds(self, grace_seconds: i64) -> Self {
        Self { grace_seconds, ..self }
    }

    /// Puts the objects into no namespace.
    pub(super) fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    /// Adds `/status`.
    pub(super) fn status(self) -> Self {
        Self { status: true, ..self }
    }

    /// Sets the singular name.
    pub(super) fn singular(self, singular: &str) -> Self {
        Self { singular: singular.to_owned(), ..self }
    }

    /// Sets the columns of `kubectl get`.
    pub(super) fn columns(self, columns: Vec<Column>) -> Self {
        Self { columns, ..self }
    }

    /// Adds a short name.
    pub(super) fn short(mut self, name: &str) -> Self {
        self.short_names.push(name.to_owned());
        self
    }

    /// Adds the kind to a category.
    pub(super) fn category(mut self, name: &str) -> Self {
        self.categories.push(name.to_owned());
        self
    }

    /// Adds the kind to those of `kubectl get all`.
    pub(super) fn all(self) -> Self {
        self.category("all")
    }

    /// Sets the subresources other than status and scale.
    pub(super) fn below(self, subresources: &'static [Subresource]) -> Self {
        Self { subresources, ..self }
    }

    /// Stores the objects in another group and version than those in which they are served.
    pub(super) fn stored(self, group: &str, version: &str) -> Self {
        Self { storage_group: group.to_owned(), storage_version: version.to_owned(), ..self }
    }

    /// Adds `/scale` at the usual fields.
    pub(super) fn scale(self) -> Self {
        let scale = Scale {
            spec: "/spec/replicas".to_owned(),
            status: "/status/replicas".to_owned(),
            selector: Some("/spec/selector".to_owned()),
        };
        Self { scale: Some(scale), ..self }
    }
}
