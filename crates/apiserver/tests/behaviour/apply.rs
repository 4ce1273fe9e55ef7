//! Server-side apply, step by step as a kube-apiserver 1.36.3 answered the same requests.

use kube_client::{Client, Error};
use serde_json::{Map, Value, json};
use trimtab_apiserver::ApiServer;

use crate::{
    fixtures::{request, send, send_json},
    managed_fields::managers,
};

const THINGS: &str = "/apis/apply.example.com/v1/namespaces/default/things";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// Applies a configuration; `query` begins with the manager's name.
async fn apply(client: &Client, path: &str, query: &str, config: &Value) -> Result<Value, Error> {
    let request = request("PATCH", &format!("{path}?fieldManager={query}"))
        .header("content-type", "application/apply-patch+yaml")
        .body(config.to_string().into_bytes());
    client.request(request.expect("a valid request")).await
}

async fn json_patch(client: &Client, path: &str, operations: &Value) -> Result<Value, Error> {
    let request = request("PATCH", path).header("content-type", "application/json-patch+json");
    client.request(request.body(operations.to_string().into_bytes()).expect("a valid request")).await
}

fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

fn web(replicas: u32) -> Value {
    deployment(&json!({
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "app:1"}]},
        },
    }))
}

fn status(result: Result<Value, Error>) -> (u16, String) {
    match result {
        Err(Error::Api(status)) => (status.code, status.message),
        other => panic!("expected a refusal, found {other:?}"),
    }
}

