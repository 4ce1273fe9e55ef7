//! Reading the structural schema of a custom resource.

use serde_json::{Map, Value};

use super::{Form, ListType, Scalar, TypeDef};

impl TypeDef {
    /// Reads the structural schema of a custom resource: the `openAPIV3Schema` of its definition. The object and every
    /// embedded resource get the metadata that all objects have.
    ///
    /// Keywords of validation do not count. A part without a type is a value of any form.
    pub fn from_openapi(schema: &Value) -> Self {
        let def = node(schema);
        let object = match def.form {
            Form::Struct => def,
            _ => Self {
                preserves_unknown: def.preserves_unknown || def.form == Form::Any,
                ..Self::new(Form::Struct)
            },
        };
        object.with_object_fields()
    }

    fn with_object_fields(self) -> Self {
        let text = || Self::scalar(Scalar::String);
        self.with_field("apiVersion", text())
            .with_field("kind", text())
            .with_field("metadata", Self::object_meta())
    }

    /// Returns the type of `metadata`: `ObjectMeta`.
    pub fn object_meta() -> Self {
        let text = || Self::scalar(Scalar::String);
        let number = || Self::scalar(Scalar::Number);
        let time = || Self::scalar(Scalar::Untyped);
        let flag = || Self::scalar(Scalar::Boolean);
        let owner = ["apiVersion", "kind", "name", "uid"]
            .into_iter()
            .fold(Self::object(), |owner, name| owner.with_field(name, text()));
        let owner = owner.with_field("blockOwnerDeletion", flag()).with_field("controller", flag());
        let entry = ["apiVersion", "fieldsType", "manager", "operation", "subresource"]
            .into_iter()
            .fold(Self::object(), |entry, name| entry.with_field(name, text()))
            .with_field("fieldsV1", Self::any())
            .with_field("time", time());
        ["generateName", "name", "namespace", "resourceVersion", "selfLink", "uid"]
            .into_iter()
            .fold(Self::object(), |meta, name| meta.with_field(name, text()))
            .with_field("annotations", Self::map(text()))
            .with_field("labels", Self::map(text()))
            .with_field("creationTimestamp", time())
            .with_field("deletionTimestamp", time())
            .with_field("deletionGracePeriodSeconds", number())
            .with_field("generation", number())
            .with_field("finalizers", Self::list(text(), Some(ListType::Set)))
            .with_field("managedFields", Self::list(entry, Some(ListType::Atomic)))
            .with_field(
                "ownerReferences",
                Self::list(owner.with_atomic(true), Some(ListType::Map(vec!["uid".to_owned()]))),
            )
    }
}

fn node(schema: &Value) -> TypeDef {
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    let mut def = match schema["type"].as_str().unwrap_or_default() {
        _ if flag("x-kubernetes-int-or-string") => TypeDef::scalar(Scalar::Untyped),
        "object" => object(schema),
        "array" => TypeDef::list(schema.get("items").map_or_else(TypeDef::any, node), list_type(schema)),
        "string" => TypeDef::scalar(Scalar::String),
        "integer" | "number" => TypeDef::scalar(Scalar::Number),
        "boolean" => TypeDef::scalar(Scalar::Boolean),
        _ => TypeDef::any(),
    };
    def.preserves_unknown |= flag("x-kubernetes-preserve-unknown-fields");
    def.default = schema.get("default").cloned();
    def.atomic = schema.get("x-kubernetes-map-type").map(|kind| kind == "atomic");
    if flag("x-kubernetes-embedded-resource") {
        // The embedded object keeps its own properties beside those of every object.
        def.form = Form::Struct;
        def = def.with_object_fields();
    }
    def
}

fn object(schema: &Value) -> TypeDef {
    let properties = schema["properties"].as_object().into_iter().flat_map(Map::iter);
    let def = properties.fold(TypeDef::object(), |def, (name, schema)| def.with_field(name, node(schema)));
    let values = match schema.get("additionalProperties") {
        Some(Value::Object(_)) => node(&schema["additionalProperties"]),
        // Upstream has no schema for these values, and keeps no field of an object without one.
        Some(Value::Bool(true)) => TypeDef::opaque(),
        _ => return def,
    };
    if def.fields.is_empty() { TypeDef::map(values) } else { def.with_additional(values) }
}

fn list_type(schema: &Value) -> Option<ListType> {
    let keys = || schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
    match schema["x-kubernetes-list-type"].as_str()? {
        "set" => Some(ListType::Set),
        "map" => Some(ListType::Map(keys().filter_map(Value::as_str).map(str::to_owned).collect())),
        _ => Some(ListType::Atomic),
    }
}
