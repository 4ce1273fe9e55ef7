//! The built-in kinds: one line each. Apart from what a kind is, because here is what changes with
//! each Kubernetes release.

use super::{Column, Kind, Scale, Subresource, columns};

/// What may be done with a Namespace: a collection of them cannot be deleted.
const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];

/// What may be done with a review: it is asked.
const REVIEW_VERBS: &[&str] = &["create"];

const TOKEN: Subresource = Subresource {
    name: "token",
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenRequest",
    verbs: REVIEW_VERBS,
};
const FINALIZE: Subresource =
    Subresource { name: "finalize", group: "", version: "v1", kind: "Namespace", verbs: &["update"] };
const BINDING: Subresource =
    Subresource { name: "binding", group: "", version: "v1", kind: "Binding", verbs: &["create"] };
const EVICTION: Subresource =
    Subresource { name: "eviction", group: "policy", version: "v1", kind: "Eviction", verbs: &["create"] };

/// Every built-in kind, in the version that upstream prefers.
pub(super) fn built_in() -> Vec<Kind> {
    let core = |kind, plural| Kind::plain("", "v1", kind, plural);
    let apps = |kind, plural| Kind::plain("apps", "v1", kind, plural).all();
    let rbac = |kind, plural| Kind::plain("rbac.authorization.k8s.io", "v1", kind, plural);
    let authentication = |kind, plural| Kind::plain("authentication.k8s.io", "v1", kind, plural).review();
    let authorization = |kind, plural| Kind::plain("authorization.k8s.io", "v1", kind, plural).review();
    let networking = |kind, plural| Kind::plain("networking.k8s.io", "v1", kind, plural);
    let storage = |kind, plural| Kind::plain("storage.k8s.io", "v1", kind, plural).cluster();
    vec![
        core("ConfigMap", "configmaps").short("cm").columns(columns::config_map()),
        core("Endpoints", "endpoints").short("ep").singular("endpoints").columns(columns::endpoints()),
        core("Event", "events").short("ev").columns(columns::event()),
        core("LimitRange", "limitranges").short("limits"),
        core("Namespace", "namespaces").short("ns").cluster().status().namespace(),
        core("Node", "nodes").short("no").cluster().status().columns(columns::node()),
        core("PersistentVolume", "persistentvolumes").short("pv").cluster().status().columns(columns::age()),
        core("PersistentVolumeClaim", "persistentvolumeclaims").short("pvc").status().columns(columns::age()),
        core("Pod", "pods").short("po").all().status().pod(),
        core("PodTemplate", "podtemplates").columns(columns::age()),
        core("ReplicationController", "replicationcontrollers")
            .short("rc")
            .all()
            .status()
            .scale()
            .columns(columns::replica_set()),
        core("ResourceQuota", "resourcequotas").short("quota").status().columns(columns::age()),
        core("Secret", "secrets").columns(columns::secret()),
        core("Service", "services").short("svc").all().status().columns(columns::service()),
        core("ServiceAccount", "serviceaccounts").short("sa").columns(columns::age()).subresource(&[TOKEN]),
        Kind::plain("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
            .short("crd")
            .short("crds")
            .category("api-extensions")
            .cluster()
            .status(),
        apps("ControllerRevision", "controllerrevisions").nothing().columns(columns::controller_revision()),
        apps("DaemonSet", "daemonsets").short("ds").status().columns(columns::daemon_set()),
        apps("Deployment", "deployments").short("deploy").status().scale().columns(columns::deployment()),
        apps("ReplicaSet", "replicasets").short("rs").status().scale().columns(columns::replica_set()),
        apps("StatefulSet", "statefulsets").short("sts").status().scale().columns(columns::stateful_set()),
        Kind::plain("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
            .short("hpa")
            .all()
            .status()
            .columns(columns::age()),
        Kind::plain("batch", "v1", "CronJob", "cronjobs").short("cj").all().status().columns(columns::age()),
        Kind::plain("batch", "v1", "Job", "jobs").all().status().columns(columns::job()),
        Kind::plain("coordination.k8s.io", "v1", "Lease", "leases").columns(columns::lease()),
        Kind::plain("coordination.k8s.io", "v1beta1", "LeaseCandidate", "leasecandidates")
            .columns(columns::age()),
        Kind::plain("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices").columns(columns::age()),
        Kind { stored_as: Some("events"), ..Kind::plain("events.k8s.io", "v1", "Event", "events") }
            .short("ev")
            .columns(columns::event()),
        authentication("SelfSubjectReview", "selfsubjectreviews"),
        authentication("TokenReview", "tokenreviews"),
        Kind { namespaced: true, ..authorization("LocalSubjectAccessReview", "localsubjectaccessreviews") },
        authorization("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
        authorization("SelfSubjectRulesReview", "selfsubjectrulesreviews"),
        authorization("SubjectAccessReview", "subjectaccessreviews"),
        networking("Ingress", "ingresses").short("ing").status().columns(columns::age()),
        networking("IngressClass", "ingressclasses").cluster().columns(columns::age()),
        networking("NetworkPolicy", "networkpolicies").short("netpol").columns(columns::age()),
        Kind::plain("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
            .short("pdb")
            .status()
            .columns(columns::disruption_budget()),
        rbac("ClusterRole", "clusterroles").cluster(),
        rbac("ClusterRoleBinding", "clusterrolebindings").cluster().columns(columns::role_binding()),
        rbac("Role", "roles"),
        rbac("RoleBinding", "rolebindings").columns(columns::role_binding()),
        Kind::plain("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
            .short("pc")
            .cluster()
            .columns(columns::priority_class()),
        storage("StorageClass", "storageclasses").short("sc").columns(columns::age()),
        storage("VolumeAttachment", "volumeattachments").status().columns(columns::age()),
    ]
}

/// The words of the table above.
impl Kind {
    fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    fn status(self) -> Self {
        Self { status: true, ..self }
    }

    fn singular(self, singular: &str) -> Self {
        Self { singular: singular.to_owned(), ..self }
    }

    fn columns(self, columns: Vec<Column>) -> Self {
        Self { columns, ..self }
    }

    fn short(mut self, name: &str) -> Self {
        self.short_names.push(name.to_owned());
        self
    }

    fn category(mut self, name: &str) -> Self {
        self.categories.push(name.to_owned());
        self
    }

    /// In `kubectl get all`.
    fn all(self) -> Self {
        self.category("all")
    }

    /// Not in `kubectl get all`, unlike the rest of its group.
    fn nothing(self) -> Self {
        Self { categories: Vec::new(), ..self }
    }

    fn scale(self) -> Self {
        let scale = Scale {
            spec: "/spec/replicas".to_owned(),
            status: "/status/replicas".to_owned(),
            selector: Some("/spec/selector".to_owned()),
        };
        Self { scale: Some(scale), ..self }
    }

    fn review(self) -> Self {
        Self { verbs: REVIEW_VERBS, ..self.cluster() }
    }

    fn subresource(self, subresources: &'static [Subresource]) -> Self {
        Self { subresources, ..self }
    }

    fn namespace(self) -> Self {
        Self { verbs: NAMESPACE_VERBS, subresources: &[FINALIZE], ..self }.columns(columns::namespace())
    }

    fn pod(self) -> Self {
        Self { grace_seconds: 30, subresources: &[BINDING, EVICTION], ..self }.columns(columns::pod())
    }
}