/// A refusal in the recorded cases.
fn refused(result: Result<Value, Error>, name: &str) -> Value {
    match result {
        Ok(_) => Value::Null,
        Err(Error::Api(status)) if status.code == 409 => {
            let causes = status.details.map(|details| details.causes).unwrap_or_default();
            let mut causes: Vec<(String, String)> =
                causes.into_iter().map(|cause| (cause.message, cause.field)).collect();
            causes.sort();
            json!({"code": 409, "causes": causes})
        }
        Err(Error::Api(status)) => {
            json!({"code": status.code, "message": status.message.replace(name, "NAME")})
        }
        Err(other) => panic!("no answer: {other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_recorded_case_ends_as_it_does_in_upstream() {
    let server = ApiServer::start();
    let client = server.client();
    let definition = serde_json::from_str(include_str!("apply/definition.json")).unwrap();
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    send_json(&client, "POST", definitions, &definition).await.unwrap();
    let cases: Vec<Value> = serde_json::from_str(include_str!("apply/cases.json")).unwrap();
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let name = format!("case-{number}");
        let path = format!("{THINGS}/{name}");
        for step in case["steps"].as_array().unwrap() {
            let thing = json!({
                "apiVersion": "apply.example.com/v1", "kind": "Thing",
                "metadata": {"name": name}, "spec": step["spec"],
            });
            let answer = match (step["apply"].as_str(), step["update"].as_str()) {
                (Some(manager), _) => {
                    let force = if step["force"] == true { "&force=true" } else { "" };
                    apply(&client, &path, &format!("{manager}{force}"), &thing).await
                }
                (None, manager) => {
                    let query = format!("?fieldManager={}", manager.unwrap());
                    let operations = json!([{"op": "add", "path": "/spec", "value": step["spec"]}]);
                    match json_patch(&client, &format!("{path}{query}"), &operations).await {
                        Err(Error::Api(status)) if status.code == 404 => {
                            send_json(&client, "POST", &format!("{THINGS}{query}"), &thing).await
                        }
                        answer => answer,
                    }
                }
            };
            let found = refused(answer, &name);
            if found != step["refused"] {
                failures.push(format!("{}\n  step {step}\n  was answered {found}", case["name"]));
            }
        }
        let thing = send(&client, "GET", &path).await.unwrap_or_default();
        let ends = [(&thing["spec"], &case["spec"]), (&managers(&thing), &case["managers"])];
        for (found, expected) in ends {
            if found != expected && !(expected.is_null() && *found == Value::Object(Map::new())) {
                failures.push(format!("{}\n  found {found}\n  not   {expected}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn applying_makes_an_object_and_a_second_time_changes_nothing() {
    let server = ApiServer::start();
    let client = server.client();
    let path = format!("{MAPS}/a");
    let made = apply(&client, &path, "one", &config_map("a", &json!({"k": "v"}))).await.unwrap();
    assert_ne!(made["metadata"]["uid"], Value::Null);
    assert_eq!(managers(&made), json!({"one Apply": {"f:data": {"f:k": {}}}}));
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    let again = apply(&client, &path, "one", &config_map("a", &json!({"k": "v"}))).await.unwrap();
    assert_eq!(again, made, "neither the version nor the time of the manager has changed");
    // Who shares what is there already has no time, as in upstream.
    let shared = apply(&client, &path, "two", &config_map("a", &json!({"k": "v"}))).await.unwrap();
    let list = shared["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!((&list[0]["manager"], &list[0]["time"]), (&json!("two"), &Value::Null));
    let wanted = config_map("a", &json!({"k": "w"}));
    let dry = apply(&client, &path, "two&dryRun=All&force=true", &wanted).await.unwrap();
    assert_eq!(dry["data"]["k"], "w");
    assert_eq!(send(&client, "GET", &path).await.unwrap(), shared);
}

#[tokio::test(start_paused = true)]
async fn conflicts_name_managers_and_fields_in_upstream_s_words() {
    let server = ApiServer::start();
    let client = server.client();
    let path = format!("{MAPS}/a");
    apply(&client, &path, "one", &config_map("a", &json!({"k": "v", "l": "v"}))).await.unwrap();
    let wanted = config_map("a", &json!({"k": "w"}));
    let (code, message) = status(apply(&client, &path, "two", &wanted).await);
    assert_eq!((code, &*message), (409, "Apply failed with 1 conflict: conflict with \"one\": .data.k"));
    let merge = json!([{"op": "replace", "path": "/data/l", "value": "u"}]);
    json_patch(&client, &format!("{path}?fieldManager=editor"), &merge).await.unwrap();
    let wanted = config_map("a", &json!({"k": "w", "l": "w"}));
    let (_, message) = status(apply(&client, &path, "two", &wanted).await);
    assert_eq!(
        message,
        "Apply failed with 2 conflicts: conflicts with \"editor\" using v1:\n- .data.l\nconflicts with \"one\":\n- .data.k"
    );
    let forced = apply(&client, &path, "two&force=true", &wanted).await.unwrap();
    assert_eq!(managers(&forced), json!({"two Apply": {"f:data": {"f:k": {}, "f:l": {}}}}));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_configuration_is_refused_in_upstream_s_words() {
    let server = ApiServer::start();
    let client = server.client();
    let path = format!("{MAPS}/a");
    let map = |metadata: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    apply(&client, &path, "one", &map(json!({"name": "a"}))).await.unwrap();
    for (target, config, code, message) in [
        (
            "a",
            map(json!({"name": "a", "managedFields": []})),
            400,
            "metadata.managedFields must be nil".to_owned(),
        ),
        ("a", json!({"metadata": {"name": "a"}}), 400, "invalid object type: /, Kind=".to_owned()),
        (
            "a",
            json!({"apiVersion": "apps/v1", "kind": "ConfigMap"}),
            400,
            "invalid object type: apps/v1, Kind=ConfigMap".to_owned(),
        ),
        ("a", json!([]), 400, "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}".to_owned()),
        (
            "a",
            map(json!({"name": "b"})),
            400,
            "the name of the object (b) does not match the name on the URL (a)".to_owned(),
        ),
        (
            "new",
            map(json!({})),
            400,
            "the name of the object (new based on URL) was undeterminable: name must be provided".to_owned(),
        ),
        (
            "new",
            map(json!({"name": "new", "uid": "1"})),
            409,
            "Operation cannot be fulfilled on configmaps \"new\": uid mismatch: the provided object specified uid 1, and no existing object was found".to_owned(),
        ),
        (
            "a",
            map(json!({"name": "a", "resourceVersion": "1"})),
            409,
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again".to_owned(),
        ),
    ] {
        let answer = apply(&client, &format!("{MAPS}/{target}"), "one", &config).await;
        assert_eq!(status(answer), (code, message), "{config}");
    }
    let options = |name: &str| format!("PatchOptions.meta.k8s.io \"\" is invalid: {name}");
    let config = map(json!({"name": "a"}));
    assert_eq!(
        status(apply(&client, &path, "", &config).await),
        (422, options("fieldManager: Required value: is required for apply patch"))
    );
    assert_eq!(
        status(apply(&client, &path, &"x".repeat(129), &config).await),
        (422, options("fieldManager: Too long: may not be more than 128 bytes"))
    );
    let forced = json_patch(&client, &format!("{path}?force=true"), &json!([])).await;
    assert_eq!(status(forced), (422, options("force: Forbidden: may not be specified for non-apply patch")));
}

#[tokio::test(start_paused = true)]
async fn a_configuration_in_yaml_is_read() {
    let server = ApiServer::start();
    let request = request("PATCH", &format!("{MAPS}/a?fieldManager=one"))
        .header("content-type", "application/apply-patch+yaml")
        .body(b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {k: v}\n".to_vec());
    let made: Value = server.client().request(request.unwrap()).await.unwrap();
    assert_eq!(made["data"], json!({"k": "v"}));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_applied_apart_from_the_object() {
    let server = ApiServer::start();
    let client = server.client();
    let path = format!("{DEPLOYMENTS}/web");
    let mut config = web(1);
    config["status"] = json!({"replicas": 9});
    let made = apply(&client, &path, "one", &config).await.unwrap();
    assert_eq!(managers(&made)["one Apply"]["f:status"], Value::Null, "that path does not write it");
    let config = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 7}, "status": {"replicas": 2, "observedGeneration": 1},
    });
    let reported = apply(&client, &format!("{path}/status"), "two", &config).await.unwrap();
    assert_eq!((&reported["spec"]["replicas"], &reported["status"]["replicas"]), (&json!(1), &json!(2)));
    let fields = json!({"f:status": {"f:observedGeneration": {}, "f:replicas": {}}});
    assert_eq!(managers(&reported)["two Apply/status"], fields);
    let missing = format!("{DEPLOYMENTS}/none/status");
    assert_eq!(status(apply(&client, &missing, "two", &config).await).0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_scale_is_applied_and_written_under_the_object_s_own_name_for_it() {
    let server = ApiServer::start();
    let client = server.client();
    let path = format!("{DEPLOYMENTS}/web");
    apply(&client, &path, "one", &web(1)).await.unwrap();
    let operations = json!([{"op": "replace", "path": "/spec/replicas", "value": 2}]);
    json_patch(&client, &format!("{path}/scale?fieldManager=hand"), &operations).await.unwrap();
    let replicas = json!({"f:spec": {"f:replicas": {}}});
    let scaled = send(&client, "GET", &path).await.unwrap();
    assert_eq!(managers(&scaled)["hand Update/scale"], replicas);
    assert_eq!(managers(&scaled)["one Apply"]["f:spec"]["f:replicas"], Value::Null);
    let config = |replicas: u32| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": replicas}});
    let conflict = apply(&client, &format!("{path}/scale"), "auto", &config(5)).await;
    let expected = "Apply failed with 1 conflict: conflict with \"hand\" with subresource \"scale\" using autoscaling/v1: .spec.replicas";
    assert_eq!(status(conflict), (409, expected.to_owned()));
    let answer = apply(&client, &format!("{path}/scale"), "auto&force=true", &config(5)).await.unwrap();
    assert_eq!((&answer["kind"], &answer["spec"]["replicas"]), (&json!("Scale"), &json!(5)));
    let scaled = send(&client, "GET", &path).await.unwrap();
    assert_eq!(managers(&scaled)["auto Apply/scale"], replicas);
    assert_eq!(managers(&scaled)["hand Update/scale"], Value::Null);
    let conflict = apply(&client, &path, "two", &deployment(&json!({"replicas": 6}))).await;
    let expected =
        "Apply failed with 1 conflict: conflict with \"auto\" with subresource \"scale\": .spec.replicas";
    assert_eq!(status(conflict), (409, expected.to_owned()));
}

/// Fields that `kubectl apply` wrote are kubectl's own when it begins to apply on the server.
#[tokio::test(start_paused = true)]
async fn kubectl_takes_over_what_it_applied_on_the_client_s_side() {
    let server = ApiServer::start();
    let client = server.client();
    let last = config_map("a", &json!({"k": "v", "l": "v"}));
    let mut object = last.clone();
    object["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": last.to_string()});
    let made = format!("{MAPS}?fieldManager=kubectl-client-side-apply");
    send_json(&client, "POST", &made, &object).await.unwrap();
    let path = format!("{MAPS}/a");
    let wanted = config_map("a", &json!({"k": "w"}));
    assert_eq!(status(apply(&client, &path, "other", &wanted).await).0, 409);
    let applied = apply(&client, &path, "kubectl", &wanted).await.unwrap();
    assert_eq!(applied["data"], json!({"k": "w", "l": "v"}));
    let annotation = &applied["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    let kept: Value = serde_json::from_str(annotation.as_str().unwrap()).unwrap();
    assert_eq!(kept["data"], json!({"k": "w"}), "the annotation follows");
    // What somebody else changed since is not kubectl's.
    let change = json!([{"op": "replace", "path": "/data/k", "value": "x"}]);
    json_patch(&client, &format!("{path}?fieldManager=editor"), &change).await.unwrap();
    assert_eq!(status(apply(&client, &path, "kubectl", &wanted).await).0, 409);
}
