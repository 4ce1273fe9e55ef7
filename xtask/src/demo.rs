//! `cargo xtask demo`: runs the demo, a program of `examples/`.

use crate::failure::Failure;
use crate::program;
use clap::Args;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Arguments of the demo; `cargo xtask demo --help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    program::run("demo", &options.arguments)
}
