//! The step `features`: checks each part alone, with its default features, with each feature and with all of them.

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

/// Returns the flags with which a part must compile: the default features, each feature alone, and all of them.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let features: Vec<_> =
        package.features.iter().map(String::as_str).filter(|name| *name != "default").collect();
    let alone = features.iter().map(|feature| vec!["--no-default-features", "--features", feature]);
    let all = (features.len() > 1).then(|| vec!["--all-features"]);
    std::iter::once(Vec::new()).chain(alone).chain(all).collect()
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
        assert_eq!(flags(&["default"]), [""]);
        assert_eq!(flags(&["a"]), ["", "--no-default-features --features a"]);
        assert_eq!(flags(&["a", "b"]).last().map(String::as_str), Some("--all-features"));
        assert_eq!(flags(&["a", "b"]).len(), 4);
    }
}
