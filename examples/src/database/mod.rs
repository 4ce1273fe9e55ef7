//! An operator for a small database, with nine defects that can be switched on: what the simulation has to find.
//!
//! A `Database` of n members has n claims (`data-NAME-i`), which outlive Pods, and n Pods (`NAME-i`), which carry a hash
//! of the configuration that they were started with. Each new Pod is joined to the others once. A new configuration is
//! rolled out one Pod at a time, and never below a quorum. A finalizer removes the claims with the `Database`.
//!
//! Each [`Defect`] is one that operators in use had, written anew: see its documentation.

mod defect;
mod kind;
mod operator;
mod rollout;

pub use self::{
    defect::{Class, Defect},
    kind::{DEFINITION, Database, DatabaseSpec, DatabaseStatus, config_hash},
    operator::Operator,
};
