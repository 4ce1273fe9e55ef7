//! The columns of networks, devices and coordination.

use super::{Cell, Column, cells, computed, text, with_age};

pub(in crate::registry) fn lease_candidate() -> Vec<Column> {
    with_age(vec![
        text("LeaseName", "/spec/leaseName"),
        text("BinaryVersion", "/spec/binaryVersion"),
        text("EmulationVersion", "/spec/emulationVersion"),
    ])
}

pub(in crate::registry) fn endpoint_slice() -> Vec<Column> {
    with_age(vec![
        text("AddressType", "/addressType"),
        computed("Ports", cells::slice_ports),
        computed("Endpoints", cells::slice_endpoints),
    ])
}

pub(in crate::registry) fn ingress() -> Vec<Column> {
    with_age(vec![
        computed("Class", cells::ingress_class_name),
        computed("Hosts", cells::ingress_hosts),
        computed("Address", cells::ingress_address),
        computed("Ports", cells::ingress_ports),
    ])
}

pub(in crate::registry) fn ingress_class() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("Controller", "/spec/controller"),
        computed("Parameters", cells::ingress_class_parameters),
    ]);
    columns[0].cell = Cell::Computed(cells::name_or_default_ingress_class);
    columns
}

pub(in crate::registry) fn network_policy() -> Vec<Column> {
    with_age(vec![computed("Pod-Selector", cells::pod_selector)])
}

pub(in crate::registry) fn service_cidr() -> Vec<Column> {
    with_age(vec![computed("CIDRs", cells::cidrs)])
}

pub(in crate::registry) fn runtime_class() -> Vec<Column> {
    with_age(vec![text("Handler", "/handler")])
}

pub(in crate::registry) fn resource_claim() -> Vec<Column> {
    with_age(vec![computed("State", cells::claim_state)])
}

pub(in crate::registry) fn resource_slice() -> Vec<Column> {
    with_age(vec![
        text("Node", "/spec/nodeName"),
        text("Driver", "/spec/driver"),
        text("Pool", "/spec/pool/name"),
    ])
}
