//! Custom kinds: from a CustomResourceDefinition to the kinds that it makes served. Apart from the
//! built-in table, because these are read from objects that may be wrong.

pub(crate) mod scale;
mod validation;

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use trimtab_schema::StructuralSchema;

pub(crate) use self::validation::{validate, validate_change};
use super::{Cell, Column, Kind, Kinds, Scale, Strategy, json_path, warnings};
use crate::api::{object, status::Cause};

/// The verbs of a custom kind, in upstream's order.
const VERBS: &[&str] = &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// Keeps a definition until the objects of its kind are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The rules of every custom kind beside its schema.
static STRATEGY: Strategy = Strategy {
    first_status: |_, _| None,
    counts_generations: true,
    updates_unconditionally: false,
    reads_beyond_metadata: true,
    validate_change: |old, new, causes| {
        if old["kind"] != new["kind"] {
            causes.push(Cause::invalid("kind", &new["kind"], "field is immutable"));
        }
    },
    takes_bare_finalizers: true,
    warnings: warnings::finalizers,
    status_reset_fields: &[&["metadata"], &["spec"]],
    ..Strategy::PLAIN
};

/// Marks a definition as deleted: it stays until the objects of its kind are gone.
pub(crate) fn mark_deleted(definition: &mut Value, now: &Value) {
    let mut finalizers: Vec<Value> = object::finalizers(definition).map(Value::from).collect();
    if !finalizers.iter().any(|held| held == CLEANUP) {
        finalizers.push(CLEANUP.into());
    }
    let metadata = object::metadata_mut(definition);
    metadata.insert("finalizers".to_owned(), finalizers.into());
    metadata.insert("deletionTimestamp".to_owned(), now.clone());
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(definition, "Terminating", true, "InstanceDeletionPending", message, now);
}

/// Fills in what a definition may leave out: the singular name, the kind of lists, how to convert,
/// and the versions that may be in storage.
pub(crate) fn complete(definition: &mut Value) {
    let kind = text(definition, "/spec/names/kind").to_owned();
    let stored = versions(definition).find(|version| version["storage"] == true);
    let stored = stored.map(|version| version["name"].clone());
    if let Some(names) = definition.pointer_mut("/spec/names").and_then(Value::as_object_mut)
        && !kind.is_empty()
    {
        names.entry("singular").or_insert_with(|| kind.to_lowercase().into());
        names.entry("listKind").or_insert_with(|| format!("{kind}List").into());
    }
    for version in
        definition.pointer_mut("/spec/versions").and_then(Value::as_array_mut).into_iter().flatten()
    {
        if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
            drop_null_defaults(schema);
        }
    }
    let Some(definition) = definition.as_object_mut() else {
        return;
    };
    if let Some(spec) = definition.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
        // Written only if it is true, which new definitions may not say.
        if spec.get("preserveUnknownFields") == Some(&Value::Bool(false)) {
            spec.remove("preserveUnknownFields");
        }
        let service =
            spec["conversion"].pointer_mut("/webhook/clientConfig/service").and_then(Value::as_object_mut);
        if let Some(service) = service {
            service.entry("port").or_insert_with(|| 443.into());
        }
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

/// Drops defaults that are null, which in Go are none.
fn drop_null_defaults(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    for part in ["items", "additionalProperties", "not"] {
        fields.get_mut(part).map(drop_null_defaults);
    }
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(drop_null_defaults);
    }
}

/// Decides which of its names a definition gets, beside the kinds that are served already, and writes
/// that into its status: the accepted names and the conditions `NamesAccepted` and `Established`.
pub(crate) fn accept(definition: &mut Value, kinds: &Kinds, now: &Value) {
    let others = Others::of(definition, kinds);
    let refusal = conflict(definition, &others);
    let established = definition["status"]["conditions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"));
    let (reason, message) = match &refusal {
        Some((reason, message)) => (*reason, message.as_str()),
        None => ("NoConflicts", "no conflicts found"),
    };
    set_condition(definition, "NamesAccepted", refusal.is_none(), reason, message, now);
    approve(definition, now);
    if refusal.is_none() {
        definition["status"]["acceptedNames"] = definition["spec"]["names"].clone();
        let message = "the initial names have been accepted";
        set_condition(definition, "Established", true, "InitialNamesAccepted", message, now);
    } else if !established {
        definition["status"]["acceptedNames"] = acceptable(definition, &others);
        let message = "not all names are accepted";
        set_condition(definition, "Established", false, "NotAccepted", message, now);
    }
}

/// Sets the condition that tells whether a definition in one of Kubernetes' own groups is approved.
fn approve(definition: &mut Value, now: &Value) {
    if !validation::is_protected(text(definition, "/spec/group")) {
        return;
    }
    let annotation = text(definition, "/metadata/annotations/api-approved.kubernetes.io").to_owned();
    let (holds, reason, message) = if annotation.starts_with("unapproved") {
        (false, "UnapprovedAnnotation", format!("not approved: {annotation:?}"))
    } else {
        (true, "ApprovedAnnotation", format!("approved in {annotation}"))
    };
    set_condition(definition, "KubernetesAPIApprovalPolicyConformant", holds, reason, &message, now);
}

/// The names in each role that no other kind of the group has.
struct Others {
    /// Plural, singular and short names.
    resources: BTreeSet<String>,
    /// Kinds and kinds of lists.
    kinds: BTreeSet<String>,
}

