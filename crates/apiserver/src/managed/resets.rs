//! Fields that have no manager: those that only the server sets, and those that a path does not write.

use std::sync::LazyLock;

use super::set::FieldSet;
use crate::{
    http::route::Subresource,
    kinds::{Kind, rules},
};

/// Paths of fields.
type Paths = &'static [&'static [&'static str]];

/// What everybody sends and nobody owns.
const EVERYBODYS: Paths = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// The same as a set.
pub(super) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of_paths(EVERYBODYS));

/// What of a new object has no owner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nobodys {
    admitted: Paths,
    reset: Paths,
}

impl Nobodys {
    /// What has none in an object of `kind` that is made through this path.
    pub(super) fn of(kind: &Kind, subresource: Option<Subresource>) -> Self {
        Self { admitted: admitted_paths(kind), reset: paths(kind, subresource) }
    }

    /// Whether the field at `path` has no owner; what is below it may have one.
    pub(super) fn are(self, path: &[&str]) -> bool {
        EVERYBODYS.contains(&path) || self.admitted.contains(&path)
    }

    /// Whether nothing at or below `path` has an owner.
    pub(super) fn is_reset(self, path: &[&str]) -> bool {
        self.reset.contains(&path)
    }
}

/// What the server fills into a new object of `kind` after it has looked at who wrote it: upstream's admission.
pub(super) fn admitted(kind: &Kind) -> FieldSet {
    FieldSet::of_paths(admitted_paths(kind))
}

fn admitted_paths(kind: &Kind) -> Paths {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => &[&["spec", "priority"], &["spec", "preemptionPolicy"]],
        _ => &[],
    }
}

/// What a write to an object of `kind`, or to its `subresource`, leaves as it is: upstream's strategies.
pub(super) fn of(kind: &Kind, subresource: Option<Subresource>) -> FieldSet {
    FieldSet::of_paths(paths(kind, subresource))
}

fn paths(kind: &Kind, subresource: Option<Subresource>) -> Paths {
    let name = (kind.group.as_str(), kind.kind.as_str());
    match (subresource, name) {
        (Some(Subresource::Finalize), _) => &[&["status"]],
        (None, ("certificates.k8s.io", "CertificateSigningRequest")) => &[&["spec"], &["status"]],
        (None, _) if kind.status => &[&["status"]],
        (Some(Subresource::Status), _) if rules::is_custom(kind) => &[&["metadata"], &["spec"]],
        (Some(Subresource::Status), ("", "Pod")) => {
            &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]]
        }
        (Some(Subresource::Status), ("apps", "Deployment")) => &[&["spec"], &["metadata", "labels"]],
        (Some(Subresource::Status), ("certificates.k8s.io", "CertificateSigningRequest")) => {
            &[&["spec"], &["status", "conditions"]]
        }
        (
            Some(Subresource::Status),
            (
                "admissionregistration.k8s.io"
                | "flowcontrol.apiserver.k8s.io"
                | "resource.k8s.io"
                | "storage.k8s.io",
                _,
            )
            | ("networking.k8s.io", "ServiceCIDR"),
        ) => &[&["metadata"], &["spec"]],
        (Some(Subresource::Status), _) => &[&["spec"]],
        _ => &[],
    }
}
