//! `cargo xtask release`: the steps of a release that need no network.

mod checks;
mod date;

use crate::cargo::{self, show};
use crate::failure::{Failure, While};
use crate::package;
use crate::tidy::Changelog;
use crate::workspace::{Package, Workspace};
use checks::Checks;
use clap::Args;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Checks this part, such as `workqueue`.
    part: String,
    /// Checks the part and prints the next steps; without this flag, the changelog also gets its heading and date.
    #[arg(long)]
    dry_run: bool,
    /// Checks only that the part's manifest and changelog have this version, as the release workflow does for a tag.
    #[arg(long, value_name = "VERSION", conflicts_with = "dry_run")]
    tagged: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let part = workspace.parts().find(|package| package.part() == options.part);
    let part = part.ok_or_else(|| Failure::new(format!("there is no part {}", options.part)))?;
    let checks = Checks::read(&workspace, part)?;
    if let Some(version) = &options.tagged {
        return checks.tagged(part, version).map(|()| ExitCode::SUCCESS);
    }
    if !print(part, &checks) {
        return Ok(ExitCode::FAILURE);
    }
    package::package(&workspace, &with_siblings(&workspace, part))?;
    docs(part)?;
    let released = Changelog::new(&checks.changelog).released(&part.version, &date::today());
    if !options.dry_run {
        let path = part.folder.join("CHANGELOG.md");
        std::fs::write(&path, released).doing(path.display())?;
    }
    let (name, version) = (part.part(), &part.version);
    println!("\nNext steps, with network:");
    println!("  cargo semver-checks --package {}", part.name);
    println!("  git commit --all --message '{name}: release {version}'");
    println!(
        "  git tag {name}-v{version} && git push origin main {name}-v{version}   # the release workflow publishes"
    );
    Ok(ExitCode::SUCCESS)
}

/// Checks all parts without compiling them: the step `packages` has done that.
pub(crate) fn check_all(workspace: &Workspace) -> Result<(), Failure> {
    let mut failed = 0;
    for part in workspace.parts() {
        failed += u32::from(!print(part, &Checks::read(workspace, part)?));
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::new(format!("{failed} parts are not ready for a release")))
    }
}

/// Prints a part's release and its problems; returns whether there are none.
fn print(part: &Package, checks: &Checks) -> bool {
    println!("{} {}, {}: {}", part.name, part.version, date::today(), checks.semver_note(&part.version));
    let problems = checks.problems(part);
    for problem in &problems {
        println!("  {}: {problem}", part.part());
    }
    problems.is_empty()
}

/// Returns a part and the parts that it depends on. cargo packages them together, as long as a registry has none of
/// them.
fn with_siblings<'a>(workspace: &'a Workspace, part: &'a Package) -> Vec<&'a Package> {
    let mut found = vec![part];
    let mut next = 0;
    while let Some(package) = found.get(next) {
        let names = package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.dev)
            .map(|dependency| &dependency.name);
        let siblings: Vec<_> =
            names.filter_map(|name| workspace.parts().find(|part| part.name == *name)).collect();
        for sibling in siblings {
            if found.iter().all(|package| package.name != sibling.name) {
                found.push(sibling);
            }
        }
        next += 1;
    }
    found
}

/// Builds the documentation of a part as docs.rs does.
pub(crate) fn docs(part: &Package) -> Result<(), Failure> {
    let mut doc = cargo::command(["doc", "--locked", "--no-deps", "--package", &part.name]);
    if !part.docs_features.is_empty() {
        doc.args(["--features", &part.docs_features.join(",")]);
    }
    show(doc.env("RUSTDOCFLAGS", "--cfg docsrs -D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    #[test]
    fn a_part_is_packaged_with_all_parts_below_it() {
        let on = |name: &str, dev| Dependency { name: name.to_owned(), dev, ..Dependency::default() };
        let package = |part: &str, dependencies| Package {
            name: format!("trimtab-{part}"),
            folder: format!("/w/crates/{part}").into(),
            dependencies,
            ..Package::default()
        };
        let packages = vec![
            package("apiserver", vec![]),
            package("cache", vec![]),
            package("controller", vec![on("trimtab-informer", false), on("trimtab-apiserver", true)]),
            package("informer", vec![on("trimtab-cache", false), on("serde", false)]),
        ];
        let workspace = Workspace { root: "/w".into(), target: "/w/target".into(), packages };
        let parts: Vec<_> =
            with_siblings(&workspace, &workspace.packages[2]).iter().map(|package| package.part()).collect();
        assert_eq!(parts, ["controller", "informer", "cache"]);
    }
}
