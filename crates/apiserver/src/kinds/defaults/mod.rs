//! What upstream fills in where a writer leaves it out, as far as controllers and kubectl rely on it.

mod pod;
mod workload;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

pub(super) use self::pod::qos_class;
use super::Kind;

/// The fields of a JSON object.
type Fields = Map<String, Value>;

/// Sets the defaults of an object of `kind`. Setting them again changes nothing.
pub(super) fn set(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::pod(spec(object)),
        ("", "ReplicationController") => workload::replication_controller(object),
        ("apps", name) if name != "ControllerRevision" => workload::workload(name, spec(object)),
        ("batch", "Job") => workload::job(spec(object)),
        ("batch", "CronJob") => workload::cron_job(spec(object)),
        ("", "Secret") => secret(object.as_object_mut().expect("only JSON objects are decoded")),
        ("", "Service") => service(spec(object)),
        ("", "PersistentVolumeClaim") => fill(spec(object), [("volumeMode", json!("Filesystem"))]),
        ("networking.k8s.io", "NetworkPolicy") => network_policy(spec(object)),
        _ => {}
    }
}

/// Data may be sent as plain text, too; it is kept in one form.
fn secret(secret: &mut Fields) {
    fill(secret, [("type", json!("Opaque"))]);
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    fill(secret, [("data", json!({}))]);
    if let Some(data) = object(secret, "data") {
        for (key, text) in plain {
            data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

/// No address is allocated: nothing routes to it.
fn service(spec: &mut Fields) {
    fill(spec, [("type", json!("ClusterIP")), ("sessionAffinity", json!("None"))]);
    for port in items(spec, "ports") {
        fill(port, [("protocol", json!("TCP"))]);
        if let Some(number) = port.get("port").cloned() {
            fill(port, [("targetPort", number)]);
        }
    }
    if spec["type"] != "ExternalName" {
        fill(spec, [("internalTrafficPolicy", json!("Cluster"))]);
    }
}

fn network_policy(spec: &mut Fields) {
    let mut types = vec!["Ingress"];
    if spec.contains_key("egress") {
        types.push("Egress");
    }
    fill(spec, [("policyTypes", json!(types))]);
}

/// Sets fields that are absent.
fn fill<'a>(fields: &mut Fields, defaults: impl IntoIterator<Item = (&'a str, Value)>) {
    for (field, value) in defaults {
        if fields.get(field).is_none_or(Value::is_null) {
            fields.insert(field.to_owned(), value);
        }
    }
}

/// The object in a field, if there is one.
fn object<'a>(fields: &'a mut Fields, field: &str) -> Option<&'a mut Fields> {
    fields.get_mut(field)?.as_object_mut()
}

/// The objects of the list in a field.
fn items<'a>(fields: &'a mut Fields, field: &str) -> impl Iterator<Item = &'a mut Fields> {
    let list = fields.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten();
    list.filter_map(Value::as_object_mut)
}

/// The object's spec; made if it has none.
fn spec(object: &mut Value) -> &mut Fields {
    let object = object.as_object_mut().expect("only JSON objects are decoded");
    let spec = object.entry("spec").or_insert_with(|| json!({}));
    if !spec.is_object() {
        *spec = json!({}); // validation then tells what is missing
    }
    spec.as_object_mut().expect("made an object above")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Kinds;

    fn completed(group: &str, plural: &str, mut object: Value) -> Value {
        let kind = Kinds::built_in().get(group, "v1", plural).expect("built in");
        set(&kind, &mut object);
        let once = object.clone();
        set(&kind, &mut object);
        assert_eq!(object, once, "setting defaults again changes nothing");
        object
    }

    #[test]
    fn a_pod_is_completed_as_upstream_does_it() {
        let pod = completed(
            "",
            "pods",
            json!({"spec": {
                "containers": [{
                    "name": "main",
                    "image": "registry:5000/app",
                    "ports": [{"containerPort": 80}],
                    "livenessProbe": {"httpGet": {"port": 80}},
                    "resources": {"limits": {"cpu": 1}},
                }],
                "volumes": [{"name": "v", "configMap": {"name": "c"}}],
            }}),
        );
        let spec = &pod["spec"];
        assert_eq!(spec["restartPolicy"], "Always");
        let container = &spec["containers"][0];
        assert_eq!(container["imagePullPolicy"], "Always");
        assert_eq!(container["ports"][0]["protocol"], "TCP");
        assert_eq!(container["livenessProbe"]["httpGet"], json!({"port": 80, "path": "/", "scheme": "HTTP"}));
        assert_eq!(container["resources"], json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}));
        assert_eq!(spec["volumes"][0]["configMap"]["defaultMode"], 420);
        assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
        assert_eq!(qos_class(&pod), "Burstable");
    }

    #[test]
    fn a_deployment_rolls_by_a_quarter_unless_it_recreates() {
        let deployment = completed("apps", "deployments", json!({"spec": {"template": {"spec": {}}}}));
        assert_eq!(deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
        assert_eq!(deployment["spec"]["template"]["spec"]["dnsPolicy"], "ClusterFirst");
        assert!(deployment["spec"]["template"]["spec"].get("tolerations").is_none());
        let recreate = json!({"spec": {"strategy": {"type": "Recreate"}}});
        let strategy = &completed("apps", "deployments", recreate)["spec"]["strategy"];
        assert_eq!(*strategy, json!({"type": "Recreate"}));
    }

    #[test]
    fn the_text_of_a_secret_is_kept_as_data() {
        let secret = completed("", "secrets", json!({"stringData": {"a": "b"}, "data": {"c": "ZA=="}}));
        assert_eq!(secret, json!({"type": "Opaque", "data": {"a": "Yg==", "c": "ZA=="}}));
    }
}
