//! Descriptions of the metadata's fields: the one type that every kind has, built-in or custom. All else is published
//! without prose, as it was left where the types come from.

use serde_json::{Value, json};

use super::openapi::Version;

/// The full name of the type of all objects' metadata.
pub const METADATA: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The fields of an object's metadata, in their order.
const FIELDS: &[(&str, &str)] = &[
    ("annotations", "Annotations are texts that tools keep with the object. Nothing is selected by them."),
    ("creationTimestamp", "CreationTimestamp is a timestamp of when the server made the object."),
    (
        "deletionGracePeriodSeconds",
        "How many seconds the object has to end by itself once it is to be deleted.",
    ),
    (
        "deletionTimestamp",
        "DeletionTimestamp is a timestamp of when the object is to be gone. Whoever deletes it sets that.",
    ),
    ("finalizers", "What has to be done before the object goes. Whoever has done it takes its entry away."),
    ("generateName", "GenerateName is what the name begins with, if the server is to find one that is free."),
    ("generation", "How often what is wanted of the object was changed."),
    ("labels", "Labels are texts by which objects are selected."),
    ("managedFields", "Who manages which fields of the object."),
    ("name", "Name tells the object from all others of its kind and namespace."),
    ("namespace", "Namespace is where the object's name counts. Some kinds have none."),
    ("ownerReferences", "The objects on which this one depends. When all of them are gone, it goes."),
    (
        "resourceVersion",
        "ResourceVersion tells this state of the object from others. Clients do not look into it.",
    ),
    ("selfLink", "SelfLink is not in use any more."),
    ("uid", "UID tells the object from all others there ever were."),
];

/// Returns the schema of a field that holds an object's metadata, which `reference` refers to.
pub fn metadata_field(version: Version, reference: Value) -> Value {
    described(
        version,
        reference,
        "Standard object's metadata: its name, labels and what the server knows of it.",
    )
}

/// Tells what the fields of the metadata's type mean.
pub(crate) fn describe_metadata(version: Version, schema: &mut Value) {
    for (field, text) in FIELDS {
        if let Some(schema) = schema["properties"].get_mut(field) {
            *schema = described(version, schema.take(), text);
        }
    }
}

/// In v3 nothing may stand beside a reference.
fn described(version: Version, mut schema: Value, text: &str) -> Value {
    if version == Version::V3 && schema.get("$ref").is_some() {
        schema = json!({"allOf": [schema]});
    }
    schema["description"] = text.into();
    schema
}
