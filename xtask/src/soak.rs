//! `cargo xtask soak`: runs a part's stress program from `stress/`.

use crate::failure::Failure;
use crate::program;
use clap::{Args, ValueEnum};
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Puts this part under load.
    part: Part,
    /// Sets the duration in seconds: 30 by default for the work queue, 60 for the API server, 300 for the simulation.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Attacks the API server's connections over loopback, for 20 seconds by default.
    #[arg(long)]
    hostile: bool,
}

/// The parts that have a stress program.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// Runs random operations on one queue from 64 tasks and checks the counts.
    Workqueue,
    /// Sends random requests to the HTTP layer and checks for 500s, panics and memory growth.
    Apiserver,
    /// Runs histories of one scenario and checks for violations and memory growth.
    Simulation,
}

impl Part {
    /// Returns the program's binary and its default duration in seconds.
    fn program(self) -> (&'static str, u64) {
        match self {
            Self::Workqueue => ("soak", 30),
            Self::Apiserver => ("fuzz", 60),
            Self::Simulation => ("histories", 300),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let (bin, seconds) = match (options.part, options.hostile) {
        (Part::Apiserver, true) => ("hostile", 20),
        (Part::Workqueue | Part::Simulation, true) => {
            return Err(Failure::new("only the API server has hostile clients"));
        }
        (part, false) => part.program(),
    };
    program::run(bin, ["--seconds", &options.seconds.unwrap_or(seconds).to_string()])
}
