//! The cells of several kinds that keep Pods.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{array, label_selector, labels, number, text};

/// `2/3`: ready and desired.
pub(crate) fn replicas_ready(object: &Value, _: Timestamp) -> Value {
    format!("{}/{}", number(object, "/status/readyReplicas"), number(object, "/spec/replicas")).into()
}

pub(crate) fn containers(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/name")
}

pub(crate) fn images(object: &Value, _: Timestamp) -> Value {
    of_containers(object, "/image")
}

fn of_containers(object: &Value, field: &str) -> Value {
    let containers = array(object, "/spec/template/spec/containers");
    containers.iter().map(|container| text(container, field)).collect::<Vec<_>>().join(",").into()
}

/// A `LabelSelector` in the grammar of `kubectl -l`; a ReplicationController's map likewise.
pub(crate) fn selector(object: &Value, _: Timestamp) -> Value {
    let selector = &object["spec"]["selector"];
    if selector.get("matchLabels").is_none() && selector.get("matchExpressions").is_none() {
        return labels(selector, "").into();
    }
    label_selector(selector).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::NONE, *};

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    #[test]
    fn selectors_are_written_as_kubectl_takes_them() {
        let object = |selector: Value| selector_of(&json!({"spec": {"selector": selector}}));
        fn selector_of(object: &Value) -> Value {
            selector(object, NOW)
        }
        assert_eq!(object(json!({"matchLabels": {"tier": "x", "app": "web"}})), "app=web,tier=x");
        let expressions = json!({"matchLabels": {"z": "1"}, "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["2", "1"]},
            {"key": "a", "operator": "DoesNotExist"},
            {"key": "c", "operator": "Exists"},
        ]});
        assert_eq!(object(expressions), "!a,b in (1,2),c,z=1");
        assert_eq!(object(json!({"app": "old"})), "app=old");
        assert_eq!(object(json!({})), NONE);
    }
}
