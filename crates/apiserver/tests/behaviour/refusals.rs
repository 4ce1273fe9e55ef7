//! What makes no sense gets the status that upstream sends, and never a panic.

use serde_json::json;
use trimtab_apiserver::ApiServer;

use crate::fixtures::{code_and_reason, refusal, request, send, send_json};

const PODS: &str = "/api/v1/namespaces/default/pods";

#[tokio::test(start_paused = true)]
async fn paths_and_methods_that_name_nothing_are_refused() {
    let server = ApiServer::start();
    let client = server.client();
    for (method, path, code) in [
        ("GET", "/api/v1/nonsense", 404),
        ("GET", "/apis/apps/v1/namespaces/default/replicasets/web/nonsense", 404),
        ("GET", "/apis/apps/v9/replicasets", 404),
        ("GET", "/api/v1/nodes/a/b/c/d", 404),
        ("PUT", PODS, 405),
        ("POST", "/api/v1/namespaces/default/pods/web", 405),
        ("DELETE", "/api/v1/pods", 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("DELETE", "/api/v1/namespaces/default/pods/web/status", 405),
    ] {
        assert_eq!(refusal(send(&client, method, path).await).code, code, "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_no_objects_of_the_kind_are_refused() {
    let server = ApiServer::start();
    let client = server.client();
    for (body, code) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("\"text\"", 400),
        (r#"{"metadata": 7}"#, 400),
        (r#"{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a"}}"#, 400),
        (r#"{"apiVersion": "v2", "metadata": {"name": "a"}}"#, 400),
        (r#"{"metadata": {"name": "a", "namespace": "other"}}"#, 400),
        (r#"{"metadata": {"name": "a", "resourceVersion": "1"}}"#, 500),
        (r#"{"metadata": {"name": "a", "labels": 7}}"#, 400),
        (r#"{"metadata": {"name": "a"}, "spec": {"containers": "none"}}"#, 400),
        (r#"{"metadata": {}}"#, 422),
        (r#"{"metadata": {"name": "a"}}"#, 422),
        (r#"{"metadata": {"name": "a", "labels": {"-": "x"}}}"#, 422),
    ] {
        let request = request("POST", PODS).header("content-type", "application/json");
        let refused = client.request::<serde_json::Value>(request.body(body.into()).unwrap()).await;
        assert_eq!(refusal(refused).code, code, "{body}");
    }
    let deep = "[".repeat(100_000);
    let request = request("POST", PODS).body(format!(r#"{{"metadata": {deep}"#).into_bytes()).unwrap();
    assert_eq!(refusal(client.request::<serde_json::Value>(request).await).code, 400);
}

#[tokio::test(start_paused = true)]
async fn formats_that_nobody_speaks_and_bodies_too_large_are_refused() {
    let server = ApiServer::start();
    let client = server.client();
    let send = async |method: &str, header: (&str, &str), body: Vec<u8>| {
        let path = if method == "PATCH" { "/api/v1/namespaces/default" } else { PODS };
        let request = request(method, path).header(header.0, header.1).body(body).unwrap();
        refusal(client.request::<serde_json::Value>(request).await)
    };
    let json = ("content-type", "application/json");
    assert_eq!(send("POST", ("content-type", "application/cbor"), vec![0]).await.code, 415);
    let protobuf = ("content-type", "application/vnd.kubernetes.protobuf");
    assert_eq!(send("POST", protobuf, vec![0]).await.code, 400, "no such message");
    assert_eq!(send("PATCH", json, b"{}".to_vec()).await.code, 415);
    assert_eq!(send("GET", ("accept", "text/html"), Vec::new()).await.code, 406);
    let large = send("POST", json, vec![b' '; 3 * 1024 * 1024 + 1]).await;
    assert_eq!((large.code, large.reason.as_str()), (413, "RequestEntityTooLarge"));
    assert_eq!(send("POST", json, vec![0xff, 0xfe]).await.code, 400);
}

#[tokio::test(start_paused = true)]
async fn yaml_bodies_are_read_like_json() {
    let server = ApiServer::start();
    let client = server.client();
    let yaml = "metadata:\n  name: one\ndata:\n  key: value\n";
    let post =
        request("POST", "/api/v1/namespaces/default/configmaps").header("content-type", "application/yaml");
    let created: serde_json::Value = client.request(post.body(yaml.into()).unwrap()).await.unwrap();
    assert_eq!(created["data"]["key"], "value");
}

#[tokio::test(start_paused = true)]
async fn patches_that_do_not_apply_are_refused() {
    let server = ApiServer::start();
    let client = server.client();
    let path = "/api/v1/namespaces/default/configmaps";
    send_json(&client, "POST", path, &json!({"metadata": {"name": "one"}})).await.unwrap();
    let patch = async |kind: &str, body: serde_json::Value| {
        let request = request("PATCH", &format!("{path}/one")).header("content-type", kind);
        client.request::<serde_json::Value>(request.body(body.to_string().into_bytes()).unwrap()).await
    };
    let (json_patch, merge) = ("application/json-patch+json", "application/merge-patch+json");
    let test = json!([{"op": "test", "path": "/data/key", "value": "other"}]);
    assert_eq!(code_and_reason(patch(json_patch, test).await), (422, "Invalid".into()));
    assert_eq!(refusal(patch(json_patch, json!({"op": "nonsense"})).await).code, 400);
    assert_eq!(
        refusal(patch(json_patch, json!([{"op": "replace", "path": "", "value": 7}])).await).code,
        422
    );
    assert_eq!(refusal(patch(merge, json!([1])).await).code, 400);
    assert_eq!(refusal(patch(merge, json!({"metadata": {"name": "two"}})).await).code, 400);
    assert_eq!(refusal(patch(merge, json!({"metadata": {"resourceVersion": "1"}})).await).code, 409);
    assert_eq!(refusal(patch(merge, json!({"metadata": {"uid": "another"}})).await).code, 422);
    let added = json!([{"op": "add", "path": "/data", "value": {"a": "b"}}]);
    assert_eq!(patch(json_patch, added).await.unwrap()["data"]["a"], "b");
}
