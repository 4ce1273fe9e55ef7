//! Whole controllers on Trimtab, to read and to start from.
//!
//! - [`replicaset`]: Kubernetes' ReplicaSet controller. `cargo xtask demo` runs it.

pub mod replicaset;
