//! Nobody gets more rights than they have: by roles, bindings, queries, updates that create, or signing requests.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kube_client::{Client, Error};
use serde_json::{Value, json};
use trimtab_apiserver::{ApiServer, User};

use crate::fixtures::{refusal, request, send, send_json};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const DEFAULT: &str = "/api/v1/namespaces/default";

/// A server where RBAC decides, its administrator, and Ada, who may do what `rules` say.
pub(crate) async fn with_ada(rules: Value) -> (ApiServer, Client, Client) {
    let server = ApiServer::builder().rbac(true).start();
    let admin = server.client();
    create_role(&admin, "clusterroles", "", "ada", rules).await.expect("an administrator may");
    bind(&admin, "clusterrolebindings", "", "ada", "ClusterRole", "ada").await.expect("an administrator may");
    let ada = server.client_for(User::new("ada"));
    (server, admin, ada)
}

pub(crate) fn rule(verbs: &[&str], group: &str, resources: &[&str]) -> Value {
    json!({"verbs": verbs, "apiGroups": [group], "resources": resources})
}

fn place(plural: &str, namespace: &str) -> String {
    if namespace.is_empty() {
        format!("{RBAC}/{plural}")
    } else {
        format!("{RBAC}/namespaces/{namespace}/{plural}")
    }
}

async fn create_role(
    client: &Client,
    plural: &str,
    namespace: &str,
    name: &str,
    rules: Value,
) -> Result<Value, Error> {
    let role = json!({"metadata": {"name": name}, "rules": rules});
    send_json(client, "POST", &place(plural, namespace), &role).await
}

