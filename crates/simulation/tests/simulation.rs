//! The promises of the simulation, on small processes that are easy to see through.

#[path = "simulation/bad_input.rs"]
mod bad_input;
#[path = "simulation/clocks.rs"]
mod clocks;
#[path = "simulation/determinism.rs"]
mod determinism;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/memory.rs"]
#[cfg(target_os = "linux")] // the resident size is read from /proc
mod memory;
#[path = "simulation/readme.rs"]
mod readme;
#[path = "simulation/shrinking.rs"]
mod shrinking;
#[path = "simulation/small.rs"]
mod small;
#[path = "simulation/workloads.rs"]
mod workloads;
