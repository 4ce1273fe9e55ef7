//! [`Ask`]: the requests of the differential, made from resources, names and tricks with queries. None of
//! them changes anything: writes are dry runs.

use serde_json::{Value, json};
use std::fmt;

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
/// Every write is one on trial.
const DRY: &str = "dryRun=All";

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: String,
    pub(super) path: String,
    /// The content type and the body.
    pub(super) body: Option<(&'static str, Value)>,
    /// Whether the answer is a list, whose objects are counted.
    pub(super) is_list: bool,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |(content_type, body)| write!(f, " ({content_type}) {body}"))
    }
}

/// Queries that a check of one name and a list of objects may read differently.
const TRICKS: [&str; 26] = [
    "",
    "fieldSelector=metadata.name%3Dmine",
    "fieldSelector=metadata.name=mine",
    "fieldSelector=metadata.name%3D%3Dmine",
    "fieldSelector=metadata.name!%3Dmine",
    "fieldSelector=metadata.name%3Dmine&fieldSelector=",
    "fieldSelector=&fieldSelector=metadata.name%3Dmine",
    "field%53elector=metadata.name%3Dmine",
    "field%53elector=&fieldSelector=metadata.name%3Dmine",
    "fieldSelector=metadata.name%3Dmine&field%53elector=",
    "fieldSelector=metadata.namespace!%3Dx%5C,metadata.name%3Dmine",
    "fieldSelector=metadata.namespace%3Daz-a,metadata.name%3Dmine",
    "fieldSelector=metadata.name%3Dmine,metadata.name%3Dtheirs",
    "fieldSelector=metadata.name%3Dtheirs,metadata.name%3Dmine",
    "fieldSelector=metadata.name%3Dmine,metadata.name!%3Dmine",
    "fieldSelector=metadata.name%3Dmine&limit=many",
    "fieldSelector=metadata.name%3Dmine&limit=1",
    "fieldSelector=metadata.name%3Dmine&labelSelector=%28",
    "fieldSelector=metadata.name%3Dmine;limit=1",
    "FieldSelector=metadata.name%3Dmine",
    "fieldSelector=metadata.name%3Dmi%6Ee",
    "fieldSelector=%zz&fieldSelector=metadata.name%3Dmine",
    "fieldSelector=metadata.name%3D",
    "fieldSelector=metadata.name%3Dmine%2Ftheirs",
    "fieldSelector=metadata.name%3Dmine%3Dtoo",
    "labelSelector=a%3Db",
];

/// Resources: the path of the collection, and an object of it.
fn resources() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let pod = json!({"spec": {"containers": [{"name": "c", "image": "i"}]}});
    let labels = json!({"app": "a"});
    let mut template = pod.clone();
    template["metadata"] = json!({"labels": labels});
    let deployment = json!({"spec": {"selector": {"matchLabels": labels}, "template": template}});
    let plain = json!({});
    let role = json!({"rules": []});
    let bound = |kind: &str, name: &str| {
        json!({"roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": kind,
            "name": name,
        }})
    };
    vec![
        ("/api/v1/namespaces/az-a/secrets", plain.clone(), &[]),
        ("/api/v1/namespaces/az-a/configmaps", plain.clone(), &[]),
        ("/api/v1/namespaces/az-b/configmaps", plain.clone(), &[]),
        ("/api/v1/namespaces/az-a/pods", pod, &["status", "log", "eviction", "exec", "nonsense"]),
        ("/api/v1/namespaces/az-a/serviceaccounts", plain.clone(), &["token"]),
        ("/apis/apps/v1/namespaces/az-a/deployments", deployment, &["status", "scale"]),
        ("/apis/coordination.k8s.io/v1/namespaces/az-a/leases", json!({"spec": {}}), &[]),
        ("/apis/rbac.authorization.k8s.io/v1/namespaces/az-a/roles", role.clone(), &[]),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", role, &[]),
        ("/apis/rbac.authorization.k8s.io/v1/namespaces/az-a/rolebindings", bound("Role", "mine"), &[]),
        ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", bound("ClusterRole", "mine"), &[]),
        ("/api/v1/nodes", plain.clone(), &["status"]),
        ("/api/v1/namespaces", plain, &["status", "finalize"]),
    ]
}

