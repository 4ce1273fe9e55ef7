//! [`Kind`]: the built-in kinds that requests are about, each with a valid object.

use super::dice::Dice;
use super::probe::NAMESPACE;
use serde_json::{Value, json};
use trimtab_schema::Schema;

/// The namespace of limits and quotas, which would refuse the objects of the other one.
const LIMITED: &str = "differential-limits";

/// A kind, and the text of a valid object apart from its metadata.
#[derive(Debug)]
pub(crate) struct Kind {
    /// `v1` or `apps/v1`.
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    /// How often it is drawn.
    weight: usize,
    fields: &'static str,
}

const POD: &str = r#"{"spec": {"containers": [{"name": "main", "image": "app:1"}]}}"#;
const WORKLOAD: &str = r#"{"spec": {
    "replicas": 2,
    "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "app:1"}]}
    }
}}"#;
const DAEMON: &str = r#"{"spec": {
    "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "app:1"}]}
    }
}}"#;
const CONTROLLER: &str = r#"{"spec": {
    "replicas": 2,
    "selector": {"app": "a"},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "app:1"}]}
    }
}}"#;
const STATEFUL: &str = r#"{"spec": {
    "replicas": 2, "serviceName": "a", "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "app:1"}]}
    },
    "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}
    }}]
}}"#;
const JOB: &str = r#"{"spec": {"template": {"spec": {
    "restartPolicy": "Never",
    "containers": [{"name": "main", "image": "app:1"}]
}}}}"#;
const CRON_JOB: &str = r#"{"spec": {
    "schedule": "0 3 * * *",
    "jobTemplate": {"spec": {"template": {"spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "app:1"}]
    }}}}
}}"#;
const SERVICE: &str = r#"{"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}"#;
const CLAIM: &str =
    r#"{"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}"#;
const VOLUME: &str = r#"{"spec": {
    "capacity": {"storage": "1Gi"},
    "accessModes": ["ReadWriteOnce"],
    "hostPath": {"path": "/data"}
}}"#;
const INGRESS: &str = r#"{"spec": {"rules": [{
    "host": "a.example.com",
    "http": {"paths": [{
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "a", "port": {"number": 80}}}
    }]}
}]}}"#;
const POLICY: &str = r#"{"spec": {
    "podSelector": {"matchLabels": {"app": "a"}},
    "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80, "protocol": "TCP"}]}]
}}"#;
const SCALER: &str = r#"{"spec": {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
    "maxReplicas": 5,
    "metrics": [{"type": "Resource", "resource": {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 50}
    }}]
}}"#;
const SLICE: &str = r#"{
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["192.0.2.1"]}],
    "ports": [{"name": "http", "port": 80}]
}"#;
const LIMITS: &str =
    r#"{"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "default": {"cpu": "1"}}]}}"#;
const RULES: &str = r#"{"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}"#;
const BINDING: &str = r#"{
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ada"}]
}"#;
const EVENT: &str = r#"{
    "involvedObject": {"kind": "Pod", "namespace": "differential", "name": "a"},
    "reason": "Started",
    "type": "Normal"
}"#;
const NEW_EVENT: &str = r#"{
    "eventTime": "2020-01-02T03:04:05.000006Z", "reportingController": "example.com/a",
    "reportingInstance": "a-1", "action": "Start", "reason": "Started", "type": "Normal",
    "regarding": {"kind": "Pod", "namespace": "differential", "name": "a"}
}"#;
const CLASS: &str = r#"{"provisioner": "example.com/disk"}"#;

