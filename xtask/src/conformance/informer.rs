//! The informer suite: builds its program in `stress/`, then replaces this process with it.

use crate::failure::Failure;
use crate::program;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(kubeconfig: Option<&Path>) -> Result<ExitCode, Failure> {
    let file = kubeconfig.map(|file| [OsStr::new("--kubeconfig"), file.as_os_str()]);
    program::run("informers", file.into_iter().flatten())
}
