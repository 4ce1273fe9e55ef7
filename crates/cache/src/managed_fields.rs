//! [`ManagedFields`]: whether decoded objects keep `managedFields`, a quarter of a usual object's text and more than a
//! quarter of its memory.

/// Whether to decode `metadata.managedFields`: see [`Object::decode`].
///
/// [`Object::decode`]: crate::Object::decode
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ManagedFields {
    /// Skips them, so that they read as empty. Hardly any controller reads them.
    #[default]
    Dropped,
    /// Decodes them.
    Kept,
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use k8s_openapi::api::core::v1::Pod;
    use kube_client::core::{DynamicObject, PartialObjectMeta};
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use crate::{Json, MetaView};

    /// Returns an object with every kind of JSON value, and with `managedFields` where it must not be skipped.
    fn pod() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "a", "labels": {"managedFields": "kept", "q\"uote": "ü"}, "generation": 3,
                "managedFields": [{"manager": "test", "fieldsV1": {"f:metadata": {}}}],
                "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u", "controller": true}],
            },
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}], "priority": -1},
            "status": {"phase": "Running"},
        })
    }

    fn check<T: DeserializeOwned + Debug>() {
        let mut without = pod();
        without["metadata"].as_object_mut().unwrap().remove("managedFields");
        let text = pod().to_string();
        let decoded: T = T::deserialize(Json::new(&text).without_managed_fields()).unwrap();
        let expected: T = serde_json::from_value(without).unwrap();
        assert_eq!(format!("{decoded:?}"), format!("{expected:?}"));
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "compared as text")]
    struct View {
        metadata: Option<MetaView>,
        status: Value,
    }

    #[test]
    fn only_managed_fields_are_left_out_whatever_the_type() {
        check::<Pod>();
        check::<View>();
        check::<Value>();
        check::<DynamicObject>();
        check::<PartialObjectMeta<Pod>>();
        check::<Box<Option<View>>>();
    }
}
