//! The kinds of the core group.

use super::{CONNECT, NAMESPACE_VERBS, READ_ONLY, Subresource, columns, create_only};
use crate::registry::Kind;

const FINALIZE: Subresource = Subresource::new("finalize", "Namespace", &["update"]);
const NODE_PROXY: Subresource = Subresource::new("proxy", "NodeProxyOptions", CONNECT);
const SERVICE_PROXY: Subresource = Subresource::new("proxy", "ServiceProxyOptions", CONNECT);
const TOKEN: Subresource = Subresource {
    group: "authentication.k8s.io",
    version: "v1",
    ..Subresource::new("token", "TokenRequest", &["create"])
};

/// The subresources of a Pod besides its status.
const OF_POD: &[Subresource] = &[
    Subresource::new("attach", "PodAttachOptions", &["create", "get"]),
    Subresource::new("binding", "Binding", &["create"]),
    Subresource::new("ephemeralcontainers", "Pod", &["get", "patch", "update"]),
    Subresource { group: "policy", version: "v1", ..Subresource::new("eviction", "Eviction", &["create"]) },
    Subresource::new("exec", "PodExecOptions", &["create", "get"]),
    Subresource::new("log", "Pod", &["get"]),
    Subresource::new("portforward", "PodPortForwardOptions", &["create", "get"]),
    Subresource::new("proxy", "PodProxyOptions", CONNECT),
    Subresource::new("resize", "Pod", &["get", "patch", "update"]),
];

pub(super) fn kinds() -> Vec<Kind> {
    let core = |kind, plural| Kind::plain("", "v1", kind, plural);
    vec![
        create_only(core("Binding", "bindings")),
        Kind { verbs: READ_ONLY, ..core("ComponentStatus", "componentstatuses") }
            .short("cs")
            .cluster()
            .columns(columns::component_status()),
        core("ConfigMap", "configmaps").short("cm").columns(columns::config_map()),
        core("Endpoints", "endpoints").short("ep").singular("endpoints").columns(columns::endpoints()),
        core("Event", "events").short("ev").columns(columns::event()),
        core("LimitRange", "limitranges").short("limits"),
        Kind { verbs: NAMESPACE_VERBS, ..core("Namespace", "namespaces") }
            .short("ns")
            .cluster()
            .status()
            .below(&[FINALIZE])
            .columns(columns::namespace()),
        core("Node", "nodes").short("no").cluster().status().below(&[NODE_PROXY]).columns(columns::node()),
        core("PersistentVolume", "persistentvolumes")
            .short("pv")
            .cluster()
            .status()
            .columns(columns::persistent_volume()),
        core("PersistentVolumeClaim", "persistentvolumeclaims")
            .short("pvc")
            .status()
            .columns(columns::persistent_volume_claim()),
        Kind { grace_seconds: 30, ..core("Pod", "pods") }
            .short("po")
            .all()
            .status()
            .below(OF_POD)
            .columns(columns::pod()),
        core("PodTemplate", "podtemplates").columns(columns::pod_template()),
        core("ReplicationController", "replicationcontrollers")
            .short("rc")
            .all()
            .status()
            .scale()
            .columns(columns::replica_set()),
        core("ResourceQuota", "resourcequotas").short("quota").status().columns(columns::resource_quota()),
        core("Secret", "secrets").columns(columns::secret()),
        core("Service", "services")
            .short("svc")
            .all()
            .status()
            .below(&[SERVICE_PROXY])
            .columns(columns::service()),
        core("ServiceAccount", "serviceaccounts").short("sa").below(&[TOKEN]).columns(columns::age()),
    ]
}
