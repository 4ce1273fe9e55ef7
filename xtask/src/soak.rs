//! `cargo xtask soak`: hands over to the part's soak, an example of its package, and the one test in real time.

use crate::cargo;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What to soak.
    part: Part,
    /// For how long.
    #[arg(long, value_name = "N", default_value_t = 30)]
    seconds: u64,
}

/// The parts that have a soak.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    Workqueue,
}

impl Part {
    fn package(self) -> &'static str {
        match self {
            Self::Workqueue => "trimtab-workqueue",
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let seconds = options.seconds.to_string();
    let package = options.part.package();
    cargo::become_program(cargo::command([
        "run",
        "--quiet",
        "--package",
        package,
        "--example",
        "soak",
        "--",
        "--seconds",
        &seconds,
    ]))
}
