//! Finds the bug in a Kubernetes controller before the cluster does, and replays it from a number.

mod call;
mod engine;
mod explore;
mod fault;
mod generator;
mod plan;
mod process;
mod property;
mod random;
mod runtime;
mod scenario;
mod shrink;
mod step;
mod timeline;
mod watchdog;
mod world;

pub use trimtab_apiserver::{ChangeKind, Commit, StoredObject, Verb};

pub use self::{
    call::Call,
    explore::{Divergence, Failure, Pattern, Report, Simulation},
    fault::{Fault, FaultMix, ParsePlanError, PlannedFault, Requests},
    generator::Generator,
    plan::Plan,
    process::{OnEnd, Outcome, Process},
    property::{Sent, Verdict, Violation, controller_uid},
    random::Random,
    scenario::Scenario,
    step::Step,
    timeline::Timeline,
    world::{World, Writer, Written},
};
