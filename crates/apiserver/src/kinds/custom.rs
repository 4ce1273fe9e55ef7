//! Custom kinds: from a CustomResourceDefinition to the kinds that it makes served. Apart from the
//! built-in table, because these are read from objects that may be wrong.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{Cell, Column, Kind, Kinds, Scale, json_path, names};
use crate::http::status::Cause;

/// What may be done with a custom kind, in the order in which upstream tells it.
const VERBS: &[&str] = &[
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

/// What a printer column may be.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// What upstream says of a name that does not start with a letter, or is no DNS label otherwise.
const DNS_1035_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
    start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
    'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// Fills in what a definition may leave out: the singular name, the kind of lists, how to convert,
/// and the versions that may be in storage.
pub(crate) fn complete(definition: &mut Value) {
    let kind = text(definition, "/spec/names/kind").to_owned();
    let stored = versions(definition).find(|version| version["storage"] == true);
    let stored = stored.map(|version| version["name"].clone());
    if let Some(names) = definition
        .pointer_mut("/spec/names")
        .and_then(Value::as_object_mut)
        && !kind.is_empty()
    {
        names
            .entry("singular")
            .or_insert_with(|| kind.to_lowercase().into());
        names
            .entry("listKind")
            .or_insert_with(|| format!("{kind}List").into());
    }
    let Some(definition) = definition.as_object_mut() else {
        return;
    };
    if let Some(spec) = definition.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("conversion")
            .or_insert_with(|| json!({"strategy": "None"}));
    }
    let status = definition.entry("status").or_insert_with(|| json!({}));
    if !status.is_object() {
        *status = json!({});
    }
    if let (Some(status), Some(stored)) = (status.as_object_mut(), stored) {
        let versions = status.entry("storedVersions").or_insert_with(|| json!([]));
        if let Some(versions) = versions.as_array_mut()
            && !versions.contains(&stored)
        {
            versions.push(stored);
        }
    }
}

/// What is wrong with a definition, completed or not; empty if nothing is.
pub(crate) fn validate(definition: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let [group, plural] = ["/spec/group", "/spec/names/plural"].map(|pointer| text(definition, pointer));
    if text(definition, "/metadata/name") != format!("{plural}.{group}") {
        let because = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid(
            "metadata.name",
            &definition["metadata"]["name"],
            because,
        ));
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
        other => causes.push(Cause::not_supported(
            "spec.scope",
            &other.into(),
            &["Cluster", "Namespaced"],
        )),
    }
    for (index, version) in versions(definition).enumerate() {
        validate_version(&format!("spec.versions[{index}]"), version, &mut causes);
    }
    let called: BTreeSet<&str> = versions(definition)
        .map(|version| text(version, "/name"))
        .collect();
    if called.len() < versions(definition).count() {
        let because = "must contain unique version names";
        causes.push(Cause::invalid(
            "spec.versions",
            &definition["spec"]["versions"],
            because,
        ));
    }
    if versions(definition)
        .filter(|version| version["storage"] == true)
        .count()
        != 1
    {
        let because = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid(
            "spec.versions",
            &definition["spec"]["versions"],
            because,
        ));
    }
    for field in ["plural", "singular", "kind", "listKind"] {
        validate_name(field, &definition["spec"]["names"][field], &mut causes);
    }
    causes
}

fn validate_version(field: &str, version: &Value, causes: &mut Vec<Cause>) {
    if !names::is_label(text(version, "/name")) {
        causes.push(Cause::invalid(
            format!("{field}.name"),
            &version["name"],
            DNS_1035_RULE,
        ));
    }
    if !version
        .pointer("/schema/openAPIV3Schema")
        .is_some_and(Value::is_object)
    {
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
            causes.push(Cause::invalid(
                format!("{field}.JSONPath"),
                &column["jsonPath"],
                because,
            ));
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

/// Decides which of its names a definition gets, beside the kinds that are served already, and writes
/// that into its status: the accepted names and the conditions `NamesAccepted` and `Established`.
pub(crate) fn accept(definition: &mut Value, kinds: &Kinds, now: &Value) {
    let refusal = conflict(definition, kinds);
    let established = definition["status"]["conditions"].as_array().is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    });
    let (reason, message) = match &refusal {
        Some((reason, message)) => (*reason, message.as_str()),
        None => ("NoConflicts", "no conflicts found"),
    };
    set_condition(
        definition,
        "NamesAccepted",
        refusal.is_none(),
        reason,
        message,
        now,
    );
    if refusal.is_none() {
        definition["status"]["acceptedNames"] = definition["spec"]["names"].clone();
        let message = "the initial names have been accepted";
        set_condition(
            definition,
            "Established",
            true,
            "InitialNamesAccepted",
            message,
            now,
        );
    } else if !established {
        definition["status"]["acceptedNames"] = json!({"plural": "", "kind": ""});
        let message = "not all names are accepted";
        set_condition(definition, "Established", false, "NotAccepted", message, now);
    }
}

