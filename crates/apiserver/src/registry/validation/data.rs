//! Validation of the data of `ConfigMap`s and Secrets, and of amounts.

use serde_json::{Value, json};

use crate::{
    api::{path::Path, status::Cause},
    registry::quantity,
};

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// The most bytes that a `ConfigMap`'s or a Secret's data may have.
const DATA_LIMIT: usize = 1024 * 1024;

/// Validates the data of a `ConfigMap` or a Secret. The field `encoded` holds bytes in base64; the error of too many bytes is
/// that of the field `whole`.
pub(in crate::registry) fn map(map: &Value, encoded: &str, whole: &str, causes: &mut Vec<Cause>) {
    let mut size = 0;
    let other = map["binaryData"].as_object();
    for field in ["data", "binaryData"] {
        for (key, value) in map[field].as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            size += if field == encoded { decoded_len(text) } else { text.len() };
            let whole = Path::Root(field);
            let place = whole.key(key);
            let faults = causes.len();
            self::key(key, place, causes);
            if causes.len() == faults && field == "data" && other.is_some_and(|other| other.contains_key(key))
            {
                causes.push(Cause::invalid(place, &json!(key), "duplicate of key present in binaryData"));
            }
        }
    }
    if size > DATA_LIMIT {
        let because = format!("Too long: may not be more than {DATA_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", whole, because));
    }
}

/// Returns the number of bytes that a text in canonical base64 stands for.
fn decoded_len(text: &str) -> usize {
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

/// Adds the errors of a key of a `ConfigMap` or a Secret.
pub(in crate::registry) fn key(key: &str, place: impl Into<String>, causes: &mut Vec<Cause>) {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.is_empty() || !key.chars().all(is_key) {
        causes.push(Cause::invalid(place, &json!(key), KEY_RULE));
    } else if key == "." || key == ".." {
        causes.push(Cause::invalid(place, &json!(key), format!("must not be '{key}'")));
    } else if key.starts_with("..") {
        causes.push(Cause::invalid(place, &json!(key), "must not start with '..'"));
    }
}

/// Adds the errors of an amount of a resource (`ValidateResourceQuantityValue`).
pub(in crate::registry) fn amount(
    resource: &str,
    amount: &Value,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) {
    let Some(quantity) = quantity::of(amount) else { return };
    if quantity.signum() < 0 {
        causes.push(Cause::invalid(field, amount, "must be greater than or equal to 0"));
    }
    let counts = [
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ];
    let is_whole = counts.contains(&resource)
        || resource.contains('/')
            && !resource.contains("kubernetes.io/")
            && !resource.starts_with("requests.");
    if is_whole && quantity.milli_value() % 1000 != 0 {
        causes.push(Cause::invalid(field, amount, "must be an integer"));
    }
}

/// Whether a name without a domain is that of a resource.
pub(in crate::registry) fn is_standard_resource(name: &str) -> bool {
    let known = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "storage",
        "requests.storage",
        "services.nodeports",
        "services.loadbalancers",
    ];
    known.contains(&name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")
}
