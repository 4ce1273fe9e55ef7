//! `cargo xtask soak`: hands over to the part's soak, an example of its package, and the tests in real time.

use crate::cargo;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// What to soak.
    part: Part,
    /// For how long; 30 seconds for the work queue, 60 for the API server.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

/// The parts that have a soak.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// Anything at any time to one queue, its counts checked.
    Workqueue,
    /// Random requests at the HTTP layer: no 500, no panic, no growth.
    Apiserver,
}

impl Part {
    /// Its package, the example that soaks it, and for how many seconds by default.
    fn soak(self) -> (&'static str, &'static str, u64) {
        match self {
            Self::Workqueue => ("trimtab-workqueue", "soak", 30),
            Self::Apiserver => ("trimtab-apiserver", "fuzz", 60),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let (package, example, seconds) = options.part.soak();
    let mut soak = cargo::command(["run", "--quiet", "--package", package, "--example", example, "--"]);
    soak.args(["--seconds", &options.seconds.unwrap_or(seconds).to_string()]);
    cargo::become_program(soak)
}
