//! The step `features`: checks each part alone, with each of its features and with all of them. The step `packages`
//! builds each part without features.

use crate::cargo::{self, show};
use crate::failure::Failure;
use crate::workspace::{Package, Workspace};

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.parts() {
        for features in selections(package) {
            let mut check = cargo::command(["check", "--locked", "--package", &package.name]);
            show(check.args(features))?;
        }
    }
    Ok(())
}

/// Returns the flags with which a part must compile: each feature alone, and all of them.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let features: Vec<_> =
        package.features.iter().map(String::as_str).filter(|name| *name != "default").collect();
    let alone = features.iter().map(|feature| vec!["--no-default-features", "--features", feature]);
    alone.chain((features.len() > 1).then(|| vec!["--all-features"])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_checked_with_each_feature_and_with_all() {
        let flags = |names: &[&str]| {
            let features = names.iter().map(ToString::to_string).collect();
            let package = Package { features, ..Package::default() };
            selections(&package).iter().map(|flags| flags.join(" ")).collect::<Vec<_>>()
        };
        assert!(flags(&["default"]).is_empty());
        assert_eq!(flags(&["a"]), ["--no-default-features --features a"]);
        assert_eq!(flags(&["a", "b"]).last().map(String::as_str), Some("--all-features"));
        assert_eq!(flags(&["a", "b"]).len(), 3);
    }
}
