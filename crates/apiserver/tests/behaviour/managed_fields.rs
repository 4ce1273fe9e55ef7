//! Who manages which fields, after writes that are no applies.

use serde_json::{Map, Value, json};
use trimtab_apiserver::ApiServer;

use crate::fixtures::{request, send_json};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// The fields of each manager, by `manager Operation`, with the path that was used if it was not the object's own.
pub(crate) fn managers(object: &Value) -> Value {
    let mut managers = Map::new();
    for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        let mut name = format!("{} {}", text("manager"), text("operation"));
        if !text("subresource").is_empty() {
            name = format!("{name}/{}", text("subresource"));
        }
        assert!(managers.insert(name, entry["fieldsV1"].clone()).is_none(), "one entry for each manager");
    }
    managers.into()
}

async fn merge(server: &ApiServer, path: &str, patch: &Value) -> Value {
    let request = request("PATCH", path).header("content-type", "application/merge-patch+json");
    let request = request.body(patch.to_string().into_bytes()).expect("a valid request");
    server.client().request(request).await.expect("the patch is taken")
}

async fn create(server: &ApiServer, path: &str, object: &Value) -> Value {
    send_json(&server.client(), "POST", path, object).await.expect("the object is made")
}

fn config_map(data: &Value) -> Value {
    json!({"metadata": {"name": "a", "labels": {"l": "1"}, "annotations": {"x": "y"}}, "data": data})
}

#[tokio::test(start_paused = true)]
async fn whoever_writes_a_field_manages_it_alone() {
    let server = ApiServer::start();
    let made =
        create(&server, &format!("{MAPS}?fieldManager=me"), &config_map(&json!({"a": "1", "b": "2"}))).await;
    let all = json!({
        "f:data": {".": {}, "f:a": {}, "f:b": {}},
        "f:metadata": {"f:annotations": {".": {}, "f:x": {}}, "f:labels": {".": {}, "f:l": {}}},
    });
    assert_eq!(managers(&made), json!({"me Update": all}));
    let entry = &made["metadata"]["managedFields"][0];
    assert_eq!(entry["apiVersion"], "v1");
    assert_eq!(entry["fieldsType"], "FieldsV1");
    assert_eq!(entry["time"], made["metadata"]["creationTimestamp"]);
    let path = format!("{MAPS}/a?fieldManager=you");
    let patch =
        json!({"data": {"a": "9", "b": null}, "metadata": {"labels": {"m": "n"}, "annotations": null}});
    let written = merge(&server, &path, &patch).await;
    let expected = json!({
        "me Update": {"f:data": {".": {}}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}},
        "you Update": {"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:m": {}}}},
    });
    let mut expected = expected;
    expected["me Update"]["f:data"] = json!({}); // a member without children
    assert_eq!(managers(&written), expected);
    // Nothing changes, so nobody wrote.
    assert_eq!(merge(&server, &format!("{MAPS}/a?fieldManager=third"), &patch).await, written);
}

#[tokio::test(start_paused = true)]
async fn a_writer_is_called_by_its_user_agent_and_each_path_has_its_own_entry() {
    let server = ApiServer::start();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let client = server.client_as("maker/1.0 (test)");
    let made = send_json(&client, "POST", "/api/v1/namespaces/default/pods", &pod).await.unwrap();
    let fields = &managers(&made)["maker Update"];
    assert_eq!(fields["f:status"], Value::Null, "the status is not its own");
    let container = &fields["f:spec"]["f:containers"][r#"k:{"name":"c"}"#];
    for member in [".", "f:name", "f:image", "f:imagePullPolicy", "f:terminationMessagePath"] {
        assert_eq!(container[member], json!({}), "{member}");
    }
    assert_eq!(fields["f:spec"]["f:containers"]["."], Value::Null, "every Pod has containers");
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let path = "/api/v1/namespaces/default/pods/p/status?fieldManager=node";
    let running = merge(&server, path, &ready).await;
    let own = &managers(&running)["node Update/status"]["f:status"];
    assert_eq!(own["f:phase"], json!({}));
    assert_eq!(own["f:conditions"][r#"k:{"type":"Ready"}"#]["f:status"], json!({}));
    assert_eq!(managers(&running)["maker Update"], *fields);
}

#[tokio::test(start_paused = true)]
async fn clients_can_set_and_forget_managers_and_what_makes_no_sense_is_ignored() {
    let server = ApiServer::start();
    create(&server, &format!("{MAPS}?fieldManager=me"), &config_map(&json!({"a": "1"}))).await;
    let path = format!("{MAPS}/a?fieldManager=you");
    let entry = |operation: &str, fields: Value| {
        json!({"metadata": {"managedFields": [{
            "manager": "set", "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2020-01-01T01:00:00+01:00", "fieldsV1": fields,
        }]}})
    };
    let set = merge(&server, &path, &entry("Apply", json!({"f:data": {"f:a": {}}}))).await;
    assert_eq!(managers(&set), json!({"set Apply": {"f:data": {"f:a": {}}}}));
    assert_eq!(set["metadata"]["managedFields"][0]["time"], "2020-01-01T00:00:00Z");
    for senseless in [entry("Steal", json!({})), entry("Apply", json!({"data": {}}))] {
        assert_eq!(merge(&server, &path, &senseless).await, set);
    }
    assert_eq!(merge(&server, &path, &json!({"metadata": {"managedFields": null}})).await, set);
    let forget = |list: Value| json!({"metadata": {"managedFields": list}});
    let forgotten = merge(&server, &path, &forget(json!([{}]))).await;
    assert_eq!(managers(&forgotten), json!({}));
    let again = merge(&server, &path, &entry("Apply", json!({"f:data": {"f:a": {}}}))).await;
    assert_eq!(managers(&again), managers(&set));
    let forgotten = merge(&server, &path, &forget(json!([]))).await;
    assert_eq!(managers(&forgotten), json!({}));
    // From here on nobody keeps account, until somebody applies.
    let written = merge(&server, &path, &json!({"data": {"b": "2"}})).await;
    assert_eq!(managers(&written), json!({}));
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "2"}});
    let request = request("PATCH", &format!("{MAPS}/a?fieldManager=one"))
        .header("content-type", "application/apply-patch+yaml")
        .body(config.to_string().into_bytes());
    let applied: Value = server.client().request(request.unwrap()).await.unwrap();
    let before = &managers(&applied)["before-first-apply Update"];
    assert_eq!(before["f:data"], json!({".": {}, "f:a": {}, "f:b": {}}));
    assert_eq!(managers(&applied)["one Apply"], json!({"f:data": {"f:b": {}}}));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_of_more_than_ten_updaters_are_joined() {
    let server = ApiServer::start();
    create(&server, &format!("{MAPS}?fieldManager=m0"), &config_map(&json!({"k0": "v"}))).await;
    let mut written = Value::Null;
    for number in 1..=12 {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let path = format!("{MAPS}/a?fieldManager=m{number}");
        written = merge(&server, &path, &json!({"data": {format!("k{number}"): "v"}})).await;
    }
    let managers = managers(&written);
    assert_eq!(managers.as_object().unwrap().len(), 10);
    let ancient = &managers["ancient-changes Update"]["f:data"];
    for number in 0..=3 {
        assert_eq!(ancient[format!("f:k{number}")], json!({}));
    }
    assert_eq!(managers["m4 Update"], json!({"f:data": {"f:k4": {}}}));
}
