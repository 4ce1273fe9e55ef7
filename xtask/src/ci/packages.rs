//! The step `packages`: every part as a registry would get it, built from that and by itself, without what its siblings
//! would add to the dependencies that they share.

use super::show;
use crate::cargo;
use crate::failure::{Failure, While};
use crate::workspace::Workspace;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    forget_earlier(workspace)?;
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

/// Takes away what an earlier run unpacked. cargo serves the packages to each other from a registry in the target folder
/// and unpacks them in its home, under a name made of that folder's path and the version: it takes what lies there for
/// what it has just packed, though it be yesterday's, from another clone at the same place.
fn forget_earlier(workspace: &Workspace) -> Result<(), Failure> {
    let Some(sources) = cargo_home().map(|home| home.join("registry/src")) else {
        return Ok(());
    };
    for registry in served_from_folders(&sources)? {
        for package in workspace.packages.iter().filter(|package| package.published) {
            let unpacked = registry.join(format!("{}-{}", package.name, package.version));
            match std::fs::remove_dir_all(&unpacked) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).doing(format_args!("removing {}", unpacked.display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Where cargo unpacks the packages of registries that are folders: their names have no host before the hash.
fn served_from_folders(sources: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match std::fs::read_dir(sources) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.doing(format_args!("reading {}", sources.display()))?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.doing(format_args!("reading {}", sources.display()))?;
        if entry.file_name().to_string_lossy().starts_with('-') {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// As cargo finds it.
fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// Whether git has anything to tell; a folder without git has not.
fn has_uncommitted_changes() -> bool {
    let status = Command::new("git").args(["status", "--porcelain"]).stderr(Stdio::null()).output();
    status.is_ok_and(|output| !output.stdout.is_empty())
}
