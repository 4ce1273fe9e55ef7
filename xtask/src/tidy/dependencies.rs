//! Rules for a package's dependencies: their direction, and the form of dependencies on siblings.

use super::finding::Finding;
use crate::workspace::{Dependency, Package};

/// The parts on which only a few others may depend, and those others.
const UPPER: [(&str, &[&str]); 3] = [
    ("trimtab-controller", &["trimtab-manager", "trimtab-testing"]),
    ("trimtab-manager", &["trimtab-testing"]),
    ("trimtab-apiserver", &["trimtab-testing", "trimtab-simulation"]),
];

/// `packages` are all packages of the workspace: indirect dependencies count, too.
pub(super) fn check(manifest: &str, package: &Package, packages: &[Package]) -> Vec<Finding> {
    let problems = package.dependencies.iter().filter_map(|dependency| {
        let of_commands = || (package.name == "xtask").then(|| slow_to_build(dependency, packages)).flatten();
        let of_part = || {
            (package.published && is_part(&package.name))
                .then(|| problem_of_part(&package.name, dependency))
                .flatten()
        };
        of_commands().or_else(of_part)
    });
    problems.map(|problem| Finding::new(manifest, 0, problem)).collect()
}

/// Returns the problem of a part's dependency.
fn problem_of_part(package: &str, dependency: &Dependency) -> Option<String> {
    let name = &dependency.name;
    if dependency.dev {
        let circular = is_part(name) && dependency.requirement != "*";
        return circular
            .then(|| format!("{name} in [dev-dependencies] needs a bare path: with a version, neither could be published first"));
    }
    if let Some((_, above)) = UPPER.iter().find(|(upper, _)| upper == name)
        && !above.contains(&package)
    {
        return Some(format!("depends on {name}, which only {} may do", above.join(" and ")));
    }
    if dependency.requirement.starts_with('=') {
        return Some(format!("pins {name} with `=`; use a plain version"));
    }
    let versions =
        |feature: &String| feature.starts_with("v1_") || feature == "latest" || feature == "earliest";
    let chooses = name == "k8s-openapi" && dependency.features.iter().any(versions);
    chooses.then(|| "chooses a Kubernetes version, which only a binary may do".to_owned())
}

/// Returns the problem of a dependency of xtask, which is built before anything else.
fn slow_to_build(dependency: &Dependency, packages: &[Package]) -> Option<String> {
    brings_kubernetes(&dependency.name, packages).then(|| {
        format!(
            "depends on {}, which brings Kubernetes' types and makes xtask slow to build",
            dependency.name
        )
    })
}

/// Returns whether a crate has Kubernetes' types without any feature, itself or through a sibling. Siblings have no
/// circles, so the search ends.
pub(crate) fn brings_kubernetes(name: &str, packages: &[Package]) -> bool {
    let siblings = packages.iter().filter(|package| package.name == name);
    let all = siblings.flat_map(|package| &package.dependencies);
    let mut brought = all.filter(|dependency| !dependency.dev && !dependency.optional);
    name.starts_with("kube")
        || name == "k8s-openapi"
        || brought.any(|next| brings_kubernetes(&next.name, packages))
}

fn is_part(name: &str) -> bool {
    name.starts_with("trimtab-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(name: &str, requirement: &str) -> Dependency {
        Dependency { name: name.to_owned(), requirement: requirement.to_owned(), ..Dependency::default() }
    }

    fn package(name: &str, dependencies: Vec<Dependency>) -> Package {
        Package { name: name.to_owned(), published: true, dependencies, ..Package::default() }
    }

    /// Returns the number of findings of a part with this one dependency.
    fn wrong(dependency: Dependency) -> usize {
        check("Cargo.toml", &package("trimtab-queue", vec![dependency]), &[]).len()
    }

    #[test]
    fn dependencies_that_point_the_wrong_way_are_found() {
        assert_eq!(wrong(on("trimtab-cache", "^0.1.0")), 0);
        assert_eq!(wrong(on("trimtab-controller", "^0.1.0")), 1);
        assert_eq!(wrong(on("trimtab-apiserver", "^0.1.0")), 1);
        assert_eq!(wrong(Dependency { dev: true, ..on("trimtab-apiserver", "*") }), 0);
        let found = |part, upper| check("Cargo.toml", &package(part, vec![on(upper, "^0.1.0")]), &[]).len();
        assert_eq!(
            [found("trimtab-manager", "trimtab-controller"), found("trimtab-testing", "trimtab-manager")],
            [0, 0]
        );
        assert_eq!(
            [found("trimtab-manager", "trimtab-apiserver"), found("trimtab-cache", "trimtab-manager")],
            [1, 1]
        );
    }

    #[test]
    fn a_sibling_for_tests_is_a_bare_path() {
        assert_eq!(wrong(Dependency { dev: true, ..on("trimtab-apiserver", "^0.1.0") }), 1);
    }

    #[test]
    fn pins_and_chosen_kubernetes_versions_are_found() {
        assert_eq!(wrong(on("trimtab-cache", "=0.1.0")), 1);
        assert_eq!(wrong(Dependency { features: vec!["v1_36".to_owned()], ..on("k8s-openapi", "^0.29") }), 1);
        assert_eq!(wrong(Dependency { features: vec!["std".to_owned()], ..on("k8s-openapi", "^0.29") }), 0);
    }

    #[test]
    fn a_slow_dependency_of_xtask_is_found_even_through_a_part() {
        let packages = [
            package("trimtab-cache", vec![on("kube-client", "^5")]),
            package("trimtab-gate", vec![Dependency { dev: true, ..on("kube-client", "^5") }]),
        ];
        let commands = |name| check("Cargo.toml", &package("xtask", vec![on(name, "^1")]), &packages).len();
        assert_eq!([commands("k8s-openapi"), commands("trimtab-cache")], [1, 1]);
        assert_eq!([commands("clap"), commands("trimtab-gate")], [0, 0]);
    }
}
