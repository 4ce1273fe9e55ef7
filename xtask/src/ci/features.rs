//! The step `features`: checks each part alone, with its default features. The step `each-feature`: with each feature and
//! with all of them.

use crate::cargo::{self, show};
use crate::failure::Failure;
use crate::workspace::{Package, Workspace};

/// Checks each part alone, as one who depends on it and nothing else compiles it.
pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    workspace.parts().try_for_each(|package| check(package, Vec::new()))
}

/// Checks each part that has features with each of them. Each set compiles tokio and kube-client anew, which takes minutes.
pub(super) fn each(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.parts() {
        for features in selections(package) {
            check(package, features)?;
        }
    }
    Ok(())
}

fn check(package: &Package, features: Vec<&str>) -> Result<(), Failure> {
    show(cargo::command(["check", "--locked", "--package", &package.name]).args(features))
}

/// Returns the flags with which a part must compile beside its default features: each feature alone, and all of them.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let features: Vec<_> =
        package.features.iter().map(String::as_str).filter(|name| *name != "default").collect();
    let alone = features.iter().map(|feature| vec!["--no-default-features", "--features", feature]);
    let all = (features.len() > 1).then(|| vec!["--all-features"]);
    alone.chain(all).collect()
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
        assert_eq!(flags(&["default"]), [""; 0]);
        assert_eq!(flags(&["a"]), ["--no-default-features --features a"]);
        let two =
            ["--no-default-features --features a", "--no-default-features --features b", "--all-features"];
        assert_eq!(flags(&["a", "b", "default"]), two);
    }
}
