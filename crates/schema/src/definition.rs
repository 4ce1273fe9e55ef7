//! [`Definition`]: a CustomResourceDefinition that objects are validated against.

use std::fmt;

use serde_json::Value;

use crate::{
    StructuralSchema, decode,
    error::{FieldError, join_errors},
};

/// A CustomResourceDefinition with the schemas of its versions.
#[derive(Debug)]
pub struct Definition {
    group: String,
    kind: String,
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    name: String,
    /// `None` if the version has no schema, which only the versions of old definitions may lack.
    schema: Option<StructuralSchema>,
}

/// The error of a definition.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The text is no YAML; the message has the line.
    Yaml(String),
    /// The document is no CustomResourceDefinition of `apiextensions.k8s.io/v1`: the missing or wrong field.
    Form(&'static str),
    /// A schema is not structural, or its CEL rules do not compile or cost too much.
    Schemas(Vec<FieldError>),
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(error) => write!(f, "the definition is no YAML: {error}"),
            Self::Form(field) => {
                write!(
                    f,
                    "the document is no CustomResourceDefinition of apiextensions.k8s.io/v1: {field} is missing or wrong"
                )
            }
            Self::Schemas(errors) => f.write_str(&join_errors(errors)),
        }
    }
}

impl std::error::Error for DefinitionError {}

/// The error of an object. Its text is the message of kube-apiserver's `Status`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ObjectError {
    /// The object is of another group, version or kind, which the text names.
    OtherKind(String),
    /// A metadata field has a wrong type, or fields are undeclared: strict decoding fails.
    Decode(String),
    /// The object violates the schema or its rules.
    Invalid {
        /// The kind and the group, such as `App.example.com`.
        kind: String,
        /// The name of the object.
        name: String,
        /// The errors.
        errors: Vec<FieldError>,
    },
}

impl ObjectError {
    /// Returns the errors of fields.
    pub fn errors(&self) -> &[FieldError] {
        match self {
            Self::Invalid { errors, .. } => errors,
            Self::OtherKind(_) | Self::Decode(_) => &[],
        }
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind(message) | Self::Decode(message) => f.write_str(message),
            Self::Invalid { kind, name, errors } => {
                write!(f, "{kind} {name:?} is invalid: {}", join_errors(errors))
            }
        }
    }
}

impl std::error::Error for ObjectError {}

impl Definition {
    /// Reads a definition from YAML or JSON, and checks its schemas and rules as kube-apiserver does.
    ///
    /// # Errors
    ///
    /// See [`DefinitionError`].
    pub fn from_yaml(text: &str) -> Result<Self, DefinitionError> {
        let document =
            serde_saphyr::from_str(text).map_err(|error| DefinitionError::Yaml(error.to_string()))?;
        Self::from_json(&document)
    }

    /// Reads a definition from its JSON.
    ///
    /// # Errors
    ///
    /// See [`DefinitionError`].
    pub fn from_json(document: &Value) -> Result<Self, DefinitionError> {
        let form = |field| DefinitionError::Form(field);
        let text = |pointer: &str, field| {
            let text = document.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned).ok_or(form(field))
        };
        if text("/apiVersion", "apiVersion")? != "apiextensions.k8s.io/v1" {
            return Err(form("apiVersion"));
        }
        if text("/kind", "kind")? != "CustomResourceDefinition" {
            return Err(form("kind"));
        }
        let (group, kind) =
            (text("/spec/group", "spec.group")?, text("/spec/names/kind", "spec.names.kind")?);
        let listed = document.pointer("/spec/versions").and_then(Value::as_array);
        let listed = listed.filter(|versions| !versions.is_empty()).ok_or(form("spec.versions"))?;
        let mut errors = Vec::new();
        let mut versions = Vec::new();
        for (position, version) in listed.iter().enumerate() {
            let name = version["name"].as_str().ok_or(form("spec.versions[].name"))?.to_owned();
            let schema = version.pointer("/schema/openAPIV3Schema").cloned();
            if let Some(schema) = &schema {
                let path = format!("spec.versions[{position}].schema.openAPIV3Schema");
                errors.extend(StructuralSchema::check(schema, &path));
            }
            versions.push(Version { name, schema: schema.map(StructuralSchema::new) });
        }
        if errors.is_empty() {
            Ok(Self { group, kind, versions })
        } else {
            Err(DefinitionError::Schemas(errors))
        }
    }

    /// Validates a new object: strict decoding, then the schema, then the CEL rules. Defaults count.
    ///
    /// # Errors
    ///
    /// See [`ObjectError`].
    pub fn validate(&self, object: &Value) -> Result<(), ObjectError> {
        self.complete(object).map(drop)
    }

    /// Validates an update of `old`: unchanged errors do not count, and transition rules compare both.
    ///
    /// # Errors
    ///
    /// See [`ObjectError`].
    pub fn validate_update(&self, object: &Value, old: &Value) -> Result<(), ObjectError> {
        self.checked(object, Some(old)).map(drop)
    }

    /// Validates a new object and returns it with its defaults.
    ///
    /// # Errors
    ///
    /// See [`ObjectError`].
    pub fn complete(&self, object: &Value) -> Result<Value, ObjectError> {
        self.checked(object, None)
    }

    fn checked(&self, object: &Value, old: Option<&Value>) -> Result<Value, ObjectError> {
        let version = self.version_of(object)?;
        let Some(schema) = &version.schema else { return Ok(object.clone()) };
        let (decoded, errors) = decode(Some(schema.schema()), object.clone())
            .map_err(|error| ObjectError::Decode(error.to_string()))?;
        if let Some(error) = errors.mistyped {
            return Err(ObjectError::Decode(error));
        }
        if !errors.strict.is_empty() {
            return Err(ObjectError::Decode(format!("strict decoding error: {}", errors.strict.join(", "))));
        }
        let errors = schema.errors(&decoded, old);
        if errors.is_empty() {
            return Ok(decoded);
        }
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let kind = format!("{}.{}", self.kind, self.group);
        Err(ObjectError::Invalid { kind, name: name.to_owned(), errors })
    }

    fn version_of(&self, object: &Value) -> Result<&Version, ObjectError> {
        let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let found = self.versions.iter().find(|version| {
            let (group, name) = api_version.split_once('/').unwrap_or(("", api_version));
            group == self.group && name == version.name && kind == self.kind
        });
        found.ok_or_else(|| {
            ObjectError::OtherKind(format!("no matches for kind {kind:?} in version {api_version:?}"))
        })
    }
}
