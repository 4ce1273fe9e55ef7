//! Complete controllers on Trimtab.
//!
//! - [`controller_manager`]: the program `trimtab-controller-manager`, with [`deployment`] and [`replicaset`].
//! - [`database`]: an operator with nine defects to switch on, for the simulation to find.
//! - [`deployment`]: Kubernetes' Deployment controller.
//! - [`replicaset`]: Kubernetes' ReplicaSet controller. `cargo xtask demo` runs it.
//! - [`scenarios`]: scenarios for the simulation. `cargo xtask simulate` runs them.

pub mod controller_manager;
pub mod database;
pub mod deployment;
pub mod replicaset;
pub mod scenarios;
