//! Kubernetes' managed fields: server-side apply and the ownership of fields, on JSON values and without a server.
//!
//! ```
//! use serde_json::json;
//! use trimtab_managed_fields::{ListType, OneVersion, Scalar, Type, TypeDef, Writer};
//!
//! fn main() -> Result<(), trimtab_managed_fields::ApplyError> {
//!     let port = TypeDef::object()
//!         .with_field("name", TypeDef::scalar(Scalar::String))
//!         .with_field("number", TypeDef::scalar(Scalar::Number));
//!     let by_name = ListType::Map(vec!["name".to_owned()]);
//!     let route = TypeDef::object()
//!         .with_field("host", TypeDef::scalar(Scalar::String))
//!         .with_field("ports", TypeDef::list(port, Some(by_name)))
//!         .with_field("metadata", TypeDef::object_meta());
//!     let routes = OneVersion::new("example.com/v1", Type::of_document(&route));
//!
//!     // Two teams apply their parts of one document.
//!     let web = Writer::new(&routes, "web");
//!     let ours = json!({"metadata": {"name": "r"}, "host": "a.io", "ports": [{"name": "http", "number": 80}]});
//!     let live = web.apply_object(None, &ours, false)?;
//!     let admin = Writer::new(&routes, "admin");
//!     let theirs = json!({"metadata": {"name": "r"}, "ports": [{"name": "admin", "number": 9000}]});
//!     let live = admin.apply_object(Some(&live), &theirs, false)?;
//!     assert_eq!(live["ports"].as_array().map(Vec::len), Some(2));
//!
//!     // A change of another's field is a conflict.
//!     let taken = json!({"metadata": {"name": "r"}, "host": "b.io"});
//!     let conflict = admin.apply_object(Some(&live), &taken, false).unwrap_err();
//!     assert_eq!(conflict.to_string(), r#"Apply failed with 1 conflict: conflict with "web": .host"#);
//!
//!     // Fields that their manager does not apply any more are removed.
//!     let live = admin.apply_object(Some(&live), &json!({"metadata": {"name": "r"}}), false)?;
//!     assert_eq!(live["ports"], json!([{"name": "http", "number": 80}]));
//!     Ok(())
//! }
//! ```
//!
//! The rules are those of Kubernetes' `structured-merge-diff` and of kube-apiserver's field managers: appliers share fields
//! that have the same value, an update takes the fields that it changes, and the text of `metadata.managedFields` is the one
//! that clients of Kubernetes read.
//!
//! # Guarantees
//!
//! 1. Applying the same configuration again changes nothing.
//! 2. After an apply, the object has every field of the configuration, and the manager has exactly those fields.
//! 3. Configurations that share no field can be applied in any order.
//! 4. No input makes a function panic.
//!
//! # Parts
//!
//! - [`TypeDef`]: the schema, built by hand or read from a CustomResourceDefinition ([`TypeDef::from_openapi`]).
//! - [`Writer`]: creates, updates and applies under a manager's name. [`Versions`] serves kinds with several versions.
//! - [`FieldSet`], [`Comparison`], [`ManagedFields`]: the values that the rules work on.
//!
//! # Not here
//!
//! Strategic merge patches, JSON patches, validation, and every request: the crate has no Kubernetes client in it.

mod applied;
mod apply;
mod compare;
mod conflict;
mod element;
mod entry;
mod fields;
mod made;
mod merge;
mod object;
mod prune;
mod set;
mod typed;
mod typedef;
mod unowned;
mod versions;
mod writer;

pub use self::{
    compare::Comparison,
    conflict::{ApplyError, Conflicts},
    element::Malformed,
    entry::{Entry, ManagedFields, Operation},
    fields::Fields,
    set::FieldSet,
    typed::Type,
    typedef::{Form, ListType, Scalar, TypeDef},
    unowned::{Paths, Unowned},
    versions::{OneVersion, Versions},
    writer::Writer,
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
