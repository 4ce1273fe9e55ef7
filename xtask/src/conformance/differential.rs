//! The differential run: builds a kube-apiserver, then runs the suite's program with it.

use super::options::Options;
use super::server;
use crate::failure::Failure;
use crate::program;
use std::ffi::OsString;
use std::process::ExitCode;

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["--differential".into()];
    arguments.extend(["--kube".into(), server::kube(options.kube.clone())?.into()]);
    for (name, number) in [("--seed", options.seed), ("--seconds", options.seconds)] {
        if let Some(number) = number {
            arguments.extend([name.into(), number.to_string().into()]);
        }
    }
    if let Some(file) = &options.record {
        arguments.extend(["--record".into(), file.into()]);
    }
    program::run(server::SUITE, arguments)
}