impl Others {
    fn of(definition: &Value, kinds: &Kinds) -> Self {
        let [group, plural] = ["/spec/group", "/spec/names/plural"].map(|pointer| text(definition, pointer));
        let mut others = Self { resources: BTreeSet::new(), kinds: BTreeSet::new() };
        // What is built in has its plural first, however the definition is called.
        let is_other = |kind: &Kind| kind.plural != plural || !kind.is_custom();
        for kind in kinds.all().iter().filter(|kind| kind.group == group && is_other(kind)) {
            others.resources.extend([kind.plural.clone(), kind.singular.clone()]);
            others.resources.extend(kind.short_names.iter().cloned());
            others.kinds.extend([kind.kind.clone(), kind.list_kind.clone()]);
        }
        others
    }
}

/// The last of a definition's names that another kind of its group has already: upstream tells the last.
fn conflict(definition: &Value, others: &Others) -> Option<(&'static str, String)> {
    let names = &definition["spec"]["names"];
    let of_resource =
        [("PluralConflict", text(names, "/plural")), ("SingularConflict", text(names, "/singular"))];
    let short = texts(&names["shortNames"]).map(|name| ("ShortNamesConflict", name));
    let of_kind = [("KindConflict", text(names, "/kind")), ("ListKindConflict", text(names, "/listKind"))];
    let taken = of_resource.into_iter().chain(short).filter(|(_, name)| others.resources.contains(*name));
    let taken = taken.chain(of_kind.into_iter().filter(|(_, name)| others.kinds.contains(*name)));
    taken.last().map(|(reason, name)| (reason, format!("{name:?} is already in use")))
}

/// Those of a definition's names that it can have, although not all: the plural and the kind are always told.
fn acceptable(definition: &Value, others: &Others) -> Value {
    let names = &definition["spec"]["names"];
    let mut accepted = json!({"plural": "", "kind": ""});
    for (field, taken) in [
        ("plural", &others.resources),
        ("singular", &others.resources),
        ("kind", &others.kinds),
        ("listKind", &others.kinds),
    ] {
        if let Some(name) = names[field].as_str().filter(|name| !taken.contains(*name)) {
            accepted[field] = name.into();
        }
    }
    let short: Vec<&str> = texts(&names["shortNames"]).collect();
    if !short.is_empty() && !short.iter().any(|name| others.resources.contains(*name)) {
        accepted["shortNames"] = short.into();
    }
    if names.get("categories").is_some() {
        accepted["categories"] = names["categories"].clone();
    }
    accepted
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
    conditions
        .is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
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
        let path = subresources["scale"][field].as_str().filter(|path| !path.is_empty())?;
        Some(path.replace('.', "/"))
    };
    let scale = pointer("specReplicasPath").zip(pointer("statusReplicasPath")).map(|(spec, status)| Scale {
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
        selectable_fields: selectable_fields(version),
        deprecation: deprecation(definition, version),
        storage_version: versions(definition)
            .find(|version| version["storage"] == true)
            .map_or_else(String::new, |version| text(version, "/name").to_owned()),
        strategy: &STRATEGY,
        schema_since: object::resource_version(definition).parse().unwrap_or(0),
        schema: version.pointer("/schema/openAPIV3Schema").cloned().map(StructuralSchema::new).map(Arc::new),
        ..Kind::plain(
            text(definition, "/spec/group"),
            text(version, "/name"),
            &owned("/kind"),
            &owned("/plural"),
        )
    }
}

/// `Name`, then the declared columns up to the first whose path cannot be read; `Age` where none are declared.
fn printer_columns(version: &Value) -> Vec<Column> {
    let name = Column::new("Name", "string", Cell::Pointer("/metadata/name"));
    let declared = columns(version).map_while(|column| {
        let path = json_path::Path::parse(text(column, "/jsonPath"))?;
        Some(Column {
            format: text(column, "/format").to_owned(),
            priority: column["priority"].as_i64().and_then(|priority| priority.try_into().ok()).unwrap_or(0),
            ..Column::new(text(column, "/name"), text(column, "/type"), Cell::Path(path))
        })
    });
    let mut all: Vec<Column> = [name].into_iter().chain(declared).collect();
    if columns(version).next().is_none() {
        all.extend(
            json_path::Path::parse(".metadata.creationTimestamp")
                .map(|path| Column::new("Age", "date", Cell::Path(path))),
        );
    }
    all
}

/// Returns the warning of a version that its definition calls deprecated.
fn deprecation(definition: &Value, version: &Value) -> Option<String> {
    let told = || {
        let [group, kind] = ["/spec/group", "/status/acceptedNames/kind"].map(|path| text(definition, path));
        format!("{group}/{} {kind} is deprecated", text(version, "/name"))
    };
    let own = version["deprecationWarning"].as_str().map(str::to_owned);
    (version["deprecated"] == true).then(|| own.unwrap_or_else(told))
}

/// The fields of `.spec.colour` and the like.
fn selectable_fields(version: &Value) -> Vec<String> {
    let fields = version["selectableFields"].as_array().into_iter().flatten();
    fields.map(|field| text(field, "/jsonPath").trim_start_matches('.').to_owned()).collect()
}

fn versions(definition: &Value) -> impl Iterator<Item = &Value> {
    definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten()
}

fn columns(version: &Value) -> impl Iterator<Item = &Value> {
    version["additionalPrinterColumns"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
