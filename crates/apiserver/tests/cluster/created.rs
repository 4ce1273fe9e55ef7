//! Objects as a real server answers their creation: kube-apiserver 1.36.3's answers, written down in
//! `real/created.jsonl` as path, body and answer, and its refusals in `real/refused.jsonl` as path, body, code,
//! message and causes, are what ours are. What differs from run to run (times, UIDs,
//! the addresses and ports of Services) stands there as a word.

use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;

use crate::fixtures::send;

const CREATED: &str = include_str!("real/created.jsonl");
const REFUSED: &str = include_str!("real/refused.jsonl");

/// The answer with a word for whatever differs from run to run.
fn scrubbed(answer: &Value, uid: &str, field: &str) -> Value {
    match answer {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(field, _)| !matches!(field.as_str(), "uid" | "resourceVersion" | "managedFields"));
            let word = |field: &str, value: &Value| match field {
                _ if value.is_null() => Value::Null,
                "creationTimestamp" | "lastTransitionTime" | "lastPhaseTransitionTime" => "TIME".into(),
                "nodePort" | "healthCheckNodePort" => "PORT".into(),
                _ => scrubbed(value, uid, field),
            };
            kept.map(|(field, value)| (field.clone(), word(field, value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| scrubbed(item, uid, field)).collect(),
        Value::String(text) if text == uid => "UID".into(),
        Value::String(text) if matches!(field, "clusterIP" | "clusterIPs") && text != "None" => {
            "ADDRESS".into()
        }
        other => other.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_created_object_is_completed_as_a_real_server_completes_it() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let mut differing = Vec::new();
    for line in CREATED.lines() {
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        let [path, sent, expected] = [0, 1, 2].map(|position| recorded[position].clone());
        let path = path.as_str().expect("a path");
        let answer = send(&client, http::Method::POST, path, Some(sent)).await;
        let uid = answer["metadata"]["uid"].as_str().unwrap_or_default();
        let found = scrubbed(&answer, uid, "");
        if found != expected {
            differing.push(json!({"path": path, "found": found, "expected": expected}));
        }
    }
    assert!(CREATED.lines().count() > 60);
    assert!(differing.is_empty(), "{differing:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_real_server_refuses_is_refused_in_its_words() {
    let server = ApiServer::builder().controllers(false).start();
    let client = server.client();
    let mut differing = Vec::new();
    for line in REFUSED.lines() {
        let recorded: Value = serde_json::from_str(line).expect("JSON");
        let path = recorded[0].as_str().expect("a path");
        let answer = send(&client, http::Method::POST, path, Some(recorded[1].clone())).await;
        let causes = answer["details"]["causes"].as_array().into_iter().flatten();
        let text = |cause: &Value, field: &str| cause[field].as_str().unwrap_or_default().to_owned();
        let causes: Vec<String> =
            causes.map(|cause| format!("{} {}", text(cause, "field"), text(cause, "reason"))).collect();
        let found = json!([answer["code"], answer["message"], causes]);
        let expected = json!([recorded[2], recorded[3], recorded[4]]);
        if found != expected {
            differing.push(json!({"path": path, "found": found, "expected": expected}));
        }
    }
    assert!(REFUSED.lines().count() > 60);
    assert!(differing.is_empty(), "{differing:#?}");
}
