//! `cargo xtask model`: checks the model of a protocol exhaustively, a program of `xtask/model/`.

use crate::cargo;
use crate::failure::Failure;
use crate::peer;
use crate::workspace::Workspace;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The protocol.
    protocol: Protocol,
}

/// The protocols that have a model.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Protocol {
    /// Leader election: three candidates and one Lease, with all rules and without each of them.
    Lease,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let Protocol::Lease = options.protocol;
    let workspace = Workspace::load()?;
    let mut model = cargo::command(["run", "--quiet", "--release", "--locked"]);
    model.arg("--manifest-path").arg(workspace.root.join("xtask/model/Cargo.toml"));
    model.arg("--target-dir").arg(peer::target(&workspace)).args(["--", "lease"]);
    cargo::become_program(model)
}
