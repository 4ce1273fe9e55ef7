//! Finds the bug in a Kubernetes controller before the cluster does, and replays it from a number.
//!
//! ```
//! use std::time::Duration;
//!
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube_client::{Api, Error, api::{ListParams, PostParams}};
//! use trimtab_simulation::{OnEnd, Process, Scenario, Simulation};
//!
//! /// Keeps three maps: lists them and creates the missing ones.
//! async fn controller(process: Process) -> Result<(), Error> {
//!     let maps: Api<ConfigMap> = Api::default_namespaced(process.client());
//!     loop {
//!         let seen = maps.list(&ListParams::default().match_any()).await?; // from the server's cache
//!         for _ in seen.items.len()..3 {
//!             let map = serde_json::from_value(serde_json::json!({"metadata": {"generateName": "map-"}}));
//!             maps.create(&PostParams::default(), &map.map_err(Error::SerdeError)?).await?;
//!         }
//!         tokio::time::sleep(Duration::from_secs(1)).await;
//!     }
//! }
//!
//! fn main() {
//!     let scenario = Scenario::new("three maps")
//!         .process("controller", controller)
//!         .on_end(OnEnd::Restart(Duration::from_secs(1))) // as a kubelet does
//!         .always("never more than three", |world| world.objects("configmaps").count() <= 3);
//!     println!("{}", Simulation::new(scenario).run());
//! }
//! ```
//!
//! A [`Scenario`] names the processes, the workload, the faults and the properties; a [`Simulation`] runs histories of it,
//! each decided by one seed; a [`Report`] has the failures, each with a timeline and a test to paste.
//!
//! # Guarantees
//!
//! 1. Two runs of a plan are equal, unless the code under test has randomness of its own:
//!    [`Simulation::check_determinism`] returns the first step at which they differ.
//! 2. A crash ends every task of its process, and a pause stops every task. Other processes notice only the missing messages.
//! 3. Messages reach a process only through the simulation: a fault can occur between any two messages.
//! 4. A requested fault occurs if its target exists, and is counted.
//! 5. A shrunk plan violates the same property as the original plan.
//!
//! # Not here
//!
//! Control over the random choices of tokio's `select!`, of hash maps and of generators without a seed, and over sockets,
//! files and threads of the code under test. `docs/simulation.md` in the repository has advice for each.

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

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
