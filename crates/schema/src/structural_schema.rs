//! [`StructuralSchema`]: the structural schema of a custom kind, in the form in which the definition has it and as types.

use std::sync::OnceLock;

use serde_json::{Map, Value};
use trimtab_managed_fields::TypeDef;

use super::{
    Schema, builtin, decode,
    node::{Form, List, Node, Scalar},
    rules::{self, Rules},
    structural,
    validator::Validator,
};
use crate::error::FieldError;

/// The schema of one version of a custom kind.
#[derive(Debug)]
pub struct StructuralSchema {
    source: Value,
    root: Node,
    /// Compiled when the first object is validated.
    validator: OnceLock<Validator>,
    rules: OnceLock<Rules>,
    /// Read when the first object is written.
    managed_type: OnceLock<TypeDef>,
}

impl StructuralSchema {
    /// Reads the `openAPIV3Schema` of a definition. A part without sense is read as a value of any type.
    pub fn new(source: Value) -> Self {
        let mut root = object(node(&source));
        let text = || Node::new(Form::Scalar(Scalar::String));
        root.set_fields([
            ("apiVersion", text()),
            ("kind", text()),
            ("metadata", Node::named(builtin::metadata_position())),
        ]);
        Self {
            source,
            root,
            validator: OnceLock::new(),
            rules: OnceLock::new(),
            managed_type: OnceLock::new(),
        }
    }

    /// Checks that a schema is structural, and that its defaults and its CEL rules are valid: upstream's checks. The errors
    /// name fields below `path`.
    pub fn check(schema: &Value, path: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        structural::check(schema, path, &mut errors);
        errors
    }

    /// Returns the schema as the definition has it.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Returns the errors of a decoded object, which was `old` before an update.
    pub fn errors(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        self.errors_as_sent(object, object, old)
    }

    /// The same of an object whose client `sent` it with other numbers: whole floats are not integers to each keyword.
    pub fn errors_as_sent(&self, sent: &Value, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut causes =
            self.validator.get_or_init(|| Validator::new(&self.source)).causes(self.schema(), sent, old);
        causes.extend(self.rules.get_or_init(|| Rules::new(&self.source)).causes(object, old, &causes));
        causes
    }

    /// Returns the type of the kind's objects for managed fields.
    pub fn managed_type(&self) -> &TypeDef {
        self.managed_type.get_or_init(|| TypeDef::from_openapi(&self.source))
    }

    /// Returns the type of the kind's objects.
    pub fn schema(&self) -> Schema<'_> {
        Schema(&self.root)
    }
}

/// Returns the errors of the default that `schema`, which is no kind's root, declares; they name `field`.
pub(crate) fn default_causes(schema: &Value, field: &str) -> Vec<FieldError> {
    let Some(default) = schema.get("default") else { return Vec::new() };
    let node = node(schema);
    let mut causes = Vec::new();
    if decode(Some(Schema(&node)), default).is_ok_and(|(_, errors)| !errors.strict.is_empty()) {
        causes.push(FieldError::invalid(field, default, "must not have unknown fields"));
    }
    causes.extend(Validator::new(schema).causes_at(field, Schema(&node), default));
    if causes.is_empty() {
        causes.extend(rules::default_causes(schema, field));
    }
    causes
}

/// The same as an object, which every kind's root is.
fn object(node: Node) -> Node {
    match node.form {
        Form::Struct => node,
        _ => Node {
            preserves_unknown: node.preserves_unknown || node.form == Form::Any,
            ..Node::new(Form::Struct)
        },
    }
}

fn node(schema: &Value) -> Node {
    let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
    let mut node = Node::new(Form::Any);
    node.preserves_unknown = flag("x-kubernetes-preserve-unknown-fields");
    node.nullable = flag("nullable");
    node.default = schema.get("default").cloned();
    node.atomic = schema.get("x-kubernetes-map-type").map(|kind| kind == "atomic");
    let format = schema["format"].as_str().unwrap_or_default();
    node.form = match schema["type"].as_str().unwrap_or_default() {
        _ if flag("x-kubernetes-int-or-string") => Form::Scalar(Scalar::IntOrString),
        "object" => {
            fields(schema, &mut node);
            if node.fields.is_empty() && node.items.is_some() { Form::Map } else { Form::Struct }
        }
        "array" => {
            node.items = Some(Box::new(schema.get("items").map_or_else(|| Node::new(Form::Any), self::node)));
            node.list = list(schema);
            Form::List
        }
        "string" => Form::Scalar(Scalar::String),
        "integer" if format == "int32" => Form::Scalar(Scalar::Int32),
        "integer" => Form::Scalar(Scalar::Int64),
        "number" => Form::Scalar(Scalar::Number),
        "boolean" => Form::Scalar(Scalar::Boolean),
        // What keeps unknown fields need have no type, and may declare some.
        _ if schema["properties"].is_object() => {
            fields(schema, &mut node);
            Form::Struct
        }
        _ => Form::Any,
    };
    if flag("x-kubernetes-embedded-resource") {
        let metadata = Node::named(builtin::metadata_position());
        node.form = Form::Struct;
        let text = || Node::new(Form::Scalar(Scalar::String));
        node.set_fields([("apiVersion", text()), ("kind", text()), ("metadata", metadata)]);
    }
    node
}

fn fields(schema: &Value, node: &mut Node) {
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flat_map(Map::iter);
    node.set_fields(properties.map(|(name, schema)| {
        let required = required.iter().any(|required| required == name);
        (name.as_str(), Node { required, ..self::node(schema) })
    }));
    node.items = match schema.get("additionalProperties") {
        Some(Value::Object(_)) => Some(Box::new(self::node(&schema["additionalProperties"]))),
        // Upstream has no schema for these values, and keeps no field of an object without one.
        Some(Value::Bool(true)) => {
            Some(Box::new(Node { nullable: true, is_closed: true, ..Node::new(Form::Any) }))
        }
        _ => None,
    };
}

fn list(schema: &Value) -> Option<List> {
    let keys = || schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
    match schema["x-kubernetes-list-type"].as_str()? {
        "set" => Some(List::Set),
        "map" => Some(List::Map(keys().filter_map(Value::as_str).map(str::to_owned).collect())),
        _ => Some(List::Atomic),
    }
}
