//! Packaging: packs parts as for a registry. For a release each part is also built from its package, alone: features
//! that its siblings enable in shared dependencies do not help it there.

use crate::cargo::{self, show};
use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packages these parts and builds each from its package. The list contains the parts that they depend on.
pub(crate) fn package(workspace: &Workspace, parts: &[&Package]) -> Result<(), Failure> {
    remove_unpacked(workspace)?;
    let mut package = packing(parts);
    // Each package is built in a workspace of its own. With our target folder and our profile it reuses the
    // dependencies of the step `build`.
    let target = workspace.relative(&workspace.target);
    show(package.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

/// Packages these parts without building them.
pub(crate) fn pack(parts: &[&Package]) -> Result<(), Failure> {
    show(packing(parts).arg("--no-verify"))
}

/// The command that packages these parts.
fn packing(parts: &[&Package]) -> Command {
    let mut package = cargo::command(["package", "--locked"]);
    for part in parts {
        package.args(["--package", &part.name]);
    }
    if has_uncommitted_changes() && std::env::var_os("CI").is_none() {
        package.arg("--allow-dirty");
    }
    package
}

/// Removes the packages that an earlier run unpacked. cargo serves the packages to each other from a registry in the
/// target folder and unpacks them in its home. The folder there is named after the registry's path and the version, so
/// that cargo would use the files of an earlier run, or of another clone at the same path.
fn remove_unpacked(workspace: &Workspace) -> Result<(), Failure> {
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

/// Lists the folders of registries that are folders themselves: their names have no host before the hash.
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

/// Finds cargo's home as cargo does.
fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home)
}

/// Returns whether git reports changes; without git there are none.
fn has_uncommitted_changes() -> bool {
    let status = Command::new("git").args(["status", "--porcelain"]).stderr(Stdio::null()).output();
    status.is_ok_and(|output| !output.stdout.is_empty())
}
