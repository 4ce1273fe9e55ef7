//! Validation of kinds for data, storage and access.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{items, one_of, parts, text};
use crate::{
    api::{names, object, status::Cause},
    registry::quantity,
};

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// The most bytes that a `ConfigMap`'s or a Secret's data may have.
const DATA_LIMIT: usize = 1024 * 1024;

/// A `ConfigMap` or a Secret, whose size is that of the field `whole`.
pub(super) fn map(map: &Value, whole: &str, causes: &mut Vec<Cause>) {
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

pub(super) fn claim(claim: &Value, causes: &mut Vec<Cause>) {
    let spec = &claim["spec"];
    if items(spec, "accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
    }
    access_modes(spec, causes);
    claim_spec(spec, "spec", causes);
}

/// Validates the spec of a claim, except for the names of its access modes.
fn claim_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let modes = items(spec, "accessModes");
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        let because = "may not use ReadWriteOncePod with other access modes";
        causes.push(Cause::forbidden(format!("{path}.accessModes"), because));
    }
    let storage = &spec["resources"]["requests"]["storage"];
    let field = format!("{path}.resources[storage]");
    match quantity::of(storage) {
        None => causes.push(Cause::required(field, "")),
        Some(amount) if amount.signum() <= 0 => {
            causes.push(Cause::invalid(field, storage, "must be greater than zero"));
        }
        Some(_) => {}
    }
    let class = text(spec, "storageClassName");
    if !class.is_empty() && !names::is_subdomain(class) {
        let because = names::SUBDOMAIN_RULE;
        causes.push(Cause::invalid(format!("{path}.storageClassName"), &json!(class), because));
    }
    one_of(&spec["volumeMode"], || format!("{path}.volumeMode"), &["Block", "Filesystem"], causes);
    parts::selector(&spec["selector"], &format!("{path}.selector"), causes);
}

fn access_modes(spec: &Value, causes: &mut Vec<Cause>) {
    for mode in
        items(spec, "accessModes").iter().filter(|mode| !ACCESS_MODES.iter().any(|known| mode == known))
    {
        causes.push(Cause::not_supported("spec.accessModes", mode, &ACCESS_MODES));
    }
}

pub(super) fn volume(volume: &Value, causes: &mut Vec<Cause>) {
    let spec = &volume["spec"];
    if items(spec, "accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes", ""));
    }
    access_modes(spec, causes);
    if spec["capacity"].as_object().is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("spec.capacity", ""));
        causes.push(Cause::not_supported("spec.capacity", &Value::Null, &["storage"]));
    }
    let source = |(field, value): (&String, &Value)| {
        value.is_object() && !matches!(field.as_str(), "capacity" | "claimRef" | "nodeAffinity")
    };
    if !spec.as_object().into_iter().flatten().any(source) {
        causes.push(Cause::required("spec", "must specify a volume type"));
    }
}

/// Checks that a request to sign is a certificate request in PEM.
pub(super) fn signing_request(object: &Value, causes: &mut Vec<Cause>) {
    let request = &object["spec"]["request"];
    let pem = STANDARD.decode(request.as_str().unwrap_or_default()).unwrap_or_default();
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        causes.push(Cause::invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST"));
    }
}

pub(super) fn storage_class(class: &Value, causes: &mut Vec<Cause>) {
    if text(class, "provisioner").is_empty() {
        causes.push(Cause::required("provisioner", ""));
    }
}

pub(super) fn priority_class(class: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(class);
    if name.starts_with("system-") && !matches!(name, "system-cluster-critical" | "system-node-critical") {
        let because = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a \
             known system priority class"
        );
        causes.push(Cause::forbidden("metadata.name", because));
    }
}

/// A binding of a role, in a namespace or in the cluster.
pub(super) fn role_binding(binding: &Value, in_namespace: bool, causes: &mut Vec<Cause>) {
    let role = &binding["roleRef"];
    let known: &[&str] = if in_namespace { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !known.contains(&text(role, "kind")) {
        causes.push(Cause::not_supported("roleRef.kind", &json!(text(role, "kind")), known));
    }
    if text(role, "name").is_empty() {
        causes.push(Cause::required("roleRef.name", ""));
    }
}

pub(super) fn ip_address(address: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(address);
    if name.parse::<std::net::IpAddr>().is_err() {
        let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        causes.push(Cause::invalid("metadata.name", &json!(name), because));
    }
    if address["spec"].get("parentRef").is_none() {
        causes.push(Cause::required("spec.parentRef", ""));
    }
}