/// The objects that are there: two of each kind.
pub(super) fn objects() -> Vec<(String, Value)> {
    let named = |(path, object, _): (&str, Value, _), name: &str| (path.to_owned(), with_name(object, name));
    let both = resources()
        .into_iter()
        .flat_map(|resource| ["mine", "theirs"].map(|name| named(resource.clone(), name)));
    let signed = |name: &str, signer: &str| (CSRS.to_owned(), signing_request(name, signer));
    let csrs = [signed("mine", "example.com/signer"), signed("theirs", "example.org/signer")];
    both.chain(csrs).collect()
}

const CSRS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

fn signing_request(name: &str, signer: &str) -> Value {
    // In PEM and base64, for /CN=ada and for /O=system:masters/CN=ada.
    let (ada, masters) = (include_str!("ada.csr"), include_str!("masters.csr"));
    let request = if name.starts_with("masters") { masters } else { ada };
    json!({
        "metadata": {"name": name},
        "spec": {"request": request.trim(), "signerName": signer, "usages": ["client auth"]},
    })
}

fn with_name(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = name.into();
    object
}

/// All requests.
pub(super) fn asks() -> Vec<Ask> {
    let mut asks = Asks::default();
    for path in ["/api/v1/namespaces/az-a/secrets", "/api/v1/secrets"] {
        for trick in TRICKS {
            asks.list(&format!("{path}?{trick}"));
            asks.plain("GET", &format!("{path}?{trick}&watch=1&timeoutSeconds=1"));
            asks.plain("DELETE", &format!("{path}?{trick}&{DRY}"));
        }
    }
    for (path, object, subresources) in resources() {
        asks.list(path);
        asks.plain("GET", &format!("{path}?watch=true&timeoutSeconds=1"));
        asks.write("POST", path, JSON, with_name(object.clone(), "new"));
        asks.plain("DELETE", &format!("{path}?{DRY}"));
        for name in ["mine", "absent"] {
            let one = format!("{path}/{name}");
            asks.plain("GET", &one);
            asks.write("PUT", &one, JSON, with_name(object.clone(), name));
            asks.write("PATCH", &one, MERGE, json!({"metadata": {"labels": {"a": "b"}}}));
            asks.apply(&one, &object, name);
            asks.plain("DELETE", &format!("{one}?{DRY}"));
            for subresource in subresources {
                for method in ["GET", "PUT", "PATCH", "POST", "DELETE"] {
                    let body = (method != "GET" && method != "DELETE").then(|| (MERGE, json!({})));
                    asks.0.push(Ask {
                        method: method.to_owned(),
                        path: format!("{one}/{subresource}?{DRY}"),
                        body: body.map(|(patch, body)| (if method == "PATCH" { patch } else { JSON }, body)),
                        is_list: false,
                    });
                }
            }
        }
        for trick in
            ["watch=1", "watch=true&fieldSelector=metadata.name%3Dmine", "fieldSelector=metadata.name%3Dmine"]
        {
            asks.plain("GET", &format!("{path}/theirs?{trick}&timeoutSeconds=1"));
        }
        let (prefix, rest) = split_version(path);
        for method in ["GET", "DELETE", "PUT"] {
            asks.plain(method, &format!("{prefix}/watch/{rest}?timeoutSeconds=1&{DRY}"));
            asks.plain(method, &format!("{prefix}/watch/{rest}/mine?timeoutSeconds=1&{DRY}"));
        }
    }
    escalations(&mut asks);
    certificates(&mut asks);
    reviews(&mut asks);
    for path in [
        "/version",
        "/healthz",
        "/livez",
        "/logs",
        "/logs/a",
        "/openapi/v3",
        "/api",
        "/apis/apps",
        "/nope",
        "/%76ersion",
        "/api/v1/namespaces/az-a%2Fsecrets",
    ] {
        asks.plain("GET", path);
    }
    asks.0
}

