//! Upstream's defaults, as far as controllers and kubectl rely on them.

mod control;
mod network;
mod pod;
mod scaling;
mod storage;
mod volume;
mod workload;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

pub(crate) use self::pod::qos_class;
pub(super) use self::{
    network::families,
    workload::{TEMPLATE_GENERATION, name_job},
};
use super::{Kind, quantity, version};

/// The fields of a JSON object.
type Fields = Map<String, Value>;

/// Sets the defaults of an object of `kind`. Setting them again changes nothing.
pub(super) fn set(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::pod(spec(object)),
        ("", "PodTemplate") => pod::template(whole(object)),
        ("", "ReplicationController") => workload::replication_controller(object),
        ("apps", "ControllerRevision") => {}
        ("apps", name) => workload::workload(name, object),
        ("batch", "Job") => workload::job(object),
        ("batch", "CronJob") => workload::cron_job(spec(object)),
        ("", "Secret") => secret(whole(object)),
        ("", "Service") => network::service(spec(object)),
        ("", "Endpoints") => network::endpoints(whole(object)),
        ("discovery.k8s.io", _) => network::endpoint_slice(whole(object)),
        ("networking.k8s.io", "NetworkPolicy") => network::network_policy(spec(object)),
        ("networking.k8s.io", "IngressClass") => network::ingress_class(spec(object)),
        ("", "PersistentVolumeClaim") => storage::claim(spec(object)),
        ("", "PersistentVolume") => storage::volume(spec(object)),
        ("", "LimitRange") => limit_range(spec(object)),
        ("", "ResourceQuota") => quantities(spec(object), "hard"),
        ("storage.k8s.io", "StorageClass") => storage::class(whole(object)),
        ("storage.k8s.io", "CSIDriver") => storage::csi_driver(spec(object)),
        ("storage.k8s.io", "CSINode") => storage::csi_node(spec(object)),
        ("storage.k8s.io", "CSIStorageCapacity") => quantity_of(whole(object), "capacity"),
        _ => set_control(kind, object),
    }
}

/// The same, for what steers the server and scales its workloads.
fn set_control(kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Event") => control::event(whole(object), true),
        ("events.k8s.io", _) => control::event(whole(object), false),
        ("autoscaling", _) if kind.version == "v1" => {
            version::scaler_to_v2(object);
            scaling::pod_autoscaler(spec(object));
            version::scaler_to_v1(object);
        }
        ("autoscaling", _) => scaling::pod_autoscaler(spec(object)),
        ("admissionregistration.k8s.io", name) if name.ends_with("WebhookConfiguration") => {
            control::webhooks(whole(object), name.starts_with("Mutating"));
        }
        ("admissionregistration.k8s.io", name) => {
            control::admission_policy(spec(object), name.ends_with("Binding"));
        }
        ("apiregistration.k8s.io", _) => control::api_service(spec(object)),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding" | "RoleBinding") => {
            control::role_binding(whole(object));
        }
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => {
            fill(spec(object), [("matchingPrecedence", json!(1000))]);
        }
        ("flowcontrol.apiserver.k8s.io", _) => control::priority_level(spec(object)),
        ("scheduling.k8s.io", _) => {
            fill(whole(object), [("preemptionPolicy", json!("PreemptLowerPriority"))]);
        }
        ("rbac.authorization.k8s.io", _) => control::role(whole(object)),
        ("resource.k8s.io", "ResourceSlice") => control::resource_slice(spec(object)),
        ("resource.k8s.io", "ResourceClaim") => control::resource_claim(spec(object)),
        ("resource.k8s.io", "ResourceClaimTemplate") => {
            control::resource_claim_template(spec(object));
        }
        _ => {}
    }
}

fn limit_range(spec: &mut Fields) {
    for limit in items(spec, "limits") {
        for field in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
            quantities(limit, field);
        }
    }
}

/// Puts the quantities of the map in a field into their one form.
fn quantities(owner: &mut Fields, field: &str) {
    for (_, quantity) in object(owner, field).into_iter().flatten() {
        quantity::canonical_resource(quantity);
    }
}

fn quantity_of(owner: &mut Fields, field: &str) {
    if let Some(quantity) = owner.get_mut(field) {
        quantity::canonical(quantity);
    }
}

/// Data may be sent as plain text, too; it is kept in one form.
fn secret(secret: &mut Fields) {
    if secret.get("type") == Some(&json!("")) {
        secret.remove("type");
    }
    fill(secret, [("type", json!("Opaque"))]);
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    fill(secret, [("data", json!({}))]);
    if let Some(data) = object(secret, "data") {
        for (key, text) in plain {
            data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

/// Sets fields that are absent; most are there, so a default becomes a value only where it is needed.
fn fill<'a, D: Into<Value>>(fields: &mut Fields, defaults: impl IntoIterator<Item = (&'a str, D)>) {
    for (field, default) in defaults {
        if fields.get(field).is_none_or(Value::is_null) {
            fields.insert(field.to_owned(), default.into());
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

/// All of an object.
fn whole(object: &mut Value) -> &mut Fields {
    object.as_object_mut().expect("only JSON objects are decoded")
}

/// The object's spec; made if it has none.
fn spec(object: &mut Value) -> &mut Fields {
    let object = whole(object);
    let spec = object.entry("spec").or_insert_with(|| json!({}));
    if !spec.is_object() {
        *spec = json!({}); // validation then tells what is missing
    }
    spec.as_object_mut().expect("made an object above")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Kinds;

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
