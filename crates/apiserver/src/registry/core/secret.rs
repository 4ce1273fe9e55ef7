//! Secrets.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::status::Cause,
    registry::{
        Column, Kind, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
    },
    wire::negotiate::go_s_words,
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Secret", "secrets").columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    selectable_fields: &["type"],
    set_defaults: |secret| set_secret_defaults(defaults::whole(secret)),
    validate,
    validate_change,
    warnings: |_, secret| warnings(secret),
    counts_by_name: true,
    ..Strategy::PLAIN
};

/// Moves the plain text of a Secret into its data.
fn set_secret_defaults(secret: &mut Fields) {
    if secret.get("type") == Some(&json!("")) {
        secret.remove("type");
    }
    defaults::fill(secret, [("type", json!("Opaque"))]);
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    defaults::fill(secret, [("data", json!({}))]);
    if let Some(data) = defaults::object(secret, "data") {
        for (key, text) in plain {
            data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

fn validate(secret: &Value, causes: &mut Vec<Cause>) {
    validation::data::map(secret, "data", "data", causes);
    validate_type(secret, causes);
}

/// Warns of a certificate and a key that a server could not use: only whether they are PEM is looked at, not whether they fit.
fn warnings(secret: &Value) -> Vec<String> {
    let warning = |key: &str, what: &str| {
        let bytes = STANDARD.decode(secret["data"][key].as_str()?).ok()?;
        let has_pem = String::from_utf8_lossy(&bytes).contains("-----BEGIN ");
        (!has_pem).then(|| format!("tls: failed to find any PEM data in {what} input"))
    };
    if secret["type"] != "kubernetes.io/tls" {
        return Vec::new();
    }
    warning("tls.crt", "certificate").or_else(|| warning("tls.key", "key")).into_iter().collect()
}

/// Validates the required keys of a Secret's type.
fn validate_type(secret: &Value, causes: &mut Vec<Cause>) {
    let has = |key: &str| secret["data"].get(key).is_some();
    let mut required = |key: &str| {
        if !has(key) {
            causes.push(Cause::required(format!("data[{key}]"), ""));
        }
    };
    match validation::text(secret, "type") {
        "kubernetes.io/tls" => ["tls.crt", "tls.key"].into_iter().for_each(required),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            ["username", "password"].into_iter().for_each(required);
        }
        "kubernetes.io/ssh-auth" if validation::text(&secret["data"], "ssh-privatekey").is_empty() => {
            causes.push(Cause::required("data[ssh-privatekey]", ""));
        }
        "kubernetes.io/dockercfg" => {
            required(".dockercfg");
            is_json(secret, ".dockercfg", causes);
        }
        "kubernetes.io/dockerconfigjson" => {
            required(".dockerconfigjson");
            is_json(secret, ".dockerconfigjson", causes);
        }
        "kubernetes.io/service-account-token" => {
            let annotation = "kubernetes.io/service-account.name";
            if validation::text(&secret["metadata"]["annotations"], annotation).is_empty() {
                causes.push(Cause::required(format!("metadata.annotations[{annotation}]"), ""));
            }
        }
        _ => {}
    }
}

/// Validates that the value of a key is an object in JSON.
fn is_json(secret: &Value, key: &str, causes: &mut Vec<Cause>) {
    let Some(bytes) = secret["data"][key].as_str().and_then(|text| STANDARD.decode(text).ok()) else {
        return;
    };
    let because = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(_) | Value::Null) => return,
        Ok(Value::Array(_)) => not_a_map("array"),
        Ok(Value::String(_)) => not_a_map("string"),
        Ok(Value::Number(_)) => not_a_map("number"),
        Ok(Value::Bool(_)) => not_a_map("bool"),
        Err(error) => go_s_words(&error, &bytes),
    };
    causes.push(Cause::invalid(format!("data[{key}]"), &json!("<secret contents redacted>"), because));
}

/// Returns the message of Go's decoder for a value that is no object.
fn not_a_map(found: &str) -> String {
    format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")
}

fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    validation::fixed(old, new, "/type", causes);
    validation::sealed(old, new, causes);
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Type", "/type"), column::computed("Data", secret_data)])
}

fn secret_data(secret: &Value, _: Timestamp) -> Value {
    cells::entries(secret, "/data").into()
}
