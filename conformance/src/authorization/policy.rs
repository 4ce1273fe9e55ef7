//! The policy that the differential asks about: who has which rights, and the objects that there are.

use crate::servers::Failure;
use kube_client::Client;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
/// How long controllers may take over what they add to a new namespace.
const PATIENCE: Duration = Duration::from_secs(30);

/// The users, each with the groups beside `system:authenticated`.
pub(super) const USERS: [(&str, &[&str]); 18] = [
    ("nobody", &[]),
    ("system:anonymous", &["system:unauthenticated"]),
    ("named", &[]),
    ("lister", &[]),
    ("watcher", &[]),
    ("getter", &[]),
    ("deleter", &[]),
    ("updater", &[]),
    ("creator", &[]),
    ("below", &[]),
    ("cluster-reader", &[]),
    ("stars", &[]),
    ("roles", &[]),
    ("escalates", &[]),
    ("binds", &[]),
    ("member", &["az:admins"]),
    ("system:serviceaccount:az-a:robot", &[]),
    ("system:serviceaccount:az-a:robot:x", &[]),
];

/// The rules of each user's own role, and whether they hold in the whole cluster or in `az-a`.
fn rules(user: &str) -> Option<(bool, Value)> {
    let all = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    let rule = |verbs: &[&str], group: &str, resources: &[&str]| {
        json!({
            "verbs": verbs,
            "apiGroups": [group],
            "resources": resources,
        })
    };
    let named = |mut rule: Value| {
        rule["resourceNames"] = json!(["mine"]);
        rule
    };
    let rbac = "rbac.authorization.k8s.io";
    let roles = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"];
    let certificates = "certificates.k8s.io";
    let csrs = [
        "certificatesigningrequests",
        "certificatesigningrequests/approval",
        "certificatesigningrequests/status",
    ];
    Some(match user {
        "named" => (
            false,
            json!([
                named(rule(&all, "", &["secrets", "configmaps", "pods/log", "serviceaccounts/token"])),
                named(rule(&all, "coordination.k8s.io", &["leases"])),
            ]),
        ),
        "lister" => (false, json!([rule(&["list"], "", &["secrets", "configmaps", "pods"])])),
        "watcher" => (false, json!([rule(&["watch"], "", &["secrets", "configmaps", "pods"])])),
        "getter" => (false, json!([rule(&["get"], "", &["secrets", "configmaps", "pods"])])),
        "deleter" => (false, json!([rule(&["delete", "deletecollection"], "", &["secrets", "configmaps"])])),
        "updater" => (
            false,
            json!([
                rule(&["update", "patch"], "", &["secrets", "configmaps", "serviceaccounts"]),
                rule(&["update", "patch"], "coordination.k8s.io", &["leases"]),
                rule(&["update", "patch"], rbac, &["roles", "rolebindings"]),
            ]),
        ),
        "creator" => (
            false,
            json!([
                rule(
                    &["create"],
                    "",
                    &["secrets", "configmaps", "pods", "serviceaccounts/token", "pods/eviction"]
                ),
                rule(&["create"], "coordination.k8s.io", &["leases"]),
            ]),
        ),
        "below" => (
            false,
            json!([
                rule(&["get"], "", &["pods/log", "pods/status"]),
                rule(&["get", "patch", "update"], "apps", &["deployments/scale", "*/status"]),
            ]),
        ),
        "cluster-reader" => (
            true,
            json!([
                rule(&["get", "list", "watch"], "", &["secrets", "nodes", "namespaces"]),
                rule(&["create", "get", "update", "patch"], certificates, &csrs),
                {"verbs": ["approve"], "apiGroups": [certificates], "resources": ["signers"],
                 "resourceNames": ["example.com/*"]},
                {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]},
            ]),
        ),
        "stars" => (true, json!([rule(&["*"], "apps", &["*"]), rule(&["get"], "*", &["*/status"])])),
        "roles" => (true, json!([rule(&all, rbac, &roles), rule(&["get", "list"], "", &["pods"])])),
        "escalates" => (true, json!([rule(&all, rbac, &roles), rule(&["escalate"], rbac, &["roles"])])),
        "binds" => (
            true,
            json!([
                rule(&all, rbac, &roles),
                {
                    "verbs": ["bind"],
                    "apiGroups": [rbac],
                    "resources": ["clusterroles"],
                    "resourceNames": ["view"],
                },
            ]),
        ),
        _ => return None,
    })
}

