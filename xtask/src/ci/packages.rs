//! The step `packages`: the files that a registry would get suffice to compile each part.
//!
//! All parts are packed, unpacked into one generated workspace and checked there together. One more member of it pins the
//! dependencies to the features that the step `clippy` has compiled. The step `each-feature` checks that a part
//! compiles without the features that its siblings enable, and `cargo xtask release PART` builds a part from its package alone.

use super::readmes::{Manifest, locked_crates};
use crate::cargo::{self, show};
use crate::failure::{Failure, While};
use crate::package;
use crate::workspace::{Package, Workspace};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let published: Vec<_> = workspace.packages.iter().filter(|package| package.published).collect();
    package::pack(&published)?;
    let folder = workspace.target.join("packages");
    unpack(workspace, &published, &folder)?;
    let manifest = folder.join("Cargo.toml");
    let pins = Manifest::new(workspace, &locked_crates(workspace)?).pins();
    std::fs::write(&manifest, text(&published, &pins)).doing(manifest.display())?;
    let library = folder.join("pins.rs");
    std::fs::write(&library, "").doing(library.display())?;
    let lock = workspace.root.join("Cargo.lock");
    std::fs::copy(&lock, folder.join("Cargo.lock")).doing(lock.display())?;

    let mut check = cargo::command(["check", "--workspace", "--all-features", "--manifest-path"]);
    check.arg(workspace.relative(&manifest));
    show(check.current_dir(&workspace.root).env("CARGO_TARGET_DIR", workspace.relative(&workspace.target)))
}

/// Unpacks the packages into a new `folder`.
fn unpack(workspace: &Workspace, packages: &[&Package], folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).doing(folder.display())?;
    }
    std::fs::create_dir_all(folder).doing(folder.display())?;
    for package in packages {
        let file = workspace.target.join("package").join(format!("{}.crate", unpacked(package)));
        let mut tar = Command::new("tar");
        tar.args(["-xzf".as_ref(), workspace.relative(&file), "-C".as_ref(), workspace.relative(folder)]);
        cargo::run(tar.current_dir(&workspace.root))?;
    }
    Ok(())
}

/// Returns the name of a package's folder in its archive.
fn unpacked(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// Writes the manifest of the generated workspace and of its package `pins`. The parts depend on each other by version;
/// the patch points to the unpacked ones.
fn text(packages: &[&Package], pins: &str) -> String {
    let mut text = "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[patch.crates-io]\n".to_owned();
    for package in packages {
        let _ = writeln!(text, "{} = {{ path = \"{}\" }}", package.name, unpacked(package));
    }
    text += "\n[package]\nname = \"pins\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [lib]\npath = \"pins.rs\"\n\n[dependencies]\n";
    text + pins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_depend_on_each_other_find_the_unpacked_ones() {
        let package =
            Package { name: "trimtab-cache".to_owned(), version: "0.1.0".to_owned(), ..Package::default() };
        let text = text(&[&package], "rand = \"1\"\n");
        assert!(
            text.contains("[patch.crates-io]\ntrimtab-cache = { path = \"trimtab-cache-0.1.0\" }\n"),
            "{text}"
        );
        assert!(text.ends_with("[dependencies]\nrand = \"1\"\n"), "{text}");
    }
}
