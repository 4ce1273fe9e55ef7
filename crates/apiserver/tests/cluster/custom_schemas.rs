//! The effect of a definition's schema on the objects of its kind.

use http::Method;
use kube_client::Client;
use serde_json::{Value, json};

use crate::fixtures::{create, patch, send, server};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FOOS: &str = "/apis/example.com/v1/namespaces/default/foos";

fn definition() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "maximum": 10},
            "mode": {"type": "string", "default": "a"},
        }},
        "status": {"type": "object", "properties": {"seen": {"type": "integer"}}},
    }}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}}],
        },
    })
}

/// The answer to a POST, whatever it is.
async fn post(client: &Client, path: &str, object: Value) -> Value {
    send(client, Method::POST, path, Some(object)).await
}

fn foo(spec: impl Into<Value>) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": "a"}, "spec": spec.into()})
}

#[tokio::test(start_paused = true)]
async fn objects_are_pruned_completed_and_held_to_their_schema() {
    let (_server, client) = server();
    create(&client, DEFINITIONS, definition()).await;
    let refused = post(&client, FOOS, foo(json!({"size": "x"}))).await;
    assert_eq!(
        (&refused["code"], &refused["message"]),
        (
            &json!(422),
            &json!(
                "Foo.example.com \"a\" is invalid: spec.size: Invalid value: \"string\": spec.size in body must be of type \
                 integer: \"string\""
            )
        )
    );
    assert_eq!(refused["details"]["causes"][0]["reason"], "FieldValueTypeInvalid");
    let strict =
        post(&client, &format!("{FOOS}?fieldValidation=Strict"), foo(json!({"size": 1, "x": 2}))).await;
    assert_eq!(
        strict["message"],
        "Foo in version \"v1\" cannot be handled as a Foo: strict decoding error: unknown field \"spec.x\""
    );
    let created = post(&client, FOOS, foo(json!({"size": 1, "x": 2}))).await;
    assert_eq!(created["spec"], json!({"size": 1, "mode": "a"}));
    let one = format!("{FOOS}/a");
    assert_eq!(patch(&client, &one, json!({"spec": {"size": 11}})).await["code"], 422);
    let patched = patch(&client, &one, json!({"spec": {"mode": null, "y": 1}})).await;
    assert_eq!(patched["spec"], json!({"size": 1, "mode": "a"}), "a default comes back");
    let status = patch(&client, &format!("{one}/status"), json!({"status": {"seen": 3, "z": 1}})).await;
    assert_eq!(status["status"], json!({"seen": 3}));
    let mistyped = patch(&client, &format!("{one}/status"), json!({"status": {"seen": "x"}})).await;
    assert_eq!(mistyped["code"], 422);
}

/// ST-T4. The texts are a kube-apiserver's.
#[tokio::test(start_paused = true)]
async fn an_object_has_to_say_what_it_is() {
    let (_server, client) = server();
    create(&client, DEFINITIONS, definition()).await;
    let message = async |body: Value| {
        post(&client, FOOS, body).await["message"].as_str().unwrap_or_default().to_owned()
    };
    let nameless = message(json!({"metadata": {"name": "a"}, "spec": {"size": 1}})).await;
    assert_eq!(
        nameless,
        "the object provided is unrecognized (must be of type Foo): Object 'Kind' is missing in \
         '{\"metadata\":{\"name\":\"a\"},\"spec\":{\"size\":1}}' ({\"metadata\":{\"name\":\"a\"},\"spec ...)"
    );
    let elsewhere = message(json!({"apiVersion": "v1", "kind": "Foo", "metadata": {"name": "a"}})).await;
    assert_eq!(
        elsewhere,
        "the API version in the data (v1) does not match the expected API version (example.com/v1)"
    );
    let other =
        message(json!({"apiVersion": "example.com/v1", "kind": "Bar", "metadata": {"name": "a"}})).await;
    assert_eq!(other, "Bar.example.com \"a\" is invalid: kind: Invalid value: \"Bar\": must be Foo");
}

/// Upstream's `MustPassThroughDefaulting`: what was stored before shows what a schema wants that came later.
#[tokio::test(start_paused = true)]
async fn a_schema_that_comes_later_holds_for_what_is_stored_already() {
    let (_server, client) = server();
    let mut later = create(&client, DEFINITIONS, definition()).await;
    create(&client, FOOS, foo(json!({"size": 1}))).await;
    let spec =
        &mut later["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    spec["colour"] = json!({"type": "string", "default": "blue"});
    spec.as_object_mut().expect("properties").remove("mode");
    send(&client, Method::PUT, &format!("{DEFINITIONS}/foos.example.com"), Some(later)).await;
    let expected = json!({"size": 1, "colour": "blue"});
    assert_eq!(send(&client, Method::GET, &format!("{FOOS}/a"), None).await["spec"], expected);
    assert_eq!(send(&client, Method::GET, FOOS, None).await["items"][0]["spec"], expected);
    let patched = patch(&client, &format!("{FOOS}/a"), json!({"spec": {"size": 2}})).await;
    assert_eq!(patched["spec"], json!({"size": 2, "colour": "blue"}));
}
