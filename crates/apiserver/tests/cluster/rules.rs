//! Rules of single kinds, in the words of a kube-apiserver 1.36.3.

use http::Method;
use serde_json::{Value, json};

use crate::fixtures::{create, pod, send, server};

#[tokio::test(start_paused = true)]
async fn what_every_cluster_has_to_have_is_not_deleted() {
    let (_server, client) = server();
    for name in ["default", "kube-public", "kube-system"] {
        let refused = send(&client, Method::DELETE, &format!("/api/v1/namespaces/{name}"), None).await;
        let because = format!("namespaces {name:?} is forbidden: this namespace may not be deleted");
        assert_eq!((&refused["code"], &refused["message"]), (&json!(403), &json!(because)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_field_that_is_wrong() {
    let (_server, client) = server();
    let event = |rest: Value| {
        let mut event = json!({"metadata": {"name": "a"}, "reason": "R", "type": "Normal"});
        rest.as_object().expect("fields").iter().for_each(|(field, value)| event[field] = value.clone());
        event
    };
    let owner = json!({"apiVersion": "v1", "kind": "Event", "name": "x", "uid": "x"});
    let core = "/api/v1/namespaces/default";
    for (path, body, message) in [
        (
            format!("{core}/secrets"),
            json!({"metadata": {"name": "a", "ownerReferences": [owner]}}),
            "/v1, Kind=Event is disallowed from being an owner",
        ),
        (
            format!("{core}/events"),
            event(json!({"involvedObject": {"kind": "Pod", "name": "p", "namespace": "elsewhere"}})),
            "Event \"a\" is invalid: involvedObject.namespace: Invalid value: \"elsewhere\": does not match \
             event.namespace",
        ),
        (
            "/apis/events.k8s.io/v1/namespaces/default/events".to_owned(),
            event(json!({"regarding": {"kind": "Pod", "name": "p", "namespace": "default"}})),
            "eventTime: Required value",
        ),
        (
            "/apis/certificates.k8s.io/v1/certificatesigningrequests".to_owned(),
            json!({"metadata": {"name": "a"}, "spec": {"request": "bm90IGEgcmVxdWVzdA==",
                "signerName": "example.com/x", "usages": ["client auth"]}}),
            "spec.request: Invalid value: \"bm90IGEgcmVxdWVzdA==\": PEM block type must be CERTIFICATE REQUEST",
        ),
        (
            format!("{core}/configmaps"),
            json!({"metadata": {"name": "a"}, "data": {"x": "y".repeat(1024 * 1024 + 1)}}),
            "ConfigMap \"a\" is invalid: []: Too long: may not be more than 1048576 bytes",
        ),
    ] {
        let refused = send(&client, Method::POST, &path, Some(body)).await;
        assert_eq!(refused["code"], 422, "{path}: {refused}");
        assert!(refused["message"].as_str().expect("a message").ends_with(message), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_value_of_a_priority_does_not_change() {
    let (_server, client) = server();
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "p"},
        "value": 5});
    create(&client, classes, class).await;
    let refused = send(&client, Method::PATCH, &format!("{classes}/p"), Some(json!({"value": 6}))).await;
    let because = "PriorityClass.scheduling.k8s.io \"p\" is invalid: value: Forbidden: may not be changed in an update.";
    assert_eq!(refused["message"], because);
}

#[tokio::test(start_paused = true)]
async fn a_status_is_checked_and_a_deployments_keeps_the_labels() {
    let (_server, client) = server();
    for (kind, plural) in [("ReplicaSet", "replicasets"), ("Deployment", "deployments")] {
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]});
        let spec = json!({"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template});
        let path = format!("/apis/apps/v1/namespaces/default/{plural}");
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec});
        create(&client, &path, object).await;
        let own = json!({"metadata": {"labels": {"x": "y"}, "annotations": {"x": "y"}}});
        let written = send(&client, Method::PATCH, &format!("{path}/a/status"), Some(own)).await;
        let label = if kind == "Deployment" { Value::Null } else { json!("y") };
        assert_eq!(written["metadata"]["labels"]["x"], label, "{kind}");
        assert_eq!(written["metadata"]["annotations"]["x"], "y");
        assert_eq!(written["metadata"]["generation"], 1);
        let annotated = json!({"metadata": {"annotations": {"x": "z"}}});
        let written = send(&client, Method::PATCH, &format!("{path}/a"), Some(annotated)).await;
        let generation = if kind == "Deployment" { 2 } else { 1 };
        assert_eq!(written["metadata"]["generation"], generation, "{kind}: annotations are copied");
    }
    let sets = "/apis/apps/v1/namespaces/default/replicasets";
    let counts = json!({"status": {"replicas": 5, "readyReplicas": 2, "availableReplicas": 3}});
    let refused = send(&client, Method::PATCH, &format!("{sets}/a/status"), Some(counts)).await;
    let because = "ReplicaSet.apps \"a\" is invalid: status.availableReplicas: Invalid value: 3: cannot be greater than \
                   readyReplicas";
    assert_eq!(refused["message"], because);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_cannot_be_selected_is_refused_in_the_words_of_the_kind() {
    let (_server, client) = server();
    for (path, because) in [
        (
            "/apis/apps/v1/replicasets",
            "\"x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        ),
        ("/api/v1/pods", "field label not supported: x"),
        ("/apis/batch/v1/jobs", "field label \"x\" not supported for Job"),
    ] {
        let refused = send(&client, Method::GET, &format!("{path}?fieldSelector=x%3Dy"), None).await;
        assert_eq!((&refused["code"], &refused["message"]), (&json!(400), &json!(because)), "{path}");
    }
}
