//! Types written as OpenAPI schemas, in either version of OpenAPI.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Map, Value, json};

use super::{
    Schema, builtin,
    node::{Form, List, Node, Scalar},
    prose,
};

pub use super::prose::{METADATA, metadata_field};

/// The version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// OpenAPI 2.0, of `/openapi/v2`.
    V2,
    /// OpenAPI 3.0, of `/openapi/v3`.
    V3,
}

impl Version {
    /// The prefix of a schema's name in a reference.
    fn prefix(self) -> &'static str {
        match self {
            Self::V2 => "#/definitions/",
            Self::V3 => "#/components/schemas/",
        }
    }

    /// Returns a reference to a schema.
    pub fn reference(self, name: &str) -> Value {
        json!({"$ref": format!("{}{name}", self.prefix())})
    }
}

/// The schemas of a document, by name.
#[derive(Debug)]
pub struct Schemas {
    version: Version,
    written: Map<String, Value>,
    seen: BTreeSet<usize>,
    /// Types that something refers to, and that are not written yet.
    wanted: VecDeque<usize>,
}

impl Schemas {
    /// Makes an empty document.
    pub fn new(version: Version) -> Self {
        Self { version, written: Map::new(), seen: BTreeSet::new(), wanted: VecDeque::new() }
    }

    /// Returns the version of OpenAPI.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Adds a built-in type and the types that it refers to; returns a reference to it, if there is such a type.
    pub fn add(&mut self, schema: Option<Schema<'_>>) -> Option<Value> {
        let position = builtin::position(schema?.full_name())?;
        self.want(position);
        Some(self.version.reference(&public_name(position)))
    }

    /// Adds a built-in type by its full name, such as `api.core.v1.Pod`; returns a reference to it.
    pub fn add_named(&mut self, name: &str) -> Option<Value> {
        let position = builtin::position(name)?;
        self.want(position);
        Some(self.version.reference(&public_name(position)))
    }

    /// Adds all built-in types.
    pub fn add_all(&mut self) {
        (0..builtin::count()).for_each(|position| self.want(position));
    }

    /// Adds a schema as it is, and returns a reference to it.
    pub fn insert(&mut self, name: &str, schema: Value) -> Value {
        self.written.insert(name.to_owned(), schema);
        self.version.reference(name)
    }

    /// Returns all schemas by name.
    pub fn finish(mut self) -> Map<String, Value> {
        while let Some(position) = self.wanted.pop_front() {
            let mut schema = self.write(builtin::definition(position));
            if let Some([group, version, kind]) = builtin::kind(position) {
                schema["x-kubernetes-group-version-kind"] =
                    json!([{"group": group, "version": version, "kind": kind}]);
            }
            if builtin::name(position) == prose::METADATA {
                prose::describe_metadata(self.version, &mut schema);
            }
            self.written.insert(public_name(position), schema);
        }
        self.written
    }

    fn want(&mut self, position: usize) {
        if self.seen.insert(position) {
            self.wanted.push_back(position);
        }
    }

    fn write(&mut self, node: &Node) -> Value {
        let mut schema = match node.named {
            Some(position) => {
                self.want(position);
                let reference = self.version.reference(&public_name(position));
                let is_bare = node.default.is_none() && node.patch.is_none() && node.atomic.is_none();
                if is_bare || self.version == Version::V2 { reference } else { json!({"allOf": [reference]}) }
            }
            None => self.form(node),
        };
        if !node.fields.is_empty() {
            let properties: Map<String, Value> =
                node.fields.iter().map(|(name, node)| (name.to_owned(), self.write(node))).collect();
            let mut required: Vec<&str> =
                node.fields.iter().filter(|(_, node)| node.required).map(|(name, _)| name).collect();
            required.sort_unstable();
            schema["properties"] = Value::Object(properties);
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
        }
        if let Some(default) = &node.default {
            schema["default"] = default.clone();
        }
        if !node.choices.is_empty() {
            schema["enum"] = json!(node.choices);
        }
        extensions(node, &mut schema);
        schema
    }

    fn form(&mut self, node: &Node) -> Value {
        let mut items = || node.items.as_deref().map_or_else(|| json!({}), |items| self.write(items));
        match node.form {
            Form::Struct => json!({"type": "object"}),
            Form::Map => json!({"type": "object", "additionalProperties": items()}),
            Form::List => json!({"type": "array", "items": items()}),
            Form::Any if node.preserves_unknown => json!({"type": "object"}),
            Form::Any => json!({}),
            Form::Scalar(scalar) => match (scalar, self.version) {
                (Scalar::String, _) => json!({"type": "string"}),
                (Scalar::Bytes, _) => json!({"type": "string", "format": "byte"}),
                (Scalar::Time | Scalar::MicroTime, _) => json!({"type": "string", "format": "date-time"}),
                (Scalar::Int32, _) => json!({"type": "integer", "format": "int32"}),
                (Scalar::Int64, _) => json!({"type": "integer", "format": "int64"}),
                (Scalar::Number, _) => json!({"type": "number", "format": "double"}),
                (Scalar::Boolean, _) => json!({"type": "boolean"}),
                (Scalar::IntOrString, Version::V2) => json!({"type": "string", "format": "int-or-string"}),
                (Scalar::Quantity, Version::V2) => json!({"type": "string"}),
                (Scalar::IntOrString, Version::V3) => {
                    json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
                }
                (Scalar::Quantity, Version::V3) => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
            },
        }
    }
}

/// Kubernetes' extensions of OpenAPI for a type.
fn extensions(node: &Node, schema: &mut Value) {
    match &node.list {
        None => {}
        Some(List::Atomic) => schema["x-kubernetes-list-type"] = "atomic".into(),
        Some(List::Set) => schema["x-kubernetes-list-type"] = "set".into(),
        Some(List::Map(keys)) => {
            schema["x-kubernetes-list-type"] = "map".into();
            schema["x-kubernetes-list-map-keys"] = json!(keys);
        }
    }
    if let Some(atomic) = node.atomic {
        schema["x-kubernetes-map-type"] = if atomic { "atomic" } else { "granular" }.into();
    }
    if let Some(rule) = &node.patch {
        let words = [(rule.merges, "merge"), (rule.replaces, "replace"), (rule.retains_keys, "retainKeys")];
        let words: Vec<&str> = words.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect();
        schema["x-kubernetes-patch-strategy"] = words.join(",").into();
        if let Some(key) = &rule.key {
            schema["x-kubernetes-patch-merge-key"] = key.as_str().into();
        }
    }
}

/// The name that clients know, `io.k8s.api.core.v1.Pod`.
fn public_name(position: usize) -> String {
    format!("io.k8s.{}", builtin::name(position))
}
