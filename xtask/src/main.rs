//! The project's commands, one file each: `cargo xtask --help` lists them.

mod bench;
mod cargo;
mod ci;
mod conformance;
mod demo;
mod failure;
mod openapi;
mod peer;
mod soak;
mod stopwatch;
mod tidy;
mod wire;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that must be green before a commit is pushed, step by step.
    Ci(ci::Options),
    /// A ReplicaSet controller against an API server in one process, disturbed and then checked.
    Demo(demo::Options),
    /// Our benchmarks and the peers' on the same work, in one table.
    Bench(bench::Options),
    /// Ours and upstream's at the same work: API servers by the rules they keep, feature gates by random cases.
    Conformance(conformance::Options),
    /// A part under random load in real time, on several threads, with its counts checked.
    Soak(soak::Options),
    /// The types of the built-in kinds, from a running kube-apiserver to our API server's table of them.
    Openapi(openapi::Options),
    /// How the built-in kinds are written in protobuf, from their Go types to our API server's table of them.
    Wire,
    /// What compilers do not check: READMEs, changelogs, manifests, links.
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Ci(options) => ci::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Conformance(options) => conformance::run(&options),
        Command::Soak(options) => soak::run(&options),
        Command::Openapi(options) => openapi::run(&options),
        Command::Wire => wire::run(),
        Command::Tidy => tidy::run(),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("xtask: {failure}");
        ExitCode::FAILURE
    })
}
