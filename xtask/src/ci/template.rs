//! The step `template`: makes a package of `templates/operator/` and runs its tests.
//!
//! The package is one more member of a copy of this workspace, in the target folder, whose other members are links to this one's.
//! Their paths relative to its root, their features and their profiles are the same, so cargo finds them compiled.

use crate::cargo::{self, show};
use crate::failure::{Failure, While};
use crate::new::{self, Names};
use crate::workspace::Workspace;
use std::collections::BTreeSet;
use std::path::Path;

/// The name of the package, of its folder in the copy, and of its test.
const NAME: &str = "app-operator";
const FOLDER: &str = "operator";
/// The features with which a user's package chooses a Kubernetes version, and those of this workspace, where
/// `.cargo/config.toml` chooses it: with others, k8s-openapi and everything above it would be compiled again.
const VERSION: &str = "features = [\"latest\"]";
const OF_WORKSPACE: &str = "default-features = false";

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let copy = workspace.target.join("template");
    if copy.exists() {
        std::fs::remove_dir_all(&copy).doing(copy.display())?;
    }
    std::fs::create_dir_all(&copy).doing(copy.display())?;
    link_members(workspace, &copy)?;
    write_manifest(workspace, &copy)?;
    println!("$ cargo xtask new {} {NAME}", workspace.relative(&copy).join(FOLDER).display());
    let names = Names::new(NAME, Names::KIND, Names::GROUP)?;
    new::make(workspace, &copy.join(FOLDER), &names, &copy)?;
    take_version_of_workspace(&copy.join(FOLDER).join("Cargo.toml"))?;

    let manifest = copy.join(FOLDER).join("Cargo.toml");
    show(
        cargo::command(["fmt", "--check", "--manifest-path"])
            .arg(workspace.relative(&manifest))
            .current_dir(&workspace.root),
    )?;
    let mut test =
        cargo::command(["test", "--workspace", "--all-features", "--test", FOLDER, "--manifest-path"]);
    test.arg(workspace.relative(&copy).join("Cargo.toml"));
    show(test.current_dir(&workspace.root).env("CARGO_TARGET_DIR", workspace.relative(&workspace.target)))
}

/// Links the folders of all members into the copy.
fn link_members(workspace: &Workspace, copy: &Path) -> Result<(), Failure> {
    let folders = workspace.packages.iter().map(|package| workspace.relative(&package.folder));
    let tops: BTreeSet<_> = folders.filter_map(|folder| folder.components().next()).collect();
    for top in tops {
        let link = copy.join(top);
        link_folder(&workspace.root.join(top), &link).doing(link.display())?;
    }
    Ok(())
}

#[cfg(unix)]
fn link_folder(folder: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(folder, link)
}

#[cfg(not(unix))]
fn link_folder(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("the step `template` needs symbolic links, as Unix has them"))
}

/// Writes the manifest and the lock file of the copy: those of the workspace, with one more member.
fn write_manifest(workspace: &Workspace, copy: &Path) -> Result<(), Failure> {
    let original = workspace.root.join("Cargo.toml");
    let text = std::fs::read_to_string(&original).doing(original.display())?;
    let manifest = copy.join("Cargo.toml");
    std::fs::write(&manifest, with_member(&text)?).doing(manifest.display())?;
    let lock = workspace.root.join("Cargo.lock");
    std::fs::copy(&lock, copy.join("Cargo.lock")).doing(lock.display())?;
    Ok(())
}

fn with_member(manifest: &str) -> Result<String, Failure> {
    let members = "\nmembers = [";
    match manifest.contains(members) {
        true => Ok(manifest.replacen(members, &format!("{members}\"{FOLDER}\", "), 1)),
        false => Err(Failure::new("Cargo.toml: expected a line `members = [`")),
    }
}

/// Replaces the package's choice of a Kubernetes version by that of the workspace.
fn take_version_of_workspace(manifest: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(manifest).doing(manifest.display())?;
    if !text.contains(VERSION) {
        return Err(Failure::new(format!("{}: expected k8s-openapi with `latest`", manifest.display())));
    }
    std::fs::write(manifest, text.replace(VERSION, OF_WORKSPACE)).doing(manifest.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_one_more_member() {
        let text = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n";
        let with = with_member(text).expect("a manifest of a workspace");
        assert_eq!(with, "[workspace]\nresolver = \"3\"\nmembers = [\"operator\", \"crates/*\"]\n");
        assert!(with_member("[package]\n").is_err());
    }
}
