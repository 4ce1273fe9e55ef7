//! An operator for a small database, with nine optional defects that the simulation finds.
//!
//! A `Database` of n members has n claims (`data-NAME-i`), which outlive Pods, and n Pods (`NAME-i`), which carry a hash
//! of the configuration that they were started with. Each new Pod is joined to the others once. A new configuration is
//! rolled out one Pod at a time, and never below a quorum. A finalizer removes the claims with the `Database`.
//!
//! Each [`Defect`] is modelled after a defect of an operator in use.

mod defect;
mod kind;
mod operator;
mod rollout;
mod tear_down;

pub use self::{
    defect::{Class, Defect},
    kind::{DEFINITION, Database, DatabaseSpec, DatabaseStatus, config_hash},
    operator::Operator,
};
