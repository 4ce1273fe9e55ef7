//! Defaults: those of Pods and their templates, and what sets the others.

pub(super) mod pod;
pub(super) mod volume;

use serde_json::{Map, Value, json};

pub(crate) use self::pod::qos_class;
use super::quantity;

/// The fields of a JSON object.
pub(super) type Fields = Map<String, Value>;

/// Puts the quantities of the map in a field into their one form.
pub(super) fn quantities(owner: &mut Fields, field: &str) {
    for (_, quantity) in object(owner, field).into_iter().flatten() {
        quantity::canonical_resource(quantity);
    }
}

pub(super) fn quantity_of(owner: &mut Fields, field: &str) {
    if let Some(quantity) = owner.get_mut(field) {
        quantity::canonical(quantity);
    }
}

/// Sets absent fields. A default is converted to a value only if its field is absent.
pub(super) fn fill<'a, D: Into<Value>>(
    fields: &mut Fields,
    defaults: impl IntoIterator<Item = (&'a str, D)>,
) {
    for (field, default) in defaults {
        if fields.get(field).is_none_or(Value::is_null) {
            fields.insert(field.to_owned(), default.into());
        }
    }
}

/// The object in a field, if there is one.
pub(super) fn object<'a>(fields: &'a mut Fields, field: &str) -> Option<&'a mut Fields> {
    fields.get_mut(field)?.as_object_mut()
}

/// The objects of the list in a field.
pub(super) fn items<'a>(fields: &'a mut Fields, field: &str) -> impl Iterator<Item = &'a mut Fields> {
    let list = fields.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten();
    list.filter_map(Value::as_object_mut)
}

/// Sets the default protocol of ports, TCP.
pub(super) fn ports(owner: &mut Fields) {
    items(owner, "ports").for_each(|port| fill(port, [("protocol", json!("TCP"))]));
}

/// Returns the fields of an object.
pub(super) fn whole(object: &mut Value) -> &mut Fields {
    object.as_object_mut().expect("only JSON objects are decoded")
}

/// Fills in a field of which `list` holds all values, in `part` of each item, as Go's conversions do: the one counts if both
/// are there.
pub(super) fn align(owner: &mut Fields, one: &str, list: &str, part: Option<&str>) {
    let value = owner.get(one).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    let first = owner.get(list).and_then(Value::as_array).and_then(|all| all.first());
    let first = first.map(|first| part.map_or(first, |part| &first[part]));
    match (value.cloned(), first.cloned()) {
        (Some(value), first) if first.as_ref() != Some(&value) => {
            let item = part.map_or_else(|| value.clone(), |part| json!({ part: value }));
            owner.insert(list.to_owned(), json!([item]));
        }
        (None, Some(first)) if first.is_string() => {
            owner.insert(one.to_owned(), first);
        }
        _ => {}
    }
}

/// Sets the phase of a status without one.
pub(super) fn phase(object: &mut Value, phase: &str) {
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        fill(status, [("phase", json!(phase))]);
    }
}

/// The object's spec; made if it has none.
pub(super) fn spec(object: &mut Value) -> &mut Fields {
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
        (kind.strategy.set_defaults)(&mut object);
        let once = object.clone();
        (kind.strategy.set_defaults)(&mut object);
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