/// Roles and bindings that grant more or less than their writers have.
fn escalations(asks: &mut Asks) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let rule = |verbs: &[&str], group: &str, resources: &[&str]| {
        json!({
            "verbs": verbs,
            "apiGroups": [group],
            "resources": resources,
        })
    };
    let mut named = rule(&["get"], "", &["pods"]);
    named["resourceNames"] = json!(["mine"]);
    let granted = [
        json!([rule(&["get"], "", &["pods"])]),
        json!([named]),
        json!([rule(&["get", "list", "watch"], "", &["pods"])]),
        json!([rule(&["get"], "", &["pods/log"])]),
        json!([rule(&["*"], "apps", &["*"])]),
        json!([rule(&["get"], "batch", &["jobs/status"])]),
        json!([rule(&["*"], "*", &["*"])]),
    ];
    for rules in granted {
        for path in [
            format!("{rbac}/namespaces/az-a/roles"),
            format!("{rbac}/namespaces/az-b/roles"),
            format!("{rbac}/clusterroles"),
        ] {
            asks.write("POST", &path, JSON, with_name(json!({"rules": rules}), "new"));
            if !path.contains("az-b") {
                asks.write("PUT", &format!("{path}/mine"), JSON, with_name(json!({"rules": rules}), "mine"));
                asks.write(
                    "PUT",
                    &format!("{path}/absent"),
                    JSON,
                    with_name(json!({"rules": rules}), "absent"),
                );
                asks.write("PATCH", &format!("{path}/mine"), MERGE, json!({"rules": rules}));
            }
        }
    }
    let urls = json!({"rules": [{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]});
    asks.write("POST", &format!("{rbac}/clusterroles"), JSON, with_name(urls, "new"));
    let mut gathers =
        json!({"rules": [], "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}});
    asks.write("POST", &format!("{rbac}/clusterroles"), JSON, with_name(gathers.clone(), "new"));
    asks.write("PATCH", &format!("{rbac}/clusterroles/mine"), MERGE, gathers.clone());
    gathers["aggregationRule"] = Value::Null;
    asks.write("PATCH", &format!("{rbac}/clusterroles/admin"), MERGE, gathers);
    for role in ["admin", "view", "cluster-admin"] {
        let label = json!({"metadata": {"labels": {"a": "b"}}});
        asks.write("PATCH", &format!("{rbac}/clusterroles/{role}"), MERGE, label);
        let finalizer = json!({"metadata": {"finalizers": ["example.com/a"]}});
        asks.write("PATCH", &format!("{rbac}/clusterroles/{role}"), MERGE, finalizer);
    }
    for (kind, name) in [
        ("Role", "mine"),
        ("Role", "of-lister"),
        ("Role", "absent"),
        ("ClusterRole", "mine"),
        ("ClusterRole", "view"),
        ("ClusterRole", "cluster-admin"),
        ("ClusterRole", "absent"),
        ("ClusterRole", "of-roles"),
    ] {
        let binding =
            json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}});
        let binding = with_name(binding, "new");
        asks.write("POST", &format!("{rbac}/namespaces/az-a/rolebindings"), JSON, binding.clone());
        asks.write("PUT", &format!("{rbac}/namespaces/az-a/rolebindings/new"), JSON, binding.clone());
        if kind == "ClusterRole" {
            asks.write("POST", &format!("{rbac}/clusterrolebindings"), JSON, binding);
        }
    }
    let subjects =
        json!({"subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]});
    asks.write("PATCH", &format!("{rbac}/namespaces/az-a/rolebindings/members"), MERGE, subjects.clone());
    asks.write("PATCH", &format!("{rbac}/clusterrolebindings/cluster-admin"), MERGE, subjects);
}

/// Signing requests, approvals and certificates.
fn certificates(asks: &mut Asks) {
    asks.write("POST", CSRS, JSON, signing_request("new", "example.com/signer"));
    for signer in ["kubernetes.io/kube-apiserver-client", "example.com/signer"] {
        asks.write("POST", CSRS, JSON, signing_request("masters", signer));
    }
    let approved = json!({"status": {"conditions": [{"type": "Approved", "status": "True", "reason": "R"}]}});
    let certificate =
        json!({"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "R"}]}});
    for name in ["mine", "theirs"] {
        asks.write("PATCH", &format!("{CSRS}/{name}/approval"), MERGE, approved.clone());
        asks.write("PATCH", &format!("{CSRS}/{name}/status"), MERGE, approved.clone());
        asks.write("PATCH", &format!("{CSRS}/{name}/status"), MERGE, certificate.clone());
        asks.write(
            "PATCH",
            &format!("{CSRS}/{name}"),
            MERGE,
            json!({"spec": {"groups": ["system:masters"]}}),
        );
    }
}

/// Questions that are asked by creating an object.
fn reviews(asks: &mut Asks) {
    let attributes =
        json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "az-a"}}});
    let mut about_eve = attributes.clone();
    about_eve["spec"]["user"] = "eve".into();
    for (path, review) in [
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", attributes),
        ("/apis/authorization.k8s.io/v1/subjectaccessreviews", about_eve.clone()),
        ("/apis/authorization.k8s.io/v1/namespaces/az-a/localsubjectaccessreviews", about_eve),
        ("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json!({"spec": {"namespace": "az-a"}})),
        ("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})),
        ("/apis/authentication.k8s.io/v1/tokenreviews", json!({"spec": {"token": "x"}})),
    ] {
        asks.0.push(Ask {
            method: "POST".to_owned(),
            path: path.to_owned(),
            body: Some((JSON, review)),
            is_list: false,
        });
    }
}

/// `/api/v1` or `/apis/group/version`, and the rest.
fn split_version(path: &str) -> (&str, &str) {
    let parts = if path.starts_with("/api/") { 2 } else { 3 };
    let (at, _) = path.match_indices('/').nth(parts).expect("a path of objects");
    (&path[..at], &path[at + 1..])
}

#[derive(Debug, Default)]
struct Asks(Vec<Ask>);

impl Asks {
    fn plain(&mut self, method: &str, path: &str) {
        self.0.push(Ask { method: method.to_owned(), path: path.to_owned(), body: None, is_list: false });
    }

    fn list(&mut self, path: &str) {
        self.0.push(Ask { method: "GET".to_owned(), path: path.to_owned(), body: None, is_list: true });
    }

    fn write(&mut self, method: &str, path: &str, content_type: &'static str, body: Value) {
        let path = format!("{path}?{DRY}");
        self.0.push(Ask {
            method: method.to_owned(),
            path,
            body: Some((content_type, body)),
            is_list: false,
        });
    }

    fn apply(&mut self, path: &str, object: &Value, name: &str) {
        let mut object = with_name(object.clone(), name);
        let (prefix, rest) = split_version(path);
        let plural = rest.rsplit('/').nth(1).unwrap_or_default();
        let kind = match plural {
            "secrets" => "Secret",
            "configmaps" => "ConfigMap",
            "pods" => "Pod",
            "serviceaccounts" => "ServiceAccount",
            "deployments" => "Deployment",
            "leases" => "Lease",
            "roles" => "Role",
            "clusterroles" => "ClusterRole",
            "rolebindings" => "RoleBinding",
            "clusterrolebindings" => "ClusterRoleBinding",
            "nodes" => "Node",
            _ => "Namespace",
        };
        object["kind"] = kind.into();
        object["apiVersion"] = prefix.trim_start_matches("/apis/").trim_start_matches("/api/").into();
        let path = format!("{path}?fieldManager=az&force=true&{DRY}");
        self.0.push(Ask { method: "PATCH".to_owned(), path, body: Some((APPLY, object)), is_list: false });
    }
}
