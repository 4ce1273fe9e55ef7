//! Complete controllers on Trimtab.
//!
//! - [`database`]: an operator with nine defects to switch on, for the simulation to find.
//! - [`replicaset`]: Kubernetes' ReplicaSet controller. `cargo xtask demo` runs it.
//! - [`scenarios`]: scenarios for the simulation. `cargo xtask simulate` runs them.

pub mod database;
pub mod replicaset;
pub mod scenarios;
