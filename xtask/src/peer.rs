//! The folders in `xtask/peers/`, and the build of the programs in them.

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

/// Builds a binary of a package outside the workspace with a profile.
pub(crate) fn build_rust(folder: &Path, target: &Path, bin: &str, profile: &str) -> Result<PathBuf, Failure> {
    let mut build = cargo::command(["build", "--quiet", "--profile", profile, "--locked", "--bin", bin]);
    build.arg("--manifest-path").arg(folder.join("Cargo.toml")).arg("--target-dir").arg(target);
    cargo::run(&mut build).doing("cargo build")?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(folder).join(bin).with_extension(std::env::consts::EXE_EXTENSION))
}
