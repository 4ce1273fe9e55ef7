//! Structural schemas of Kubernetes: is this object valid by that CustomResourceDefinition? Without a cluster, and with
//! kube-apiserver's messages.
//!
//! ```
//! use serde_json::json;
//! use trimtab_schema::Definition;
//!
//! const APPS: &str = r#"
//! apiVersion: apiextensions.k8s.io/v1
//! kind: CustomResourceDefinition
//! metadata: {name: apps.example.com}
//! spec:
//!   group: example.com
//!   scope: Namespaced
//!   names: {kind: App, plural: apps}
//!   versions:
//!   - name: v1
//!     served: true
//!     storage: true
//!     schema:
//!       openAPIV3Schema:
//!         type: object
//!         properties:
//!           spec:
//!             type: object
//!             required: [replicas]
//!             properties:
//!               replicas: {type: integer, minimum: 1}
//!               max: {type: integer, default: 5}
//!             x-kubernetes-validations:
//!             - rule: self.replicas <= self.max
//!               message: more replicas than allowed
//! "#;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let apps = Definition::from_yaml(APPS)?;
//!     let app = |spec| json!({"apiVersion": "example.com/v1", "kind": "App", "metadata": {"name": "a"}, "spec": spec});
//!     apps.validate(&app(json!({"replicas": 3})))?;
//!
//!     let refused = |spec| apps.validate(&app(spec)).unwrap_err().to_string();
//!     assert_eq!(
//!         refused(json!({"replicas": 0})),
//!         "App.example.com \"a\" is invalid: spec.replicas: Invalid value: 0: spec.replicas in body should be greater than \
//!          or equal to 1",
//!     );
//!     assert_eq!(
//!         refused(json!({"replicas": 9})),
//!         "App.example.com \"a\" is invalid: spec: Invalid value: more replicas than allowed",
//!     );
//!     assert_eq!(refused(json!({"replicas": 1, "size": 2})), "strict decoding error: unknown field \"spec.size\"");
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. An object is valid here if and only if kube-apiserver accepts it by its schema, apart from the differences below.
//! 2. Errors have kube-apiserver's fields, reasons and messages.
//! 3. No schema and no object makes a function panic, and rules run within upstream's budgets.
//!
//! # Parts
//!
//! - [`Definition`]: a CustomResourceDefinition and its versions.
//! - [`StructuralSchema`]: the schema of one version: decoding, pruning, defaults, validation, CEL rules.
//! - [`Schema`]: the types of custom and of built-in kinds (those of Kubernetes 1.36), as trees.
//!
//! # Not here
//!
//! Conversion webhooks, the names in a definition, and the validation of built-in kinds beyond their types.
//!
//! # Differences from kube-apiserver
//!
//! - YAML is read as YAML 1.2; kube-apiserver reads 1.1, where `on` is a boolean.
//! - An update is compared with the old object as it is given, without conversion between versions.

mod builtin;
pub mod convert;
mod decode;
mod defaults;
mod definition;
mod error;
pub mod go_number;
mod managed;
mod node;
pub mod openapi;
mod prose;
mod rules;
mod schema;
mod structural;
mod structural_schema;
mod validator;
mod zeros;

pub use self::{
    decode::{DecodeErrors, decode},
    defaults::{prune, set_defaults},
    definition::{Definition, DefinitionError, ObjectError},
    error::{FieldError, join_errors},
    node::{Form, ListType, PatchRule, Scalar},
    schema::Schema,
    structural_schema::StructuralSchema,
    zeros::{drop_empty_lists, write_zeros},
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
