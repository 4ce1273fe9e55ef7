//! The step `packages`: every part as a registry would get it, built from that and by itself, without what its siblings
//! would add to the dependencies that they share.

use super::show;
use crate::cargo;
use crate::failure::Failure;
use crate::workspace::Workspace;
use std::process::{Command, Stdio};

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let mut package = cargo::command(["package", "--locked", "--workspace"]);
    for unpublished in workspace.packages.iter().filter(|package| !package.published) {
        package.args(["--exclude", &unpublished.name]);
    }
    if has_uncommitted_changes() && std::env::var_os("CI").is_none() {
        package.arg("--allow-dirty");
    }
    // Each package is built in a workspace of its own, which knows neither our target folder nor our profiles: told of
    // both, it finds the dependencies that `build` left.
    let target = workspace.relative(&workspace.target);
    show(package.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

/// Whether git has anything to tell; a folder without git has not.
fn has_uncommitted_changes() -> bool {
    let status = Command::new("git").args(["status", "--porcelain"]).stderr(Stdio::null()).output();
    status.is_ok_and(|output| !output.stdout.is_empty())
}
