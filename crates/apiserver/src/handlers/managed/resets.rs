//! Fields that have no manager: those that a path does not write, and those that admission fills in.

use trimtab_managed_fields::Paths;

use crate::{api::subresource::Subresource, registry::Kind};

/// Returns the fields that the server fills into a new object after it has determined their managers: upstream's admission.
pub(super) fn admitted(kind: &Kind) -> Paths<'static> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => &[&["spec", "priority"], &["spec", "preemptionPolicy"]],
        _ => &[],
    }
}

/// Returns the fields that a write to an object of `kind`, or to its `subresource`, leaves as they are: upstream's reset
/// fields.
pub(super) fn reset(kind: &Kind, subresource: Option<Subresource>) -> Paths<'static> {
    let name = (kind.group.as_str(), kind.kind.as_str());
    match (subresource, name) {
        (Some(Subresource::Finalize), _) => &[&["status"]],
        (None, ("certificates.k8s.io", "CertificateSigningRequest")) => &[&["spec"], &["status"]],
        (None, _) if kind.status => &[&["status"]],
        (Some(Subresource::Status), _) if kind.is_custom() => &[&["metadata"], &["spec"]],
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
