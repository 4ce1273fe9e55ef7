//! The step `alone`: each part by itself, bare and with each of its features, without what its siblings would add to
//! the dependencies that they share.

use super::show;
use crate::cargo;
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

/// The flags under which a part must compile: none of its features, each one, and all.
fn selections(package: &Package) -> Vec<Vec<&str>> {
    let features: Vec<_> = package
        .features
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "default")
        .collect();
    let mut selections = vec![vec!["--no-default-features"]];
    selections.extend(
        features
            .iter()
            .map(|feature| vec!["--no-default-features", "--features", feature]),
    );
    if features.len() > 1 {
        selections.push(vec!["--all-features"]);
    }
    selections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_checked_bare_with_each_feature_and_with_all() {
        let named = |names: &[&str]| {
            let features = names.iter().map(ToString::to_string).collect();
            selections(&Package {
                features,
                ..Package::default()
            })
            .iter()
            .map(|flags| flags.join(" "))
            .collect::<Vec<_>>()
        };
        assert_eq!(named(&[]), ["--no-default-features"]);
        assert_eq!(
            named(&["default", "a"]),
            ["--no-default-features", "--no-default-features --features a"]
        );
        assert_eq!(
            named(&["a", "b"]).last().map(String::as_str),
            Some("--all-features")
        );
    }
}
