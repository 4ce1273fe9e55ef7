//! `CustomResourceDefinition`s. The kinds that they define are in [`custom`](crate::registry::custom).

use serde_json::Value;
use trimtab_cel::formats;

use crate::registry::{Kind, Strategy, custom, warnings};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
        .stored("apiextensions.k8s.io", "v1beta1")
        .short("crd")
        .short("crds")
        .category("api-extensions")
        .cluster()
        .status()
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: custom::complete,
    first_status: |_, _| None,
    counts_generations: true,
    updates_unconditionally: false,
    reads_beyond_metadata: true,
    validate: |definition, causes| causes.extend(custom::validate(definition)),
    validate_change: |old, new, causes| {
        if causes.is_empty() {
            causes.extend(custom::validate_change(old, new));
        }
    },
    stops_at_change: true,
    takes_bare_finalizers: true,
    warnings,
    mark_deleted: Some(custom::mark_deleted),
    is_definition: true,
    ..Strategy::PLAIN
};

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let before: Vec<String> = old.map(unrecognized_formats).unwrap_or_default();
    let added = unrecognized_formats(new).into_iter().filter(|format| !before.contains(format));
    added.map(|format| format!("unrecognized format {format:?}")).collect()
}

/// The formats in a definition that upstream does not know, in the order of the schemas' fields.
fn unrecognized_formats(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
        formats_within(&version["schema"]["openAPIV3Schema"], &mut found);
    }
    found
}

fn formats_within(schema: &Value, found: &mut Vec<String>) {
    let Some(fields) = schema.as_object() else { return };
    let format = warnings::text(schema, "/format");
    let is_known = match warnings::text(schema, "/type") {
        _ if format.is_empty() => true,
        "" | "string" => formats::is_known(format),
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    };
    if !is_known {
        found.push(format.to_owned());
    }
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(schemas)) => {
                schemas.values().for_each(|schema| formats_within(schema, found));
            }
            ("items" | "additionalProperties" | "not", schema) => formats_within(schema, found),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| formats_within(schema, found));
            }
            _ => {}
        }
    }
}