/// The first of a definition's names that another kind of its group has already.
fn conflict(definition: &Value, kinds: &Kinds) -> Option<(&'static str, String)> {
    let names = &definition["spec"]["names"];
    let [group, plural] = ["/spec/group", "/spec/names/plural"].map(|pointer| text(definition, pointer));
    let others: Vec<Arc<Kind>> = kinds
        .all()
        .into_iter()
        .filter(|kind| kind.group == group && kind.plural != plural)
        .collect();
    let resources: BTreeSet<&str> = others
        .iter()
        .flat_map(|kind| {
            let short = kind.short_names.iter().map(String::as_str);
            [kind.plural.as_str(), kind.singular.as_str()]
                .into_iter()
                .chain(short)
        })
        .collect();
    let served: BTreeSet<&str> = others
        .iter()
        .flat_map(|kind| [kind.kind.as_str(), kind.list_kind.as_str()])
        .collect();
    let short = texts(&names["shortNames"]).map(|name| ("ShortNamesConflict", name));
    let resource = [
        ("PluralConflict", text(names, "/plural")),
        ("SingularConflict", text(names, "/singular")),
    ];
    let kind = [
        ("KindConflict", text(names, "/kind")),
        ("ListKindConflict", text(names, "/listKind")),
    ];
    let mut taken = resource
        .into_iter()
        .chain(short)
        .filter(|(_, name)| resources.contains(name));
    let mut taken_kind = kind.into_iter().filter(|(_, name)| served.contains(name));
    taken
        .next()
        .or_else(|| taken_kind.next())
        .map(|(reason, name)| (reason, format!("{name:?} is already in use")))
}

/// Sets one condition of the status; its time changes with its status only.
fn set_condition(definition: &mut Value, kind: &str, holds: bool, reason: &str, message: &str, now: &Value) {
    let status = if holds { "True" } else { "False" };
    let mut condition = json!({
        "type": kind, "status": status, "lastTransitionTime": now, "reason": reason, "message": message,
    });
    let conditions = &mut definition["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else {
        return;
    };
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        None => conditions.push(condition),
        Some(before) => {
            if before["status"] == status {
                condition["lastTransitionTime"] = before["lastTransitionTime"].take();
            }
            *before = condition;
        }
    }
}

/// Whether a definition's kinds are served.
pub(crate) fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    })
}

/// The kinds that an established definition makes served, one for each served version; none before.
pub(crate) fn served(definition: &Value) -> Vec<Kind> {
    if !is_established(definition) {
        return Vec::new();
    }
    versions(definition)
        .filter(|version| version["served"] == true)
        .map(|version| kind(definition, version))
        .collect()
}

fn kind(definition: &Value, version: &Value) -> Kind {
    let names = &definition["status"]["acceptedNames"];
    let owned = |pointer| text(names, pointer).to_owned();
    let list = |field: &str| texts(&names[field]).map(str::to_owned).collect();
    let subresources = &version["subresources"];
    let pointer = |field: &str| {
        let path = subresources["scale"][field]
            .as_str()
            .filter(|path| !path.is_empty())?;
        Some(path.replace('.', "/"))
    };
    let scale = pointer("specReplicasPath")
        .zip(pointer("statusReplicasPath"))
        .map(|(spec, status)| Scale {
            spec,
            status,
            selector: pointer("labelSelectorPath"),
        });
    Kind {
        list_kind: owned("/listKind"),
        singular: owned("/singular"),
        short_names: list("shortNames"),
        categories: list("categories"),
        namespaced: text(definition, "/spec/scope") == "Namespaced",
        verbs: VERBS,
        status: subresources.get("status").is_some_and(Value::is_object),
        scale,
        columns: printer_columns(version),
        schema: version.pointer("/schema/openAPIV3Schema").cloned().map(Arc::new),
        ..Kind::plain(
            text(definition, "/spec/group"),
            text(version, "/name"),
            &owned("/kind"),
            &owned("/plural"),
        )
    }
}

/// `Name`, then the declared columns; `Age` where none are declared.
fn printer_columns(version: &Value) -> Vec<Column> {
    let path = |path: &str| Cell::Path(path.to_owned());
    let name = Column::new("Name", "string", Cell::Pointer("/metadata/name"));
    let declared = columns(version).map(|column| Column {
        format: text(column, "/format").to_owned(),
        priority: column["priority"]
            .as_i64()
            .and_then(|priority| priority.try_into().ok())
            .unwrap_or(0),
        ..Column::new(
            text(column, "/name"),
            text(column, "/type"),
            path(text(column, "/jsonPath")),
        )
    });
    let mut all: Vec<Column> = [name].into_iter().chain(declared).collect();
    if all.len() == 1 {
        all.push(Column::new("Age", "date", path(".metadata.creationTimestamp")));
    }
    all
}

fn versions(definition: &Value) -> impl Iterator<Item = &Value> {
    definition
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn columns(version: &Value) -> impl Iterator<Item = &Value> {
    version["additionalPrinterColumns"]
        .as_array()
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
