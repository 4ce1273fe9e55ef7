//! Validation of the data of `ConfigMap`s and Secrets.

use serde_json::{Value, json};

use crate::api::status::Cause;

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// The most bytes that a `ConfigMap`'s or a Secret's data may have.
const DATA_LIMIT: usize = 1024 * 1024;

/// A `ConfigMap` or a Secret, whose size is that of the field `whole`.
pub(in crate::registry) fn map(map: &Value, whole: &str, causes: &mut Vec<Cause>) {
    let mut size = 0;
    let other = map["binaryData"].as_object();
    for field in ["data", "binaryData"] {
        for (key, value) in map[field].as_object().into_iter().flatten() {
            size += value.as_str().map_or(0, str::len);
            let place = format!("{field}[{key}]");
            let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if key.is_empty() || !key.chars().all(is_key) {
                causes.push(Cause::invalid(place, &json!(key), KEY_RULE));
            } else if key == "." || key == ".." {
                causes.push(Cause::invalid(place, &json!(key), format!("must not be '{key}'")));
            } else if key.starts_with("..") {
                causes.push(Cause::invalid(place, &json!(key), "must not start with '..'"));
            } else if field == "data" && other.is_some_and(|other| other.contains_key(key)) {
                causes.push(Cause::invalid(place, &json!(key), "duplicate of key present in binaryData"));
            }
        }
    }
    if size > DATA_LIMIT {
        let because = format!("Too long: may not be more than {DATA_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", whole, because));
    }
}
