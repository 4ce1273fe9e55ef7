//! Requests without sense get the status that upstream sends, and never a panic.

use serde_json::json;
use trimtab_apiserver::ApiServer;

use crate::fixtures::{code_and_reason, refusal, replica_set, request, send, send_json};

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
        (r#"{"metadata": {"name": "a", "resourceVersion": "1"}}"#, 422),
        (
            r#"{"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}"#,
            500,
        ),
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

/// A grace period and a timeout that no clock can add to the present time are served as long ones.
#[tokio::test(start_paused = true)]
async fn times_beyond_all_clocks_are_no_panic() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    for (name, seconds) in [("long", i64::MAX), ("negative", i64::MIN)] {
        let spec = json!({"nodeName": "n", "containers": [{"name": "main", "image": "app:1"}]});
        send_json(&client, "POST", PODS, &json!({"metadata": {"name": name}, "spec": spec})).await.unwrap();
        let path = format!("{PODS}/{name}");
        let options = json!({"gracePeriodSeconds": seconds});
        for _ in 0..2 {
            let marked = send_json(&client, "DELETE", &path, &options).await.unwrap();
            assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], seconds.max(1), "{marked}");
        }
        let shorter = send_json(&client, "DELETE", &path, &json!({"gracePeriodSeconds": 0})).await.unwrap();
        assert_eq!(shorter["metadata"]["name"], name);
    }
    let mut watch = client
        .request_stream(
            request("GET", &format!("{PODS}?watch=1&timeoutSeconds={}", i64::MAX)).body(Vec::new()).unwrap(),
        )
        .await
        .expect("it is opened");
    send_json(
        &client,
        "POST",
        PODS,
        &json!({"metadata": {"name": "seen"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}),
    )
    .await
    .unwrap();
    let mut line = String::new();
    futures_util::AsyncBufReadExt::read_line(&mut watch, &mut line).await.unwrap();
    assert!(line.contains("seen"), "{line}");
}

/// Fails, where the object is read again, if nobody looks how deep it is: its text, with what says who manages each
/// of its fields, is deeper than what is read.
#[tokio::test(start_paused = true)]
async fn objects_that_are_too_deep_to_be_read_again_are_refused() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({"metadata": {"name": "foos.example.com"}, "spec": {
        "group": "example.com", "scope": "Cluster", "names": {"plural": "foos", "kind": "Foo"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    }});
    send_json(&client, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition)
        .await
        .unwrap();
    let foos = "/apis/example.com/v1/foos";
    let mut highest = 0;
    for depth in 100..130 {
        let name = format!("foo-{depth}");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let body = format!(
            r#"{{"apiVersion":"example.com/v1","kind":"Foo","metadata":{{"name":"{name}"}},"spec":{deep}}}"#
        );
        let create = request("POST", foos).header("content-type", "application/json");
        match client.request::<serde_json::Value>(create.body(body.into_bytes()).unwrap()).await {
            Ok(mut made) => {
                highest = depth;
                made["spec"]["b"] = 1.into();
                send_json(&client, "PUT", &format!("{foos}/{name}"), &made)
                    .await
                    .expect("it can be written again");
                send(&client, "GET", &format!("{foos}/{name}")).await.expect("it can be read again");
                let add = r#"[{"op":"copy","from":"/spec","path":"/spec/a/c"}]"#;
                let patch = request("PATCH", &format!("{foos}/{name}"))
                    .header("content-type", "application/json-patch+json");
                let patched = client.request::<serde_json::Value>(patch.body(add.into()).unwrap()).await;
                assert!(depth < 108 || refusal(patched).code >= 400, "{depth}");
                send(&client, "GET", &format!("{foos}/{name}")).await.expect("it can still be read");
            }
            refused => assert_eq!(refusal(refused).code, 400, "{depth}"),
        }
    }
    assert_eq!(highest, 109);
}

#[tokio::test(start_paused = true)]
async fn finalizers_of_built_in_kinds_are_upstream_s_own_or_have_a_domain() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let maps = "/api/v1/namespaces/default/configmaps";
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    for (path, finalizers, code) in [
        (maps, json!(["nodomain"]), 422),
        (maps, json!(["orphan", "foregroundDeletion"]), 422),
        (maps, json!(["example.com/ok", "orphan"]), 201),
        (leases, json!(["nodomain"]), 201),
    ] {
        let object = json!({"metadata": {"generateName": "f-", "finalizers": finalizers}});
        let sent = send_json(&client, "POST", path, &object).await;
        let found = if sent.is_ok() { 201 } else { refusal(sent).code };
        assert_eq!(found, code, "{path} {finalizers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_definition_does_not_take_the_place_of_a_built_in_kind() {
    let server = ApiServer::start();
    let client = server.client();
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let ingresses = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = json!({"metadata": {"name": "web"}, "spec": {"defaultBackend": backend}});
    send_json(&client, "POST", ingresses, &ingress).await.unwrap();
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let definition = json!({
        "metadata": {
            "name": "ingresses.networking.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, experimental-only"},
        },
        "spec": {
            "group": "networking.k8s.io", "scope": "Namespaced", "names": {"plural": "ingresses", "kind": "Mine"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    send_json(&client, "POST", definitions, &definition).await.unwrap();
    assert_eq!(send(&client, "GET", &format!("{ingresses}/web")).await.unwrap()["kind"], "Ingress");
    send(&client, "DELETE", &format!("{definitions}/ingresses.networking.k8s.io")).await.unwrap();
    let mut commits = server.commits();
    send_json(
        &client,
        "POST",
        ingresses,
        &json!({"metadata": {"name": "last"}, "spec": {"defaultBackend": backend}}),
    )
    .await
    .unwrap();
    while commits.next().await.is_some_and(|commit| commit.name != "last") {}
    assert_eq!(send(&client, "GET", &format!("{ingresses}/web")).await.unwrap()["kind"], "Ingress");
}

#[tokio::test(start_paused = true)]
async fn a_count_of_templates_that_is_full_stays_full() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let sets = "/apis/apps/v1/namespaces/default/daemonsets";
    let key = "deprecated.daemonset.template.generation";
    let mut set = serde_json::to_value(replica_set("web")).unwrap();
    set["kind"] = "DaemonSet".into();
    set["metadata"]["annotations"] = json!({key: i64::MAX.to_string()});
    let mut made = send_json(&client, "POST", sets, &set).await.unwrap();
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2".into();
    let written = send_json(&client, "PUT", &format!("{sets}/web"), &made).await.unwrap();
    assert_eq!(written["metadata"]["annotations"][key], i64::MAX.to_string());
}
