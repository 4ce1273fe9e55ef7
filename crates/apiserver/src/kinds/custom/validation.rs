//! What can be wrong with a CustomResourceDefinition: upstream's checks, in its words and its order.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{columns, text, versions};
use crate::{
    http::status::Cause,
    kinds::{json_path, names},
};

/// What a printer column may be.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// What upstream says of a name that does not start with a letter, or is no DNS label otherwise.
const DNS_1035_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
    start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
    'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with a definition, completed or not; empty if nothing is.
pub(crate) fn validate(definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let [group, plural] = ["/spec/group", "/spec/names/plural"].map(|pointer| text(definition, pointer));
    if text(definition, "/metadata/name") != format!("{plural}.{group}") {
        let because = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &definition["metadata"]["name"], because));
    }
    match group {
        "" => causes.push(Cause::required("spec.group", "")),
        _ if !names::is_subdomain(group) => {
            causes.push(Cause::invalid("spec.group", &group.into(), names::SUBDOMAIN_RULE));
        }
        _ if !group.contains('.') => {
            let because = "should be a domain with at least one dot";
            causes.push(Cause::invalid("spec.group", &group.into(), because));
        }
        _ => {}
    }
    match text(definition, "/spec/scope") {
        "Cluster" | "Namespaced" => {}
        "" => causes.push(Cause::required("spec.scope", "")),
        other => causes.push(Cause::not_supported("spec.scope", &other.into(), &["Cluster", "Namespaced"])),
    }
    for (index, version) in versions(definition).enumerate() {
        validate_version(&format!("spec.versions[{index}]"), version, &mut causes);
    }
    let called: BTreeSet<&str> = versions(definition).map(|version| text(version, "/name")).collect();
    if called.len() < versions(definition).count() {
        let because = "must contain unique version names";
        causes.push(Cause::invalid("spec.versions", &definition["spec"]["versions"], because));
    }
    if versions(definition).filter(|version| version["storage"] == true).count() != 1 {
        let because = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &definition["spec"]["versions"], because));
    }
    for field in ["plural", "singular", "kind", "listKind"] {
        validate_name(field, &definition["spec"]["names"][field], &mut causes);
    }
    causes
}

fn validate_version(field: &str, version: &Value, causes: &mut Vec<Cause>) {
    if !names::is_label(text(version, "/name")) {
        causes.push(Cause::invalid(format!("{field}.name"), &version["name"], DNS_1035_RULE));
    }
    if !version.pointer("/schema/openAPIV3Schema").is_some_and(Value::is_object) {
        causes.push(Cause::required(format!("{field}.schema.openAPIV3Schema"), ""));
    }
    for (index, column) in columns(version).enumerate() {
        let field = format!("{field}.additionalPrinterColumns[{index}]");
        if text(column, "/name").is_empty() {
            causes.push(Cause::required(format!("{field}.name"), ""));
        }
        if text(column, "/type").is_empty() {
            let because = format!("must be one of {}", COLUMN_TYPES.join(","));
            causes.push(Cause::required(format!("{field}.type"), &because));
        } else if !COLUMN_TYPES.contains(&text(column, "/type")) {
            let because = format!("must be one of {}", COLUMN_TYPES.join(","));
            causes.push(Cause::invalid(format!("{field}.type"), &column["type"], because));
        }
        if text(column, "/jsonPath").is_empty() {
            causes.push(Cause::required(format!("{field}.JSONPath"), ""));
        } else if !json_path::is_path(text(column, "/jsonPath")) {
            let because = "must be a simple json path starting with .";
            causes.push(Cause::invalid(format!("{field}.JSONPath"), &column["jsonPath"], because));
        }
    }
}

fn validate_name(field: &str, name: &Value, causes: &mut Vec<Cause>) {
    let path = format!("spec.names.{field}");
    let mixed_case = matches!(field, "kind" | "listKind");
    match name.as_str().unwrap_or_default() {
        "" => causes.push(Cause::required(path, "")),
        name if mixed_case && !is_dns_1035(&name.to_lowercase()) => {
            let because = format!("may have mixed case, but should otherwise match: {DNS_1035_RULE}");
            causes.push(Cause::invalid(path, &name.into(), because));
        }
        name if !mixed_case && !is_dns_1035(name) => {
            causes.push(Cause::invalid(path, &name.into(), DNS_1035_RULE));
        }
        _ => {}
    }
}

fn is_dns_1035(name: &str) -> bool {
    names::is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase())
}
