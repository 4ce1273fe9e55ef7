//! The descriptions of the metadata's fields, which clients look for in the definition of a custom kind.

use crate::failure::Failure;
use serde_json::{Map, Value, json};

/// The file that our API server reads.
pub(super) const FILE: &str = "crates/schema/src/metadata.json";

const METADATA: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const NOTICE: &str =
    "Descriptions of Kubernetes, copyright The Kubernetes Authors, under the Apache License, Version 2.0.";

/// Returns the content of [`FILE`] from the OpenAPI v3 document of core/v1.
///
/// # Errors
///
/// If the document lacks a description.
pub(super) fn of_metadata(document: &Value, version: &str) -> Result<String, Failure> {
    let schemas = &document["components"]["schemas"];
    let text = |schema: &Value, name: &str| match &schema["description"] {
        Value::String(text) => Ok(text.clone()),
        _ => Err(Failure::new(format!("{name} has no description"))),
    };
    let (metadata, pod) = (&schemas[METADATA], &schemas["io.k8s.api.core.v1.Pod"]);
    let fields = metadata["properties"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, schema)| Ok((name.clone(), text(schema, name)?.into())));
    let fields = fields.collect::<Result<Map<_, _>, Failure>>()?;
    let file = json!({
        "comment": format!("{NOTICE} `cargo xtask codegen openapi` writes this file from {version}."),
        "description": text(metadata, METADATA)?,
        "field": text(&pod["properties"]["metadata"], "the metadata of a Pod")?,
        "fields": fields,
    });
    Ok(format!("{file:#}\n"))
}
