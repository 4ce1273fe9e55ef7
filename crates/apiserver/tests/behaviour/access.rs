//! Who may do what: RBAC's objects, bearer tokens, impersonation and reviews.

use http::Request;
use kube_client::{Client, Error};
use serde_json::{Value, json};
use trimtab_apiserver::{ApiServer, User};

use crate::fixtures::{refusal, request, send, send_json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A server where RBAC decides, and its administrator.
fn strict() -> (ApiServer, Client) {
    let server = ApiServer::builder().rbac(true).token("ada's", User::new("ada").group("ops")).start();
    let admin = server.client();
    (server, admin)
}

/// Lets `subject` do `verb` to Pods in the namespace `default`.
async fn allow(admin: &Client, subject: &Value, verb: &str) {
    let role = json!({
        "metadata": {"name": verb},
        "rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}],
    });
    let binding = json!({
        "metadata": {"name": verb},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": verb},
        "subjects": [subject],
    });
    for (plural, object) in [("roles", role), ("rolebindings", binding)] {
        let path = format!("{RBAC}/namespaces/default/{plural}");
        send_json(admin, "POST", &path, &object).await.expect("an administrator may");
    }
}

/// A GET with one header more, through a client that goes by headers.
async fn get_as(server: &ApiServer, header: (&str, &str), path: &str) -> Result<Value, Error> {
    let client = Client::new(server.service(), "default");
    let get = Request::get(path).header(header.0, header.1).body(Vec::new()).expect("a request");
    client.request(get).await
}

#[tokio::test(start_paused = true)]
async fn nobody_may_do_what_no_role_allows() {
    let (server, admin) = strict();
    let ada = server.client_for(User::new("ada"));
    let refused = refusal(send(&ada, "GET", PODS).await);
    assert_eq!((refused.code, &*refused.reason), (403, "Forbidden"));
    assert_eq!(
        refused.message,
        "pods is forbidden: User \"ada\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
    );
    allow(&admin, &json!({"kind": "User", "name": "ada"}), "list").await;
    send(&ada, "GET", PODS).await.expect("the role allows it");
    assert_eq!(refusal(send(&ada, "GET", "/api/v1/pods").await).code, 403, "in one namespace only");
    let path = format!("{RBAC}/namespaces/default/rolebindings/list");
    send(&admin, "DELETE", &path).await.expect("deleted");
    assert_eq!(refusal(send(&ada, "GET", PODS).await).code, 403, "what is revoked is revoked at once");
}

#[tokio::test(start_paused = true)]
async fn a_token_tells_who_asks_and_an_unknown_one_is_refused() {
    let (server, admin) = strict();
    allow(&admin, &json!({"kind": "Group", "name": "ops"}), "list").await;
    get_as(&server, ("authorization", "Bearer ada's"), PODS).await.expect("the group may");
    let unknown = refusal(get_as(&server, ("authorization", "Bearer nobody's"), PODS).await);
    assert_eq!((unknown.code, &*unknown.message), (401, "Unauthorized"));
    let anonymous = refusal(get_as(&server, ("x-nothing", ""), PODS).await);
    assert!(anonymous.message.contains("User \"system:anonymous\" cannot list"), "{}", anonymous.message);
}

#[tokio::test(start_paused = true)]
async fn whoever_may_impersonate_acts_as_somebody_else() {
    let (server, _admin) = strict();
    let refused = refusal(get_as(&server, ("impersonate-user", "eve"), PODS).await);
    assert_eq!(
        refused.message,
        "users \"eve\" is forbidden: User \"system:anonymous\" cannot impersonate resource \"users\" in API group \
         \"\" at the cluster scope"
    );
    let request = request("GET", PODS).header("impersonate-user", "eve").body(Vec::new()).expect("a request");
    let refused = refusal(server.client().request::<Value>(request).await);
    assert!(refused.message.contains("User \"eve\" cannot list"), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn a_service_account_s_token_ends_with_its_time_and_with_the_account() {
    let (server, admin) = strict();
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    send_json(&admin, "POST", accounts, &json!({"metadata": {"name": "robot"}})).await.expect("created");
    allow(&admin, &json!({"kind": "ServiceAccount", "name": "robot", "namespace": "default"}), "list").await;
    let token_of = async |spec: Value| {
        let path = format!("{accounts}/robot/token");
        let issued = send_json(&admin, "POST", &path, &json!({ "spec": spec })).await?;
        Ok::<_, Error>(format!("Bearer {}", issued["status"]["token"].as_str().expect("a token")))
    };
    let refused = refusal(token_of(json!({"expirationSeconds": 1})).await);
    assert!(
        refused.message.contains("may not specify a duration less than 10 minutes"),
        "{}",
        refused.message
    );
    let short = token_of(json!({"expirationSeconds": 600})).await.expect("issued");
    let long = token_of(json!({})).await.expect("issued");
    get_as(&server, ("authorization", &short), PODS).await.expect("a valid token");
    tokio::time::sleep(std::time::Duration::from_secs(601)).await;
    assert_eq!(refusal(get_as(&server, ("authorization", &short), PODS).await).code, 401);
    get_as(&server, ("authorization", &long), PODS).await.expect("an hour is not over");
    send(&admin, "DELETE", &format!("{accounts}/robot")).await.expect("deleted");
    assert_eq!(refusal(get_as(&server, ("authorization", &long), PODS).await).code, 401);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_bound_to_what_it_is_meant_for() {
    let (server, admin) = strict();
    let core = "/api/v1/namespaces/default";
    send_json(&admin, "POST", &format!("{core}/serviceaccounts"), &json!({"metadata": {"name": "robot"}}))
        .await
        .expect("created");
    allow(&admin, &json!({"kind": "ServiceAccount", "name": "robot", "namespace": "default"}), "list").await;
    let pod = json!({"metadata": {"name": "p"}, "spec": {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}});
    send_json(&admin, "POST", &format!("{core}/pods"), &pod).await.expect("created");
    let token_of = async |query: &str, body: Value| {
        send_json(&admin, "POST", &format!("{core}/serviceaccounts/robot/token{query}"), &body).await
    };
    let bound = json!({"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p"}}});
    let issued = token_of("", bound).await.expect("issued");
    let token = format!("Bearer {}", issued["status"]["token"].as_str().expect("a token"));
    get_as(&server, ("authorization", &token), PODS).await.expect("the Pod is there");
    send(&admin, "DELETE", &format!("{core}/pods/p")).await.expect("deleted");
    assert_eq!(refusal(get_as(&server, ("authorization", &token), PODS).await).code, 401);
    let others = token_of("", json!({"spec": {"audiences": ["others"]}})).await.expect("issued");
    let token = format!("Bearer {}", others["status"]["token"].as_str().expect("a token"));
    assert_eq!(refusal(get_as(&server, ("authorization", &token), PODS).await).code, 401);
    let on_trial = token_of("?dryRun=All", json!({})).await.expect("answered");
    assert_eq!(on_trial["status"]["token"], "");
    for (spec, code, because) in [
        (
            json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p"}}),
            404,
            "pods \"p\" not found",
        ),
        (
            json!({"boundObjectRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "m"}}),
            400,
            "cannot bind token to object of type /v1, Kind=ConfigMap",
        ),
        (
            json!({"audiences": "one"}),
            400,
            "cannot unmarshal string into Go struct field TokenRequestSpec.spec.audiences",
        ),
    ] {
        let refused = refusal(token_of("", json!({ "spec": spec })).await);
        assert!(refused.code == code && refused.message.contains(because), "{}", refused.message);
    }
}

#[tokio::test(start_paused = true)]
async fn reviews_answer_what_would_be_allowed() {
    let (server, admin) = strict();
    allow(&admin, &json!({"kind": "User", "name": "ada"}), "list").await;
    let ada = server.client_for(User::new("ada"));
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    // Everybody who is known may ask about themselves; without bootstrap roles, the administrator asks for them.
    let about = |user: &str, verb: &str| {
        let attributes = json!({"verb": verb, "resource": "pods", "namespace": "default"});
        json!({"spec": {"user": user, "resourceAttributes": attributes}})
    };
    let path_of_others = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let list = send_json(&admin, "POST", path_of_others, &about("ada", "list")).await.expect("answered");
    assert_eq!(list["status"]["allowed"], true);
    let delete = send_json(&admin, "POST", path_of_others, &about("ada", "delete")).await.expect("answered");
    assert_eq!(delete["status"]["allowed"], false);
    let own = send_json(&admin, "POST", path, &about("", "delete")).await.expect("answered");
    assert_eq!(own["status"]["allowed"], true, "an administrator");
    let nothing = refusal(send_json(&admin, "POST", path, &json!({"spec": {}})).await);
    assert!(nothing.message.contains("exactly one of nonResourceAttributes or resourceAttributes"));
    assert_eq!(refusal(send(&ada, "GET", path).await).code, 403);
    assert_eq!(refusal(send(&admin, "GET", path).await).code, 405, "a review is asked, never read");
}

#[tokio::test(start_paused = true)]
async fn a_token_review_and_a_review_of_oneself_tell_who_somebody_is() {
    let (server, admin) = strict();
    let tokens = "/apis/authentication.k8s.io/v1/tokenreviews";
    let known =
        send_json(&admin, "POST", tokens, &json!({"spec": {"token": "ada's"}})).await.expect("answered");
    assert_eq!(known["status"]["authenticated"], true);
    assert_eq!(known["status"]["user"]["groups"], json!(["ops", "system:authenticated"]));
    let unknown =
        send_json(&admin, "POST", tokens, &json!({"spec": {"token": "x"}})).await.expect("answered");
    assert_eq!(unknown["status"], json!({"user": {}, "error": "invalid bearer token"}));
    let oneself = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let admin = send_json(&server.client(), "POST", oneself, &json!({})).await.expect("answered");
    assert_eq!(admin["status"]["userInfo"]["groups"], json!(["system:masters", "system:authenticated"]));
}

#[tokio::test(start_paused = true)]
async fn without_rbac_everybody_is_an_administrator() {
    let server = ApiServer::start();
    get_as(&server, ("authorization", "Bearer anything"), PODS).await.expect("nobody asks for tokens");
    let rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let ask = json!({"spec": {"namespace": "default"}});
    let answer =
        send_json(&server.client_for(User::new("ada")), "POST", rules, &ask).await.expect("answered");
    assert_eq!(answer["status"]["resourceRules"][0]["verbs"], json!(["*"]));
}
