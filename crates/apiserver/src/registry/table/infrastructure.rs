//! The kinds of networks, storage, devices and nodes, and of what coordinates their users.

use super::columns;
use crate::registry::Kind;

pub(super) fn kinds() -> Vec<Kind> {
    let coordination = |version, kind, plural| Kind::plain("coordination.k8s.io", version, kind, plural);
    let networking = |kind, plural| Kind::plain("networking.k8s.io", "v1", kind, plural);
    let resource = |kind, plural| Kind::plain("resource.k8s.io", "v1", kind, plural);
    let storage = |kind, plural| Kind::plain("storage.k8s.io", "v1", kind, plural);
    vec![
        coordination("v1", "Lease", "leases").columns(columns::lease()),
        coordination("v1beta1", "LeaseCandidate", "leasecandidates").columns(columns::lease_candidate()),
        Kind::plain("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
            .columns(columns::endpoint_slice()),
        Kind::plain("events.k8s.io", "v1", "Event", "events")
            .stored("", "v1")
            .short("ev")
            .columns(columns::event()),
        networking("IPAddress", "ipaddresses").short("ip").cluster().columns(columns::ip_address()),
        networking("Ingress", "ingresses").short("ing").status().columns(columns::ingress()),
        networking("IngressClass", "ingressclasses").cluster().columns(columns::ingress_class()),
        networking("NetworkPolicy", "networkpolicies").short("netpol").columns(columns::network_policy()),
        networking("ServiceCIDR", "servicecidrs").cluster().status().columns(columns::service_cidr()),
        Kind::plain("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses")
            .cluster()
            .columns(columns::runtime_class()),
        resource("DeviceClass", "deviceclasses").cluster().columns(columns::age()),
        resource("ResourceClaim", "resourceclaims").status().columns(columns::resource_claim()),
        resource("ResourceClaimTemplate", "resourceclaimtemplates").columns(columns::age()),
        resource("ResourceSlice", "resourceslices").cluster().columns(columns::resource_slice()),
        storage("CSIDriver", "csidrivers").cluster().columns(columns::csi_driver()),
        storage("CSINode", "csinodes").cluster().columns(columns::csi_node()),
        storage("CSIStorageCapacity", "csistoragecapacities"),
        storage("StorageClass", "storageclasses").short("sc").cluster().columns(columns::storage_class()),
        storage("VolumeAttachment", "volumeattachments")
            .cluster()
            .status()
            .columns(columns::volume_attachment()),
        storage("VolumeAttributesClass", "volumeattributesclasses")
            .short("vac")
            .cluster()
            .columns(columns::volume_attributes_class()),
    ]
}
