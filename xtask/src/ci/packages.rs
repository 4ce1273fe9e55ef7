//! The step `packages`: the files that a registry would get suffice to compile each part.
//!
//! All parts are packed, unpacked into one generated workspace and checked there together, which compiles shared
//! dependencies once. The step `features` checks that a part compiles without the features that its siblings enable,
//! and `cargo xtask release PART` builds a part from its package alone.

use crate::cargo::{self, show};
use crate::failure::{Failure, While};
use crate::package;
use crate::workspace::{Package, Workspace};
use std::path::Path;
use std::process::Command;

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let published: Vec<_> = workspace.packages.iter().filter(|package| package.published).collect();
    package::pack(&published)?;
    let folder = workspace.target.join("packages");
    unpack(workspace, &published, &folder)?;
    let manifest = folder.join("Cargo.toml");
    std::fs::write(&manifest, text(&published)).doing(manifest.display())?;
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

/// The name of a package's folder in its archive.
fn unpacked(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// The manifest of the generated workspace. The packages depend on each other by version; the patch points to the
/// unpacked ones.
fn text(packages: &[&Package]) -> String {
    let mut text = String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[patch.crates-io]\n");
    for package in packages {
        text += &format!("{} = {{ path = \"{}\" }}\n", package.name, unpacked(package));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_depend_on_each_other_find_the_unpacked_ones() {
        let package =
            Package { name: "trimtab-cache".to_owned(), version: "0.1.0".to_owned(), ..Package::default() };
        let text = text(&[&package]);
        assert!(text.ends_with("[patch.crates-io]\ntrimtab-cache = { path = \"trimtab-cache-0.1.0\" }\n"));
    }
}
