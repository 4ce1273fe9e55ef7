//! The folders in `xtask/peers/`, and the build of the Go programs in them.

use crate::cargo;
use crate::failure::{Failure, While};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the target folder of programs outside of the workspace.
pub(crate) fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("peers")
}

/// Returns the source folder of one peer.
pub(crate) fn folder(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.root.join(Path::new("xtask/peers")).join(name)
}

/// Builds a command of a Go module.
pub(crate) fn build_go(
    folder: &Path,
    command: &str,
    program: &Path,
    linker_flags: Option<&str>,
) -> Result<(), Failure> {
    let mut build = Command::new("go");
    build.current_dir(folder).args(["build", "-buildvcs=false", "-o"]).arg(program);
    if let Some(flags) = linker_flags {
        build.args(["-ldflags", flags]);
    }
    build.arg(format!("./{command}"));
    let status = build.stdout(Stdio::null()).status().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new("go was not found; install it from https://go.dev/dl"),
        _ => Failure::new(format!("starting go: {error}")),
    })?;
    cargo::checked(status).doing("go build")
}
