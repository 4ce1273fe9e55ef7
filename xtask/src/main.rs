//! The project's commands, one file each: `cargo xtask --help` lists them.

mod bench;
mod cargo;
mod ci;
mod codegen;
mod conformance;
mod demo;
mod failover;
mod failure;
mod model;
mod new;
mod package;
mod peer;
mod program;
mod release;
mod simulate;
mod soak;
mod stopwatch;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Runs the project's commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every check that a commit must pass, step by step.
    Ci(ci::Options),
    /// Runs a ReplicaSet controller against an API server in one process, injects faults and checks the result.
    Demo(demo::Options),
    /// Runs our benchmarks and the peers' on the same work and prints one table.
    Bench(bench::Options),
    /// Makes the package of an operator, with its tests and manifests: `templates/operator/`.
    New(new::Options),
    /// Compares our implementations with upstream's: API servers, clients, feature gates, informers.
    Conformance(conformance::Options),
    /// Runs a scenario of `examples/` in the simulation: many histories, each with other faults.
    Simulate(simulate::Options),
    /// Checks the model of a protocol exhaustively: every order of its steps.
    Model(model::Options),
    /// Sends signals to real leaders, ours and client-go's, and measures when a follower leads.
    Failover(failover::Options),
    /// Puts a part under random load in real time, on several threads, and checks its results.
    Soak(soak::Options),
    /// Writes the API server's tables of the built-in kinds.
    Codegen(codegen::Options),
    /// Checks the project's own rules: READMEs, changelogs, manifests, links, circles between files.
    Tidy(tidy::Options),
    /// Checks that a part is ready to be released.
    Release(release::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Ci(options) => ci::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::New(options) => new::run(&options),
        Command::Conformance(options) => conformance::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Model(options) => model::run(&options),
        Command::Failover(options) => failover::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Codegen(options) => codegen::run(&options),
        Command::Tidy(options) => tidy::run(&options),
        Command::Release(options) => release::run(&options),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("xtask: {failure}");
        ExitCode::FAILURE
    })
}
