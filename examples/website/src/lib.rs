//! The website operator: a Deployment, a Service and a ConfigMap for each [`Website`](kind::Website).
//!
//! `kind.rs` has the custom kind, `children.rs` the objects that a website consists of, `operator.rs` the reconciler.

mod children;
pub mod kind;
mod operator;

pub use self::operator::{FINALIZER, add_to, parts};
