//! The format of the committed types: a line for each type, and below it one for each field.
//!
//! ```text
//! api.core.v1.ContainerPort struct
//!  containerPort! integer:int32 =0
//!  protocol string ="TCP"
//! api.core.v1.PodSpec struct
//!  containers! [api.core.v1.Container] list(map:name) patch(merge:name)
//!  nodeSelector {string} map(atomic)
//! ```
//!
//! `!` marks a required field, `[]` a list, `{}` a map, `=` a default; `go(omit)`, `go(zero)` and `go(null)` say what Go does
//! with a zero value. Names have no `io.k8s.` prefix. Defaults of list items are left out: they are Go's zero values, and the API server does not need them.

use super::zero::Structs;
use crate::failure::Failure;
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// Types by name, each with its lines.
#[derive(Debug, Default)]
pub(super) struct Definitions(BTreeMap<String, String>);

impl Definitions {
    /// Adds the types of an OpenAPI v3 document.
    ///
    /// # Errors
    ///
    /// If a type uses a keyword that the compact format does not have.
    pub(super) fn read(&mut self, document: &Value) -> Result<(), Failure> {
        let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
        for (name, schema) in schemas {
            let lines = definition(schema).map_err(|reason| Failure::new(format!("{name}: {reason}")))?;
            self.0.insert(short(name).to_owned(), lines);
        }
        Ok(())
    }

    /// Marks the fields that Go's structs hold by value, of which `wire` tells the protobuf fields.
    pub(super) fn mark(&mut self, wire: &str) {
        let structs = Structs::read(wire);
        for (name, lines) in &mut self.0 {
            *lines = lines.lines().map(|line| structs.mark(name, line)).collect::<Vec<_>>().join("\n");
        }
    }
}

impl fmt::Display for Definitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, lines)| writeln!(f, "{name} {lines}"))
    }
}

type Result<T, E = String> = std::result::Result<T, E>;

/// Formats everything after a type's name.
fn definition(schema: &Value) -> Result<String> {
    let is_struct = schema["properties"].is_object();
    let mut text = if is_struct { "struct".to_owned() } else { node(schema)? };
    attributes(schema, &mut text)?;
    let kinds = schema["x-kubernetes-group-version-kind"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A type that all groups share, such as DeleteOptions, lists a kind for each group.
    if let [kind] = kinds {
        let word = |field: &str| kind[field].as_str().unwrap_or_default();
        text += &format!(" kind({}/{}/{})", word("group"), word("version"), word("kind"));
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mark = if required.contains(&name.as_str()) { "!" } else { "" };
        text += &format!("\n {name}{mark} {}", node(field)?);
        attributes(field, &mut text)?;
        if let Some(default) = field.get("default") {
            text += &format!(" ={default}");
        }
    }
    Ok(text)
}

/// Formats a reference to a type as one word.
fn node(schema: &Value) -> Result<String> {
    if let Some(reference) = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str()) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return Ok(short(name).to_owned());
    }
    let inner = |field: &str| {
        let mut text = node(&schema[field])?;
        attributes(&schema[field], &mut text)?;
        Ok::<_, String>(text)
    };
    Ok(match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}]", inner("items")?),
        (Some("object"), _) if schema["additionalProperties"].is_object() => {
            format!("{{{}}}", inner("additionalProperties")?)
        }
        (Some("object"), _) => "object".to_owned(),
        (Some(scalar), Some(format)) => format!("{scalar}:{format}"),
        (Some(scalar), None) => scalar.to_owned(),
        (None, Some(format)) => format.to_owned(),
        (None, None) if schema["oneOf"] == serde_json::json!([{"type": "string"}, {"type": "number"}]) => {
            "quantity".to_owned()
        }
        (None, None) if schema.get("oneOf").is_none() => "any".to_owned(),
        _ => return Err(format!("the compact format has no word for {schema}")),
    })
}

/// Appends the attributes of a type or a field, each after a space.
fn attributes(schema: &Value, text: &mut String) -> Result<()> {
    let words = |field: &str| {
        let words = schema[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(",")
    };
    for (field, value) in schema.as_object().into_iter().flatten() {
        let plain = value.as_str().unwrap_or_default();
        *text += &match (field.as_str(), plain) {
            ("x-kubernetes-list-type", "map") => {
                format!(" list(map:{})", words("x-kubernetes-list-map-keys"))
            }
            ("x-kubernetes-list-type", other) => format!(" list({other})"),
            ("x-kubernetes-map-type", other) => format!(" map({other})"),
            ("x-kubernetes-patch-strategy", strategy) => {
                match schema["x-kubernetes-patch-merge-key"].as_str() {
                    Some(key) => format!(" patch({strategy}:{key})"),
                    None => format!(" patch({strategy})"),
                }
            }
            ("enum", _) => format!(" enum({})", words("enum")),
            ("x-kubernetes-preserve-unknown-fields", _) => " open".to_owned(),
            (
                "type"
                | "format"
                | "properties"
                | "required"
                | "items"
                | "additionalProperties"
                | "allOf"
                | "$ref"
                | "oneOf"
                | "default"
                | "description"
                | "x-kubernetes-group-version-kind"
                | "x-kubernetes-unions"
                | "x-kubernetes-list-map-keys"
                | "x-kubernetes-patch-merge-key",
                _,
            ) => continue,
            (other, _) => return Err(format!("the compact format has no word for {other}")),
        };
    }
    Ok(())
}

/// Removes the prefix that all names share.
fn short(name: &str) -> &str {
    name.strip_prefix("io.k8s.").unwrap_or(name)
}
