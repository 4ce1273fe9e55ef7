//! Whether the fields of a built-in kind's object have the types that its Go struct has. Fields that the
//! type does not know are left to themselves.

use k8s_openapi::api::{
    apps, autoscaling, batch, coordination, core, discovery, networking, policy, rbac, scheduling, storage,
};
use serde::Deserialize;
use serde_json::Value;

use super::Kind;
use crate::object::mistyped_metadata;

/// What has the wrong type in `object`, if anything has.
pub(crate) fn mistyped(kind: &Kind, object: &Value) -> Option<String> {
    macro_rules! check {
        ($($group:literal $name:literal $type:ty),* $(,)?) => {
            match (kind.group.as_str(), kind.kind.as_str()) {
                $(($group, $name) => <$type>::deserialize(object).err(),)*
                _ => return mistyped_metadata(object),
            }
        };
    }
    let error = check! {
        "" "ConfigMap" core::v1::ConfigMap,
        "" "Endpoints" core::v1::Endpoints,
        "" "Event" core::v1::Event,
        "" "LimitRange" core::v1::LimitRange,
        "" "Namespace" core::v1::Namespace,
        "" "Node" core::v1::Node,
        "" "PersistentVolume" core::v1::PersistentVolume,
        "" "PersistentVolumeClaim" core::v1::PersistentVolumeClaim,
        "" "Pod" core::v1::Pod,
        "" "PodTemplate" core::v1::PodTemplate,
        "" "ReplicationController" core::v1::ReplicationController,
        "" "ResourceQuota" core::v1::ResourceQuota,
        "" "Secret" core::v1::Secret,
        "" "Service" core::v1::Service,
        "" "ServiceAccount" core::v1::ServiceAccount,
        "apps" "ControllerRevision" apps::v1::ControllerRevision,
        "apps" "DaemonSet" apps::v1::DaemonSet,
        "apps" "Deployment" apps::v1::Deployment,
        "apps" "ReplicaSet" apps::v1::ReplicaSet,
        "apps" "StatefulSet" apps::v1::StatefulSet,
        "autoscaling" "HorizontalPodAutoscaler" autoscaling::v2::HorizontalPodAutoscaler,
        "batch" "CronJob" batch::v1::CronJob,
        "batch" "Job" batch::v1::Job,
        "coordination.k8s.io" "Lease" coordination::v1::Lease,
        "discovery.k8s.io" "EndpointSlice" discovery::v1::EndpointSlice,
        "networking.k8s.io" "Ingress" networking::v1::Ingress,
        "networking.k8s.io" "IngressClass" networking::v1::IngressClass,
        "networking.k8s.io" "NetworkPolicy" networking::v1::NetworkPolicy,
        "policy" "PodDisruptionBudget" policy::v1::PodDisruptionBudget,
        "rbac.authorization.k8s.io" "ClusterRole" rbac::v1::ClusterRole,
        "rbac.authorization.k8s.io" "ClusterRoleBinding" rbac::v1::ClusterRoleBinding,
        "rbac.authorization.k8s.io" "Role" rbac::v1::Role,
        "rbac.authorization.k8s.io" "RoleBinding" rbac::v1::RoleBinding,
        "scheduling.k8s.io" "PriorityClass" scheduling::v1::PriorityClass,
        "storage.k8s.io" "StorageClass" storage::v1::StorageClass,
        "storage.k8s.io" "VolumeAttachment" storage::v1::VolumeAttachment,
    };
    // A quantity may be a number, too.
    error.map(|error| error.to_string()).filter(|because| !because.contains("Quantity"))
}
