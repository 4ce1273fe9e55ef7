//! Descriptions of the metadata's fields, in upstream's words: the one type that every kind has, built-in or custom, and the
//! one that clients look at in the definition of a custom kind. All other built-in types have no descriptions.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::openapi::Version;

/// The full name of the type of all objects' metadata.
pub const METADATA: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The descriptions that `cargo xtask codegen openapi` wrote, with the notice of their authors.
static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    serde_json::from_str(include_str!("metadata.json")).expect("the generated file has this form")
});

#[derive(Debug, Deserialize)]
struct Texts {
    /// The description of the type.
    description: String,
    /// The description of a field of this type.
    field: String,
    fields: Map<String, Value>,
}

/// Returns the schema of a field that holds an object's metadata, to which `reference` refers.
pub fn metadata_field(version: Version, reference: Value) -> Value {
    described(version, reference, &TEXTS.field)
}

/// Adds the descriptions of the metadata's type and of its fields to its schema.
pub(crate) fn describe_metadata(version: Version, schema: &mut Value) {
    schema["description"] = (&*TEXTS.description).into();
    for (field, text) in &TEXTS.fields {
        if let (Some(schema), Some(text)) = (schema["properties"].get_mut(field), text.as_str()) {
            *schema = described(version, schema.take(), text);
        }
    }
}

/// Adds a description. In v3 nothing may stand beside a reference.
fn described(version: Version, mut schema: Value, text: &str) -> Value {
    if version == Version::V3 && schema.get("$ref").is_some() {
        schema = json!({"allOf": [schema]});
    }
    schema["description"] = text.into();
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_metadata_has_a_description_of_upstream() {
        let names: Vec<_> = TEXTS.fields.keys().map(String::as_str).collect();
        assert!(names.contains(&"creationTimestamp") && names.len() == 15, "{names:?}");
        assert!(TEXTS.field.starts_with("Standard object's metadata. More info: "));
    }
}
