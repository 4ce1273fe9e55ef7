//! [`Draft`]: a random request, from plausible to nonsense.

use std::fmt;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::mutation;

/// Where objects are made, and so where they are removed.
pub(crate) const COLLECTIONS: [&str; 9] = [
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/pods",
    "/api/v1/namespaces/default/services",
    "/api/v1/namespaces/default/events",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/replicasets",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
];

/// Other paths, most of which are there.
const PATHS: [&str; 20] = [
    "/",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/apps",
    "/apis/apps/v1",
    "/apis/fuzz.example.com/v1/namespaces/default/widgets",
    "/apis/fuzz.example.com/v1/namespaces/default/widgets/a",
    "/healthz",
    "/livez?verbose",
    "/readyz/ping",
    "/version",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/apis/apps/v1",
    "/api/v1/pods",
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/watch/namespaces/default/secrets",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
];

const METHODS: [&str; 12] =
    ["GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"];
const NAMES: [&str; 8] =
    ["a", "b", "c", "d", "A", "%ff", "..", "a-very-long-name-that-is-none-the-less-valid"];
const SUBRESOURCES: [&str; 9] =
    ["status", "scale", "binding", "eviction", "finalize", "log", "token", "ephemeralcontainers", "x/y"];

const CONTENT_TYPES: [&str; 12] = [
    "application/json",
    "application/json",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
    "application/json; charset=\"",
    "",
    ";",
];

const ACCEPTS: [&str; 10] = [
    "*/*",
    "application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    ";q=2,,application/",
    "text/html;q=0.9, application/json;q=0.1",
];

/// Parameters and what they may say.
const PARAMETERS: [(&str, &[&str]); 18] = [
    ("watch", &["true", "1", "false", "maybe"]),
    (
        "resourceVersion",
        &["0", "0", "0", "1", "1", "5", "5", "20", "99999999999", "-1", "blue", "18446744073709551616"],
    ),
    ("resourceVersionMatch", &["Exact", "NotOlderThan", "About"]),
    ("sendInitialEvents", &["true", "false", "x"]),
    ("allowWatchBookmarks", &["true", "false"]),
    ("timeoutSeconds", &["0", "1", "-5", "x", "99999999999999999999"]),
    ("limit", &["1", "2", "0", "-1", "x", "9223372036854775807"]),
    ("continue", &["x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9", "%00", "e30"]),
    ("labelSelector", &["a=b", "a in (b,c)", "!a", "a notin (", ",", "a=b=c", "x>5", "((", "a%00"]),
    ("fieldSelector", &["metadata.name=a", "status.phase!=x", "a", "=", "metadata.name=a,spec.nodeName=\\,"]),
    ("dryRun", &["All", "None", ""]),
    ("fieldManager", &["one", "two", "", "%0A"]),
    ("fieldValidation", &["Strict", "Warn", "Ignore", "x"]),
    ("force", &["true", "false", "x"]),
    ("gracePeriodSeconds", &["0", "5", "-1", "x"]),
    ("propagationPolicy", &["Orphan", "Foreground", "Background", "x"]),
    ("includeObject", &["None", "Object", "Metadata", "x"]),
    ("pretty", &["true", "x"]),
];

/// A request before it is one.
#[derive(Debug)]
pub(crate) struct Draft {
    method: &'static str,
    uri: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Draft {
    pub(crate) fn random(random: &mut SmallRng) -> Self {
        let method = pick(random, &METHODS);
        let mut uri = path(random);
        let mut separator = if uri.contains('?') { '&' } else { '?' };
        for _ in 0..random.random_range(0..3) {
            let (name, values) = pick(random, &PARAMETERS);
            let value = pick(random, values).replace(' ', "+");
            uri += &format!("{separator}{name}={value}");
            separator = '&';
        }
        let fitting = if method == "PATCH" { &CONTENT_TYPES[2..6] } else { &CONTENT_TYPES[..1] };
        let types = if random.random_ratio(5, 6) { fitting } else { &CONTENT_TYPES };
        let content_type = pick(random, types);
        let mut headers = vec![("content-type", content_type.to_owned())];
        if random.random_ratio(1, 2) {
            headers.push(("accept", pick(random, &ACCEPTS).to_owned()));
        }
        if random.random_ratio(1, 4) {
            headers.push(("accept-encoding", "gzip".to_owned()));
        }
        if random.random_ratio(1, 20) {
            headers.push(("authorization", "Bearer nonsense".to_owned()));
        }
        let body =
            if matches!(method, "GET" | "HEAD") { Vec::new() } else { body(random, content_type, &uri) };
        Self { method, uri, headers, body }
    }

    /// The request; `None` if HTTP has no way to say it.
    pub(crate) fn request(&self) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from(self.body.clone()))).ok()
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2_000).collect();
        write!(f, "{} {} {:?} {body}", self.method, self.uri, self.headers)
    }
}