async fn bind(
    client: &Client,
    plural: &str,
    namespace: &str,
    name: &str,
    kind: &str,
    role: &str,
) -> Result<Value, Error> {
    let binding = json!({
        "metadata": {"name": name}, "subjects": [{"kind": "User", "name": "ada"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
    });
    send_json(client, "POST", &place(plural, namespace), &binding).await
}

fn writes_roles() -> Value {
    let plurals = ["roles", "rolebindings", "clusterroles", "clusterrolebindings"];
    rule(&["get", "create", "update", "patch"], "rbac.authorization.k8s.io", &plurals)
}

#[tokio::test(start_paused = true)]
async fn a_role_grants_no_rights_that_its_writer_does_not_have() {
    let (_server, admin, ada) = with_ada(json!([writes_roles(), rule(&["get"], "", &["pods"])])).await;
    create_role(&ada, "roles", "default", "mine", json!([rule(&["get"], "", &["pods"])]))
        .await
        .expect("her own");
    let more = json!([rule(&["get", "delete", "list"], "", &["pods"]), rule(&["*"], "apps", &["*"])]);
    let refused = refusal(create_role(&ada, "roles", "default", "more", more.clone()).await);
    assert_eq!((refused.code, &*refused.reason), (403, "Forbidden"));
    assert_eq!(
        refused.message,
        "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"ada\" (groups=[\"system:authenticated\"]) is \
         attempting to grant RBAC permissions not currently held:\n\
         {APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\" \"list\"]}\n\
         {APIGroups:[\"apps\"], Resources:[\"*\"], Verbs:[\"*\"]}"
    );
    // However she writes it: as a change, a patch or a configuration.
    let mine = format!("{RBAC}/namespaces/default/roles/mine");
    let changed = json!({"metadata": {"name": "mine"}, "rules": more});
    assert_eq!(refusal(send_json(&ada, "PUT", &mine, &changed).await).code, 403);
    let patch = |content_type: &str, path: &str, body: &Value| {
        let request = request("PATCH", path).header("content-type", content_type);
        request.body(body.to_string().into_bytes()).expect("a request")
    };
    let merged = patch("application/merge-patch+json", &mine, &json!({"rules": more}));
    assert_eq!(refusal(ada.request::<Value>(merged).await).code, 403);
    let mut applied = changed.clone();
    applied["kind"] = "Role".into();
    applied["apiVersion"] = "rbac.authorization.k8s.io/v1".into();
    applied["metadata"]["name"] = "new".into();
    let new = format!("{RBAC}/namespaces/default/roles/new?fieldManager=ada");
    assert_eq!(
        refusal(ada.request::<Value>(patch("application/apply-patch+yaml", &new, &applied)).await).code,
        403
    );
    // Whoever holds a role down need not have its rights.
    create_role(&admin, "roles", "default", "strong", more.clone()).await.expect("an administrator may");
    let strong = format!("{RBAC}/namespaces/default/roles/strong");
    let finalizers = json!({"metadata": {"finalizers": ["example.com/kept"]}});
    let merged = patch("application/merge-patch+json", &strong, &finalizers);
    ada.request::<Value>(merged).await.expect("finalizers grant nothing");
    let labels = json!({"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}}});
    let merged = patch("application/merge-patch+json", &strong, &labels);
    assert_eq!(
        refusal(ada.request::<Value>(merged).await).code,
        403,
        "a label may grant the rules to others"
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_that_gathers_others_takes_all_rights_to_write() {
    let (_server, _admin, ada) = with_ada(json!([writes_roles()])).await;
    let role = json!({
        "metadata": {"name": "all"}, "rules": [],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
    });
    let refused = refusal(send_json(&ada, "POST", &format!("{RBAC}/clusterroles"), &role).await);
    assert_eq!(
        refused.message,
        "clusterroles.rbac.authorization.k8s.io \"all\" is forbidden: must have cluster-admin privileges to use the \
         aggregationRule"
    );
    let admin = format!("{RBAC}/clusterroles/admin"); // a built-in one that gathers
    let mut changed = send(&ada, "GET", &admin).await.expect("she may read it");
    changed["aggregationRule"] = Value::Null;
    assert_eq!(refusal(send_json(&ada, "PUT", &admin, &changed).await).code, 403);
}

#[tokio::test(start_paused = true)]
async fn a_binding_grants_no_role_that_its_writer_does_not_have() {
    let (_server, admin, ada) = with_ada(json!([writes_roles(), rule(&["get"], "", &["pods"])])).await;
    let refused = refusal(bind(&ada, "clusterrolebindings", "", "up", "ClusterRole", "cluster-admin").await);
    assert_eq!(refused.code, 403);
    assert!(
        refused
            .message
            .starts_with("clusterrolebindings.rbac.authorization.k8s.io \"up\" is forbidden: user \"ada\"")
            && refused.message.contains("{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"),
        "{}",
        refused.message
    );
    assert_eq!(refusal(bind(&ada, "rolebindings", "default", "up", "ClusterRole", "admin").await).code, 403);
    let missing = refusal(bind(&ada, "rolebindings", "default", "none", "Role", "none").await);
    assert_eq!(
        (missing.code, &*missing.message),
        (404, "rolebindings.rbac.authorization.k8s.io \"none\" not found")
    );
    bind(&admin, "rolebindings", "default", "none", "Role", "none")
        .await
        .expect("an administrator may bind anything");
    create_role(&admin, "roles", "default", "pods", json!([rule(&["get"], "", &["pods"])]))
        .await
        .expect("created");
    bind(&ada, "rolebindings", "default", "pods", "Role", "pods").await.expect("her own rights");
}

#[tokio::test(start_paused = true)]
async fn escalate_and_bind_are_rights_to_grant_more() {
    let mut escalates = rule(&["escalate", "create"], "rbac.authorization.k8s.io", &["roles"]);
    let mut binds = rule(&["bind"], "rbac.authorization.k8s.io", &["clusterroles"]);
    binds["resourceNames"] = json!(["admin"]);
    escalates["resourceNames"] = Value::Null;
    let (_server, _admin, ada) = with_ada(json!([escalates, binds, writes_roles()])).await;
    create_role(&ada, "roles", "default", "more", json!([rule(&["*"], "*", &["*"])]))
        .await
        .expect("she may escalate");
    let refused = create_role(&ada, "clusterroles", "", "more", json!([rule(&["*"], "*", &["*"])])).await;
    assert_eq!(refusal(refused).code, 403, "Roles only");
    assert_eq!(refusal(bind(&ada, "rolebindings", "default", "edit", "ClusterRole", "edit").await).code, 403);
    bind(&ada, "rolebindings", "default", "admin", "ClusterRole", "admin")
        .await
        .expect("she may bind that one");
}

#[tokio::test(start_paused = true)]
async fn a_right_to_one_name_lists_no_other_whatever_the_query() {
    let mut mine = rule(&["get", "list", "watch", "deletecollection"], "", &["secrets"]);
    mine["resourceNames"] = json!(["mine"]);
    let (_server, admin, ada) = with_ada(json!([mine])).await;
    for name in ["mine", "theirs"] {
        let secret = json!({"metadata": {"name": name}});
        send_json(&admin, "POST", &format!("{DEFAULT}/secrets"), &secret).await.expect("created");
    }
    let secrets = format!("{DEFAULT}/secrets");
    let listed =
        send(&ada, "GET", &format!("{secrets}?fieldSelector=metadata.name%3Dmine")).await.expect("hers");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let twice = format!("{secrets}?fieldSelector=metadata.name%3Dmine&fieldSelector=");
    let listed = send(&ada, "GET", &twice).await.expect("the first selector counts for everybody");
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    for trick in [
        "fieldSelector=&fieldSelector=metadata.name%3Dmine",
        "field%53elector=&fieldSelector=metadata.name%3Dmine",
        "fieldSelector=type!%3Da%5C,metadata.name%3Dmine",
        "fieldSelector=metadata.name!%3Dmine",
        "fieldSelector=metadata.namespace%3Dmetadata.name%3Dmine",
        "",
    ] {
        let refused = refusal(send(&ada, "GET", &format!("{secrets}?{trick}")).await);
        assert_eq!(refused.code, 403, "{trick}");
    }
    let all = format!("{secrets}?fieldSelector=metadata.name%3Dmine");
    assert_eq!(refusal(send(&ada, "DELETE", &all).await).code, 403, "a selector never names what is deleted");
}

#[tokio::test(start_paused = true)]
async fn a_right_to_watch_gets_no_object_and_the_other_way_round() {
    let (_server, admin, ada) = with_ada(json!([rule(&["watch"], "", &["secrets"])])).await;
    let secret = json!({"metadata": {"name": "theirs"}});
    send_json(&admin, "POST", &format!("{DEFAULT}/secrets"), &secret).await.expect("created");
    for path in ["secrets/theirs?watch=1", "secrets/theirs?watch=true&resourceVersion=0"] {
        assert_eq!(refusal(send(&ada, "GET", &format!("{DEFAULT}/{path}")).await).code, 403, "{path}");
        let got = send(&admin, "GET", &format!("{DEFAULT}/{path}")).await.expect("a get");
        assert_eq!(got["metadata"]["name"], "theirs");
    }
    let by_path = "/api/v1/watch/namespaces/default/secrets/theirs";
    for method in ["DELETE", "PUT", "POST"] {
        assert_eq!(refusal(send(&ada, method, by_path).await).code, 405, "{method}: that path only watches");
    }
}

#[tokio::test(start_paused = true)]
async fn rights_in_one_namespace_reach_nothing_outside_it() {
    let server = ApiServer::builder().rbac(true).start();
    let admin = server.client();
    let everything = json!([rule(&["*"], "*", &["*"])]);
    create_role(&admin, "roles", "default", "ada", everything).await.expect("an administrator may");
    bind(&admin, "rolebindings", "default", "ada", "Role", "ada").await.expect("an administrator may");
    let ada = server.client_for(User::new("ada"));
    send(&ada, "GET", DEFAULT).await.expect("a namespace is in itself");
    for path in ["namespaces", "namespaces/kube-system", "nodes", "nodes/a"] {
        let refused = refusal(send(&ada, "GET", &format!("{DEFAULT}/{path}")).await);
        assert_eq!(refused.code, 404, "{path}");
    }
    for path in ["/api/v1/namespaces/kube-system", "/api/v1/namespaces", "/api/v1/namespaces//secrets"] {
        assert_eq!(refusal(send(&ada, "GET", path).await).code, 403, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_creates_needs_create() {
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let changes = rule(&["get", "update", "patch"], "coordination.k8s.io", &["leases"]);
    let (_server, _admin, ada) = with_ada(json!([changes, rule(&["patch"], "", &["configmaps"])])).await;
    let lease = json!({"metadata": {"name": "new"}, "spec": {}});
    let refused = refusal(send_json(&ada, "PUT", &format!("{leases}/new"), &lease).await);
    assert_eq!(refused.code, 403, "{}", refused.message);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}});
    let path = format!("{DEFAULT}/configmaps/new?fieldManager=ada");
    let apply = request("PATCH", &path).header("content-type", "application/apply-patch+yaml");
    let apply = apply.body(map.to_string().into_bytes()).expect("a request");
    assert_eq!(refusal(ada.request::<Value>(apply).await).code, 403);
}

#[tokio::test(start_paused = true)]
async fn a_token_for_another_audience_is_authenticated_for_that_audience_alone() {
    let (server, admin, _ada) = with_ada(json!([])).await;
    let account = json!({"metadata": {"name": "robot"}});
    send_json(&admin, "POST", &format!("{DEFAULT}/serviceaccounts"), &account).await.expect("created");
    let wanted = json!({"spec": {"audiences": ["vault"]}});
    let issued = send_json(&admin, "POST", &format!("{DEFAULT}/serviceaccounts/robot/token"), &wanted).await;
    let token = issued.expect("issued")["status"]["token"].clone();
    let review = async |audiences: Value| {
        let review = json!({"spec": {"token": token, "audiences": audiences}});
        let answer = send_json(&admin, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", &review).await;
        answer.expect("answered")["status"].clone()
    };
    let known = review(json!(["vault", "other"])).await;
    assert_eq!((&known["authenticated"], &known["audiences"]), (&json!(true), &json!(["vault"])));
    for audiences in [json!(["other"]), json!([]), Value::Null] {
        let unknown = review(audiences).await;
        assert_eq!(unknown.get("authenticated"), None, "{unknown}");
        assert!(
            unknown["error"].as_str().is_some_and(|error| error.contains("token audiences")),
            "{unknown}"
        );
    }
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_review_tells_which_token_it_saw() {
    let (server, admin, _ada) = with_ada(json!([])).await;
    let account = json!({"metadata": {"name": "robot"}});
    send_json(&admin, "POST", &format!("{DEFAULT}/serviceaccounts"), &account).await.expect("created");
    let path = format!("{DEFAULT}/serviceaccounts/robot/token");
    for _ in 0..2 {
        let issued = send_json(&admin, "POST", &path, &json!({"spec": {}})).await.expect("issued");
        let token = issued["status"]["token"].as_str().expect("a token");
        let claims = token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value = serde_json::from_slice(&claims.expect("claims")).expect("JSON");
        let review = json!({"spec": {"token": token}});
        let review = send_json(&admin, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", &review).await;
        let extra = review.expect("answered")["status"]["user"]["extra"].take();
        let id = claims["jti"].as_str().filter(|id| !id.is_empty()).expect("an identifier");
        assert_eq!(extra["authentication.kubernetes.io/credential-id"], json!([format!("JTI={id}")]));
    }
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_name_with_three_parts_is_no_service_account() {
    let mut impersonates = rule(&["impersonate"], "", &["serviceaccounts"]);
    impersonates["resourceNames"] = json!(["b:c"]);
    let (server, _admin, _ada) = with_ada(json!([impersonates])).await;
    let ada = server.client_for(User::new("ada"));
    let get = request("GET", DEFAULT).header("impersonate-user", "system:serviceaccount:a:b:c");
    let refused = refusal(ada.request::<Value>(get.body(Vec::new()).expect("a request")).await);
    assert_eq!(
        refused.message,
        "users \"system:serviceaccount:a:b:c\" is forbidden: User \"ada\" cannot impersonate resource \"users\" in \
         API group \"\" at the cluster scope"
    );
}
