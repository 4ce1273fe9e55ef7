//! The step `features`: checks alone, with its default features, each part that has no Kubernetes client among its
//! dependencies. The step `each-feature`: all parts, with each feature and with all of them.

use crate::cargo::{self, show};
use crate::failure::Failure;
use crate::workspace::{Package, Workspace};

/// The crate that costs the most time: it is compiled anew for each set of its features, and for those of tokio and hyper.
const CLIENT: &str = "kube-client";

/// Checks each part without a Kubernetes client alone, as one who depends on it and nothing else compiles it.
pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let parts: Vec<_> = workspace.parts().collect();
    let small = parts.iter().filter(|part| !needs_client(part, &parts));
    small.copied().try_for_each(|part| check(part, Vec::new()))
}

/// Checks each part alone: with its default features, with each of its features, and with all of them.
pub(super) fn each(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.parts() {
        check(package, Vec::new())?;
        for features in selections(package) {
            check(package, features)?;
        }
    }
    Ok(())
}

/// Returns whether a part depends on the Kubernetes client, directly or through other parts.
fn needs_client(part: &Package, parts: &[&Package]) -> bool {
    let mut dependencies = part.dependencies.iter().filter(|one| !one.dev && !one.optional);
    dependencies.any(|one| {
        let other = parts.iter().find(|part| part.name == one.name);
        one.name == CLIENT || other.is_some_and(|other| needs_client(other, parts))
    })
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
    use crate::workspace::Dependency;

    #[test]
    fn a_part_may_need_the_client_through_another_part() {
        let part = |name: &str, dependency: &str, dev| {
            let dependency = Dependency { name: dependency.to_owned(), dev, ..Dependency::default() };
            Package { name: name.to_owned(), dependencies: vec![dependency], ..Package::default() }
        };
        let (cache, informer) = (part("cache", CLIENT, false), part("informer", "cache", false));
        let (queue, tested) = (part("queue", "tokio", false), part("tested", "informer", true));
        let parts = [&cache, &informer, &queue, &tested];
        assert_eq!(parts.map(|part| needs_client(part, &parts)), [true, true, false, false]);
    }

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