fn path(random: &mut SmallRng) -> String {
    match random.random_range(0..20) {
        0..4 => pick(random, &PATHS).to_owned(),
        4..8 => pick(random, &COLLECTIONS).to_owned(),
        8..16 => format!("{}/{}", pick(random, &COLLECTIONS), pick(random, &NAMES[..5])),
        16..19 => {
            let (collection, name) = (pick(random, &COLLECTIONS), pick(random, &NAMES));
            format!("{collection}/{name}/{}", pick(random, &SUBRESOURCES))
        }
        _ => {
            let segments =
                ["api", "apis", "v1", "apps", "namespaces", "default", "pods", "a", "", "%2F", "é"];
            let words: Vec<_> =
                (0..random.random_range(1..9)).map(|_| pick(random, &segments).to_owned()).collect();
            format!("/{}", words.join("/"))
        }
    }
}

/// A body, more or less in the form that the content type promises.
fn body(random: &mut SmallRng, content_type: &str, uri: &str) -> Vec<u8> {
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

/// The kind that the path's collection holds, as a rule; else any, or what subresources take.
fn object(random: &mut SmallRng, uri: &str) -> Value {
    let fitting = COLLECTIONS.iter().position(|collection| uri.starts_with(collection));
    let kind = fitting.filter(|_| random.random_ratio(4, 5)).unwrap_or_else(|| random.random_range(0..12));
    let name = pick(random, &NAMES[..5]);
    let container = json!({"name": "main", "image": "app:1", "env": [{"name": "A", "value": "b"}], "ports": [{"containerPort": 80}]});
    let pod = json!({"containers": [container], "nodeName": "n", "volumes": [{"name": "v", "emptyDir": {}}]});
    let template = json!({"metadata": {"labels": {"app": "a"}}, "spec": pod});
    let workload = json!({"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": template});
    let mut object = match kind {
        0 => {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}, "binaryData": {"c": "ZA=="}})
        }
        1 => json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "Yg=="}, "stringData": {"c": "d"}}),
        2 => json!({"apiVersion": "v1", "kind": "Pod", "spec": pod}),
        3 => {
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "None", "ports": [{"port": 80}]}})
        }
        5 => {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": workload, "status": {"replicas": 1}})
        }
        6 => json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": workload}),
        7 => {
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"renewTime": "2020-01-02T03:04:05.000006Z"}})
        }
        4 => {
            json!({"kind": "Event", "involvedObject": {"kind": "Pod", "namespace": "default"}, "reason": "R"})
        }
        9 => {
            json!({"apiVersion": "policy/v1", "kind": "Eviction", "deleteOptions": {"gracePeriodSeconds": 1}})
        }
        10 => {
            json!({"target": {"kind": "Node", "name": "n"}, "spec": {"replicas": 2}, "propagationPolicy": "Orphan", "preconditions": {"uid": "x"}})
        }
        11 => json!({"apiVersion": "fuzz.example.com/v1", "kind": "Widget", "spec": {"x": 3, "l": ["a"]}}),
        _ => return definition(),
    };
    object["metadata"] = json!({"name": name, "labels": {"a": "b"}});
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

/// A definition, so that custom objects have a path.
fn definition() -> Value {
    let spec = json!({"type": "object", "default": {}, "properties": {"x": {"type": "integer", "minimum": 1, "default": 2}, "l": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.fuzz.example.com"},
        "spec": {
            "group": "fuzz.example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}],
        },
    })
}

/// A JSON patch.
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

fn pick<T: Copy>(random: &mut SmallRng, of: &[T]) -> T {
    *of.choose(random).expect("the table has entries")
}
