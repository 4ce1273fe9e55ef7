//! The operator: a Deployment for each [`{{kind}}`](kind::{{kind}}).
//!
//! `kind.rs` has the custom kind and its definition, `operator.rs` the reconciler and its wiring.

pub mod kind;
mod operator;

pub use self::operator::{FINALIZER, add_to};