/// Makes the objects, of which the server has none yet.
pub(super) async fn make(client: &Client) -> Result<(), Failure> {
    for namespace in ["az-a", "az-b"] {
        post(client, "/api/v1/namespaces", json!({"metadata": {"name": namespace}})).await?;
    }
    for (user, _) in USERS {
        if let Some((everywhere, rules)) = rules(user) {
            role(client, user, everywhere, rules).await?;
        }
    }
    let group = json!({"kind": "Group", "name": "az:admins", "apiGroup": "rbac.authorization.k8s.io"});
    bind(client, "members", Some("az-a"), "ClusterRole", "admin", group.clone()).await?;
    bind(client, "members", Some("az-b"), "ClusterRole", "view", group).await?;
    let robot = json!({"kind": "ServiceAccount", "name": "robot", "namespace": "az-a"});
    bind(client, "robots", Some("az-a"), "ClusterRole", "edit", robot).await?;
    for (path, object) in super::asks::objects() {
        post(client, &path, object).await?;
    }
    for namespace in ["az-a", "az-b"] {
        exists(client, &format!("/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt")).await?;
        exists(client, &format!("/api/v1/namespaces/{namespace}/serviceaccounts/default")).await?;
    }
    // On a kube-apiserver, a controller writes the rules of the built-in roles that gather others.
    let deadline = Instant::now() + PATIENCE;
    let review = json!({"spec": {
        "user": "member", "groups": ["az:admins"],
        "resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": "az-a"},
    }});
    loop {
        let answer =
            answer(client, "/apis/authorization.k8s.io/v1/subjectaccessreviews", review.clone()).await?;
        if answer["status"]["allowed"] == true {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("the role admin has no rules after {PATIENCE:?}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn role(client: &Client, user: &str, everywhere: bool, rules: Value) -> Result<(), Failure> {
    let role = json!({"metadata": {"name": format!("of-{user}")}, "rules": rules});
    let (path, kind) = match everywhere {
        true => (format!("{RBAC}/clusterroles"), "ClusterRole"),
        false => (format!("{RBAC}/namespaces/az-a/roles"), "Role"),
    };
    post(client, &path, role).await?;
    let subject = json!({"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"});
    let namespace = (!everywhere).then_some("az-a");
    bind(client, &format!("of-{user}"), namespace, kind, &format!("of-{user}"), subject).await
}

async fn bind(
    client: &Client,
    name: &str,
    namespace: Option<&str>,
    kind: &str,
    role: &str,
    subject: Value,
) -> Result<(), Failure> {
    let binding = json!({
        "metadata": {"name": name}, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
    });
    let path = match namespace {
        Some(namespace) => format!("{RBAC}/namespaces/{namespace}/rolebindings"),
        None => format!("{RBAC}/clusterrolebindings"),
    };
    post(client, &path, binding).await
}

async fn post(client: &Client, path: &str, object: Value) -> Result<(), Failure> {
    answer(client, path, object).await.map(drop)
}

async fn answer(client: &Client, path: &str, object: Value) -> Result<Value, Failure> {
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(object.to_string().into_bytes())?;
    client.request(request).await.map_err(|error| format!("POST {path}: {error}").into())
}

/// Waits for an object that a controller makes.
async fn exists(client: &Client, path: &str) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while client.request::<Value>(http::Request::get(path).body(Vec::new())?).await.is_err() {
        if Instant::now() >= deadline {
            return Err(format!("{path} is not there after {PATIENCE:?}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
