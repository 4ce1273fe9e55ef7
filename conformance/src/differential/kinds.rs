//! [`Kind`]: the built-in kinds that requests are about, each with valid objects.

use std::{collections::HashMap, sync::LazyLock};

use super::dice::Dice;
use super::probe::NAMESPACE;
use serde_json::{Value, json};
use trimtab_schema::Schema;

/// The namespace of limits and quotas, which would refuse the objects of the other one.
const LIMITED: &str = "differential-limits";

/// A kind.
#[derive(Debug)]
pub(crate) struct Kind {
    /// `v1` or `apps/v1`.
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    /// How often it is drawn.
    weight: usize,
}

/// The objects of `objects.yaml` by their version and kind.
static OBJECTS: LazyLock<HashMap<[String; 2], Vec<Value>>> = LazyLock::new(|| {
    let mut objects: HashMap<_, Vec<Value>> = HashMap::new();
    let read: Vec<Value> = serde_saphyr::from_multiple(include_str!("objects.yaml")).expect("YAML");
    for object in read {
        let of = ["apiVersion", "kind"].map(|field| object[field].as_str().unwrap_or_default().to_owned());
        objects.entry(of).or_default().push(object);
    }
    objects
});

/// All kinds.
pub(crate) const KINDS: &[Kind] = &[
    kind("v1", "Pod", "pods", 8),
    kind("v1", "ConfigMap", "configmaps", 4),
    kind("v1", "Secret", "secrets", 3),
    kind("v1", "Service", "services", 6),
    kind("v1", "ServiceAccount", "serviceaccounts", 1),
    kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", 3),
    kind("v1", "PersistentVolume", "persistentvolumes", 2).global(),
    kind("v1", "Namespace", "namespaces", 1).global(),
    kind("v1", "Node", "nodes", 2).global(),
    kind("v1", "Event", "events", 2),
    kind("v1", "LimitRange", "limitranges", 1),
    kind("v1", "ResourceQuota", "resourcequotas", 1),
    kind("v1", "ReplicationController", "replicationcontrollers", 1),
    kind("v1", "PodTemplate", "podtemplates", 1),
    kind("apps/v1", "Deployment", "deployments", 8),
    kind("apps/v1", "ReplicaSet", "replicasets", 3),
    kind("apps/v1", "StatefulSet", "statefulsets", 4),
    kind("apps/v1", "DaemonSet", "daemonsets", 2),
    kind("apps/v1", "ControllerRevision", "controllerrevisions", 1),
    kind("batch/v1", "Job", "jobs", 4),
    kind("batch/v1", "CronJob", "cronjobs", 3),
    kind("coordination.k8s.io/v1", "Lease", "leases", 2),
    kind("networking.k8s.io/v1", "Ingress", "ingresses", 3),
    kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", 2),
    kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", 2),
    kind("rbac.authorization.k8s.io/v1", "Role", "roles", 2),
    kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", 1),
    kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", 1).global(),
    kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", 2),
    kind("storage.k8s.io/v1", "StorageClass", "storageclasses", 1).global(),
    kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", 2),
    kind("events.k8s.io/v1", "Event", "events", 1),
    kind("v1", "Endpoints", "endpoints", 1),
    kind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", 1).global(),
    kind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", 1).global(),
    kind("networking.k8s.io/v1", "IngressClass", "ingressclasses", 1).global(),
    kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", 1).global(),
    kind("storage.k8s.io/v1", "CSIDriver", "csidrivers", 1).global(),
    kind("storage.k8s.io/v1", "VolumeAttachment", "volumeattachments", 1).global(),
];

const fn kind(version: &'static str, kind: &'static str, plural: &'static str, weight: usize) -> Kind {
    Kind { version, kind, plural, namespaced: true, weight }
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

    /// A valid object, with little but what it needs.
    pub(crate) fn plain(&self, name: &str) -> Value {
        self.example(0, name)
    }

    /// A valid object, the plain one or another.
    pub(crate) fn valid(&self, dice: &mut Dice, name: &str) -> Value {
        let number = if dice.one_in(3) { 0 } else { dice.below(self.objects().len()) };
        self.example(number, name)
    }

    /// The valid object with that number; after the last one, the first follows.
    pub(crate) fn example(&self, number: usize, name: &str) -> Value {
        let objects = self.objects();
        let mut object = objects[number % objects.len()].clone();
        object["metadata"]["name"] = json!(name);
        object["metadata"]["labels"] = json!({"app": "a"});
        if self.namespaced {
            object["metadata"]["namespace"] = json!(self.namespace());
        }
        object
    }

    fn objects(&self) -> &'static [Value] {
        let of = [self.version.to_owned(), self.kind.to_owned()];
        OBJECTS.get(&of).map(Vec::as_slice).expect("each kind has an object, which is tested")
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
    use super::super::{probe::Ask, reply::send};
    use super::*;

    #[test]
    fn every_kind_has_a_type_and_an_object() {
        for kind in KINDS {
            assert!(kind.schema().is_some(), "{}", kind.kind);
            assert_eq!(kind.plain("a")["metadata"]["name"], "a", "{}", kind.kind);
        }
        let of = |[version, kind]: &[String; 2]| {
            KINDS.iter().any(|known| known.version == version && known.kind == kind)
        };
        assert!(OBJECTS.keys().all(of), "an object of a kind that is not drawn");
        assert_eq!(Kind::named("Pod").object("a"), "/api/v1/namespaces/differential/pods/a");
        assert_eq!(Kind::named("Node").object("a"), "/api/v1/nodes/a");
    }

    /// A kube-apiserver creates them all, too.
    #[tokio::test]
    async fn the_embedded_server_creates_every_object() {
        let server = trimtab_apiserver::ApiServer::builder().start();
        let client = server.client();
        for namespace in [NAMESPACE, LIMITED] {
            let body = json!({"metadata": {"name": namespace}});
            send(&client, &Ask::create("/api/v1/namespaces", &body)).await.expect("an answer");
        }
        for (group, kind) in KINDS.iter().enumerate() {
            for number in 0..kind.objects().len() {
                let object = kind.example(number, &format!("object-{group}-{number}"));
                let ask = Ask::create(kind.collection(), &object);
                let (code, _, text) = send(&client, &ask).await.expect("an answer");
                assert_eq!(code, 201, "{ask}: {text}");
            }
        }
    }
}
