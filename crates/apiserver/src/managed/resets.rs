//! Fields that have no manager: those that only the server sets, and those that a path does not write.

use std::sync::LazyLock;

use super::set::FieldSet;
use crate::{
    http::route::Subresource,
    kinds::{Kind, rules},
};

/// What everybody sends and nobody owns.
pub(super) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of_paths(&[
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
    ])
});

/// What the server fills into a new object of `kind` after it has looked at who wrote it: upstream's admission.
pub(super) fn admitted(kind: &Kind) -> FieldSet {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => FieldSet::of_paths(&[&["spec", "priority"], &["spec", "preemptionPolicy"]]),
        _ => FieldSet::default(),
    }
}

/// What a write to an object of `kind`, or to its `subresource`, leaves as it is: upstream's strategies.
pub(super) fn of(kind: &Kind, subresource: Option<Subresource>) -> FieldSet {
    FieldSet::of_paths(paths(kind, subresource))
}

fn paths(kind: &Kind, subresource: Option<Subresource>) -> &'static [&'static [&'static str]] {
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
