//! Request bodies: objects of the requested kinds, and patches of them.

use rand::{Rng, rngs::SmallRng};
use serde_json::{Value, json};

use crate::{
    mutation,
    request::{NAMES, pick},
};

/// The collections that requests create objects in, and that are emptied after each round.
pub(crate) const COLLECTIONS: [&str; 10] = [
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/events",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "/apis/fuzz.example.com/v1/namespaces/default/widgets",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
];

/// Draws a body, mostly in the format of the content type.
pub(crate) fn any(random: &mut SmallRng, content_type: &str, uri: &str) -> Vec<u8> {
    let mut value = if content_type.starts_with("application/json-patch") && random.random_ratio(4, 5) {
        operations(random)
    } else {
        object(random, uri)
    };
    for _ in 0..random.random_range(0_u32..4).saturating_sub(1) {
        mutation::value(random, &mut value);
    }
    let mut bytes = match random.random_range(0..60) {
        0 => "[".repeat(random.random_range(1..20_000)).into_bytes(),
        1 => vec![b'x'; random.random_range(3 << 20..4 << 20)],
        2 => Vec::new(),
        _ => value.to_string().into_bytes(),
    };
    if random.random_ratio(1, 10) {
        mutation::bytes(random, &mut bytes);
    }
    bytes
}

/// Draws an object, mostly of the kind in the path, else of any kind or a body of a subresource.
fn object(random: &mut SmallRng, uri: &str) -> Value {
    let fitting = COLLECTIONS.iter().position(|collection| uri.starts_with(collection));
    let kind = fitting.filter(|_| random.random_ratio(4, 5)).unwrap_or_else(|| random.random_range(0..12));
    let name = pick(random, &NAMES[..5]);
    let mut object = of_kind(random, kind, name);
    match random.random_range(0..8) {
        0 => object["metadata"]["finalizers"] = json!(["example.com/a"]),
        1 => object["metadata"] = json!({"generateName": "g-"}),
        2 => {
            object["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u", "blockOwnerDeletion": true}]);
        }
        _ => {}
    }
    object
}

/// Draws an object of the collection with this index, or the body of a subresource.
pub(crate) fn of_kind(random: &mut SmallRng, kind: usize, name: &str) -> Value {
    let env = json!([{"name": "A", "value": random.random_range(0..9).to_string()}]);
    let container = json!({"name": "main", "image": "app:1", "env": env, "ports": [{"containerPort": 80}]});
    let pod = json!({"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]});
    let template = json!({"metadata": {"labels": {"app": "a"}}, "spec": pod});
    let replicas = random.random_range(0..4);
    let workload =
        json!({"replicas": replicas, "selector": {"matchLabels": {"app": "a"}}, "template": template});
    let number = random.random_range(0..9);
    let mut object = match kind {
        0 => {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": number.to_string()}, "binaryData": {"c": "ZA=="}})
        }
        1 => json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "Yg=="}, "stringData": {"c": "d"}}),
        2 => json!({"apiVersion": "v1", "kind": "Pod", "spec": pod}),
        3 => {
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "a"}, "ports": [{"port": 80 + number}]}})
        }
        4 => {
            json!({"apiVersion": "v1", "kind": "Event", "involvedObject": {"kind": "Pod", "namespace": "default"}, "reason": "R"})
        }
        5 => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": workload, "status": {"replicas": 1}})
        }
        6 => json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": workload}),
        7 => {
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"leaseTransitions": number, "renewTime": "2020-01-02T03:04:05.000006Z"}})
        }
        8 => {
            json!({"apiVersion": "fuzz.example.com/v1", "kind": "Widget", "spec": {"x": number, "l": ["a", number.to_string()]}})
        }
        10 => {
            json!({"apiVersion": "policy/v1", "kind": "Eviction", "deleteOptions": {"gracePeriodSeconds": 1}})
        }
        11 => {
            json!({"target": {"kind": "Node", "name": "n"}, "spec": {"replicas": 2}, "propagationPolicy": "Orphan", "preconditions": {"uid": "x"}})
        }
        _ => return definition(),
    };
    object["metadata"] =
        json!({"name": name, "namespace": "default", "labels": {"a": pick(random, &["b", "c"]), "app": "a"}});
    object
}

/// Returns the definition of the custom kind that some requests are about.
pub(crate) fn definition() -> Value {
    let spec = json!({"type": "object", "default": {}, "properties": {
        "x": {"type": "integer", "minimum": 1, "default": 2},
        "l": {"type": "array", "maxItems": 100, "x-kubernetes-list-type": "set", "items": {"type": "string", "maxLength": 100}},
    }, "x-kubernetes-validations": [
        {"rule": "!has(self.x) || self.x < 8 || self.l.exists(word, word.matches('^[a-z]$'))", "messageExpression": "'not %d'.format([self.x])"},
        {"rule": "!has(self.x) || !has(oldSelf.x) || self.x >= oldSelf.x - 5"},
    ]});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.fuzz.example.com"},
        "spec": {
            "group": "fuzz.example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.x", "statusReplicasPath": ".status.x"}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": {"type": "object", "properties": {"x": {"type": "integer"}}}}}}}],
        },
    })
}

/// Draws the operations of a JSON patch, valid or not.
fn operations(random: &mut SmallRng) -> Value {
    let kinds = ["add", "remove", "replace", "move", "copy", "test", "double"];
    let paths = [
        "",
        "/",
        "/data",
        "/data/a",
        "/metadata/labels",
        "/metadata/finalizers/-",
        "/spec/replicas",
        "/metadata/name",
        "/~2",
        "x",
    ];
    let mut operation = || {
        let (path, from) = (pick(random, &paths), pick(random, &paths));
        json!({"op": pick(random, &kinds), "path": path, "from": from, "value": pick(random, &["x", "5"])})
    };
    let one = operation();
    json!([one, operation(), operation()])
}
