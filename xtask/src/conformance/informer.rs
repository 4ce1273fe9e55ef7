//! The informer suite: builds its program in `stress/`, then replaces this process with it.

use crate::cargo;
use crate::failure::Failure;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(kubeconfig: Option<&Path>) -> Result<ExitCode, Failure> {
    let mut program = cargo::command(["run", "--quiet", "--locked", "--package", "trimtab-stress"]);
    program.args(["--features", "informer", "--bin", "informers", "--"]);
    if let Some(file) = kubeconfig {
        program.arg("--kubeconfig").arg(file);
    }
    cargo::become_program(program)
}
