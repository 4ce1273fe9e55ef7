//! `cargo xtask conformance`: our parts and upstream's at the same random cases, compared step by step.

mod featuregate;

use crate::failure::Failure;
use clap::Args;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Feature gates, against k8s.io/component-base. Needs Go.
    #[arg(long, required = true)]
    featuregate: bool,
    /// How many random registries.
    #[arg(long, default_value_t = 2_000)]
    cases: u32,
    /// Which random registries; a failure names the one to repeat.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    debug_assert!(options.featuregate, "required by clap");
    featuregate::run(options.cases, options.seed)
}
