//! The group `networking.k8s.io`.

pub(super) mod ingress;
pub(super) mod ingress_class;
mod ip_address;
mod network_policy;
mod service_cidr;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![
        ingress::kind(),
        ingress_class::kind(),
        ip_address::kind(),
        network_policy::kind(),
        service_cidr::kind(),
    ]
}