/// All kinds.
pub(crate) const KINDS: &[Kind] = &[
    kind("v1", "Pod", "pods", 8, POD),
    kind("v1", "ConfigMap", "configmaps", 4, r#"{"data": {"a": "1"}, "binaryData": {"b": "YQ=="}}"#),
    kind("v1", "Secret", "secrets", 3, r#"{"type": "Opaque", "data": {"a": "YQ=="}}"#),
    kind("v1", "Service", "services", 6, SERVICE),
    kind("v1", "ServiceAccount", "serviceaccounts", 1, r#"{"secrets": [{"name": "a"}]}"#),
    kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", 3, CLAIM),
    kind("v1", "PersistentVolume", "persistentvolumes", 2, VOLUME).global(),
    kind("v1", "Namespace", "namespaces", 1, "{}").global(),
    kind("v1", "Node", "nodes", 2, r#"{"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}"#)
        .global(),
    kind("v1", "Event", "events", 2, EVENT),
    kind("v1", "LimitRange", "limitranges", 1, LIMITS),
    kind(
        "v1",
        "ResourceQuota",
        "resourcequotas",
        1,
        r#"{"spec": {"hard": {"pods": "1000", "cpu": "1000"}}}"#,
    ),
    kind("v1", "ReplicationController", "replicationcontrollers", 1, CONTROLLER),
    kind(
        "v1",
        "PodTemplate",
        "podtemplates",
        1,
        r#"{"template": {"spec": {"containers": [{"name": "main", "image": "app:1"}]}}}"#,
    ),
    kind("apps/v1", "Deployment", "deployments", 8, WORKLOAD),
    kind("apps/v1", "ReplicaSet", "replicasets", 3, WORKLOAD),
    kind("apps/v1", "StatefulSet", "statefulsets", 4, STATEFUL),
    kind("apps/v1", "DaemonSet", "daemonsets", 2, DAEMON),
    kind("apps/v1", "ControllerRevision", "controllerrevisions", 1, r#"{"revision": 1, "data": {"a": 1}}"#),
    kind("batch/v1", "Job", "jobs", 4, JOB),
    kind("batch/v1", "CronJob", "cronjobs", 3, CRON_JOB),
    kind(
        "coordination.k8s.io/v1",
        "Lease",
        "leases",
        2,
        r#"{"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}}"#,
    ),
    kind("networking.k8s.io/v1", "Ingress", "ingresses", 3, INGRESS),
    kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", 2, POLICY),
    kind(
        "policy/v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        2,
        r#"{"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}}"#,
    ),
    kind("rbac.authorization.k8s.io/v1", "Role", "roles", 2, RULES),
    kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", 1, BINDING),
    kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", 1, RULES).global(),
    kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", 2, SCALER),
    kind("storage.k8s.io/v1", "StorageClass", "storageclasses", 1, CLASS).global(),
    kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", 2, SLICE),
    kind("events.k8s.io/v1", "Event", "events", 1, NEW_EVENT),
];

const fn kind(
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    weight: usize,
    fields: &'static str,
) -> Kind {
    Kind { version, kind, plural, namespaced: true, weight, fields }
}

impl Kind {
    const fn global(self) -> Self {
        Self { namespaced: false, ..self }
    }

    /// Draws a kind; those that users write most are drawn most.
    pub(crate) fn any(dice: &mut Dice) -> &'static Self {
        let all: usize = KINDS.iter().map(|kind| kind.weight).sum();
        let mut left = dice.below(all);
        KINDS
            .iter()
            .find(|kind| {
                let found = left < kind.weight;
                left = left.saturating_sub(kind.weight);
                found
            })
            .unwrap_or(&KINDS[0])
    }

    /// The kind of that name in the first group that has one.
    pub(crate) fn named(name: &str) -> &'static Self {
        KINDS.iter().find(|kind| kind.kind == name).unwrap_or(&KINDS[0])
    }

    /// The namespace of its objects; empty if they have none.
    pub(crate) fn namespace(&self) -> &'static str {
        match (self.namespaced, self.kind) {
            (false, _) => "",
            (true, "LimitRange" | "ResourceQuota") => LIMITED,
            (true, _) => NAMESPACE,
        }
    }

    /// The path of all objects in the namespace, or in the cluster.
    pub(crate) fn collection(&self) -> String {
        self.collection_in(self.namespace())
    }

    /// The path of all objects in that namespace.
    pub(crate) fn collection_in(&self, namespace: &str) -> String {
        let root = if self.version == "v1" { "/api" } else { "/apis" };
        let within = if self.namespaced { format!("namespaces/{namespace}/") } else { String::new() };
        format!("{root}/{}/{within}{}", self.version, self.plural)
    }

    /// The path of one object.
    pub(crate) fn object(&self, name: &str) -> String {
        format!("{}/{name}", self.collection())
    }

    /// A valid object.
    pub(crate) fn valid(&self, name: &str) -> Value {
        let mut object: Value = serde_json::from_str(self.fields).unwrap_or_default();
        object["apiVersion"] = json!(self.version);
        object["kind"] = json!(self.kind);
        object["metadata"] = json!({"name": name, "labels": {"app": "a"}});
        if self.namespaced {
            object["metadata"]["namespace"] = json!(self.namespace());
        }
        object
    }

    /// The type of its objects.
    pub(crate) fn schema(&self) -> Option<Schema<'static>> {
        let (group, version) = self.version.split_once('/').unwrap_or(("", self.version));
        Schema::named(group, version, self.kind)
    }

    /// Whether it has the subresource `status`.
    pub(crate) fn has_status(&self) -> bool {
        let status = |schema: Schema<'_>| schema.fields().any(|(name, _)| name == "status");
        self.schema().is_some_and(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_type_and_an_object() {
        for kind in KINDS {
            assert!(kind.schema().is_some(), "{}", kind.kind);
            assert!(serde_json::from_str::<Value>(kind.fields).is_ok(), "{}", kind.kind);
        }
        assert_eq!(Kind::named("Pod").object("a"), "/api/v1/namespaces/differential/pods/a");
        assert_eq!(Kind::named("Node").object("a"), "/api/v1/nodes/a");
    }
}
