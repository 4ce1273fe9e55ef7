//! Hooks that see every write, as webhooks do.

use serde_json::json;
use trimtab_apiserver::{ApiServer, Denied, Operation};

use crate::fixtures::{refusal, send, send_json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test(start_paused = true)]
async fn a_mutating_hook_changes_what_is_stored() {
    let server = ApiServer::builder()
        .mutating("team.example.com", |admission| {
            if let (Operation::Create, Some(object)) = (admission.operation, &mut admission.object) {
                object["metadata"]["labels"]["team"] = "blue".into();
            }
            Ok(())
        })
        .start();
    let client = server.client();
    let made = send_json(&client, "POST", MAPS, &json!({"metadata": {"name": "a"}})).await.expect("created");
    assert_eq!(made["metadata"]["labels"]["team"], "blue");
    let read = send(&client, "GET", &format!("{MAPS}/a")).await.expect("found");
    assert_eq!(read["metadata"]["labels"]["team"], "blue");
}

#[tokio::test(start_paused = true)]
async fn a_validating_hook_refuses_creations_changes_and_deletions() {
    let server = ApiServer::builder()
        .validating("frozen.example.com", |admission| {
            let is_frozen = admission.old.is_some_and(|old| old["data"]["frozen"] == "yes");
            let is_bad = admission.object.as_ref().is_some_and(|object| object["data"]["bad"] == "yes");
            match (is_frozen, is_bad) {
                (true, _) => Err(Denied::new(format!("{} is frozen", admission.name)).code(403)),
                (_, true) => Err(Denied::new("")),
                _ => Ok(()),
            }
        })
        .start();
    let client = server.client();
    let bad = json!({"metadata": {"name": "b"}, "data": {"bad": "yes"}});
    let refused = refusal(send_json(&client, "POST", MAPS, &bad).await);
    assert_eq!(refused.code, 400);
    assert_eq!(
        refused.message,
        "admission webhook \"frozen.example.com\" denied the request without explanation"
    );
    let mut frozen = json!({"metadata": {"name": "f"}, "data": {"frozen": "yes"}});
    send_json(&client, "POST", MAPS, &frozen).await.expect("created");
    frozen["data"]["frozen"] = "no".into();
    let path = format!("{MAPS}/f");
    for outcome in [send_json(&client, "PUT", &path, &frozen).await, send(&client, "DELETE", &path).await] {
        let refused = refusal(outcome);
        assert_eq!(refused.code, 403);
        assert_eq!(
            refused.message,
            "admission webhook \"frozen.example.com\" denied the request: f is frozen"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_hook_leaves_is_read_like_what_a_client_sends() {
    let server = ApiServer::builder()
        .mutating("careless", |admission| {
            if let Some(object) = &mut admission.object {
                object["data"] = "text".into();
            }
            Ok(())
        })
        .start();
    let refused =
        refusal(send_json(&server.client(), "POST", MAPS, &json!({"metadata": {"name": "a"}})).await);
    assert_eq!(refused.code, 500);
    assert!(refused.message.starts_with("a mutating admission hook left no object: "), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_fails_the_request_and_not_the_server() {
    let server = ApiServer::builder().validating("broken", |_| panic!("a bug in a test's hook")).start();
    let refused =
        refusal(send_json(&server.client(), "POST", MAPS, &json!({"metadata": {"name": "a"}})).await);
    assert_eq!(refused.code, 500);
    assert!(refused.message.contains("\"broken\": it panicked"), "{}", refused.message);
    send(&server.client(), "GET", MAPS).await.expect("the server runs");
}
