//! component-base's rules for gates that depend on others (`AddDependencies`), checked when a registry is
//! built.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    build_error::BuildProblem,
    spec::{Spec, Stage, Versions, effective},
    version::Version,
};

/// The dependencies of each gate, by name.
pub(crate) type Dependencies = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// Returns all problems of `dependencies`, given the specs of the gates.
pub(crate) fn problems(known: &BTreeMap<&str, &[Spec]>, dependencies: &Dependencies) -> Vec<BuildProblem> {
    let mut problems = Vec::new();
    for (gate, needed) in dependencies {
        let Some(specs) = known.get(&**gate) else {
            problems.push(BuildProblem::UnknownGate { gate: (**gate).into() });
            continue;
        };
        for dependency in needed {
            match known.get(&**dependency) {
                None => problems.push(BuildProblem::UnknownDependency {
                    gate: (**gate).into(),
                    dependency: (**dependency).into(),
                }),
                Some(needed) => problems.extend(at_each_step((gate, specs), (dependency, needed))),
            }
        }
    }
    problems.extend(cycles(dependencies));
    problems
}

/// At each version where the gate has a spec, the dependency must be at least as stable, as default-on and as
/// locked.
fn at_each_step<'a>(
    (gate, specs): (&'a str, &'a [Spec]),
    (dependency, needed): (&'a str, &'a [Spec]),
) -> impl Iterator<Item = BuildProblem> + 'a {
    specs.iter().filter_map(move |spec| {
        let version = spec.version;
        let min_compatibility = spec.min_compatibility.unwrap_or(version.previous_minor());
        let there = effective(needed, Versions { emulation: version, min_compatibility });
        let unborn = Spec::new(Version::ALWAYS, Stage::PreAlpha, false);
        let other = there.map_or(&unborn, |step| &needed[step]);
        let (gate, dependency) = (gate.into(), dependency.into());
        if spec.stage.rank() > other.stage.rank() {
            Some(BuildProblem::LessStable { gate, dependency, version })
        } else if spec.default && !other.default {
            Some(BuildProblem::OffByDefault { gate, dependency, version })
        } else if spec.locked && !other.locked {
            Some(BuildProblem::Unlocked { gate, dependency, version })
        } else {
            None
        }
    })
}

/// Returns the gates that depend on themselves, directly or through others.
fn cycles(dependencies: &Dependencies) -> impl Iterator<Item = BuildProblem> {
    let reaches_itself = |gate: &Arc<str>| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Arc<str>> = dependencies.get(gate).into_iter().flatten().collect();
        while let Some(dependency) = next.pop() {
            if dependency == gate {
                return true;
            }
            if seen.insert(dependency) {
                next.extend(dependencies.get(dependency).into_iter().flatten());
            }
        }
        false
    };
    dependencies
        .keys()
        .filter(move |gate| reaches_itself(gate))
        .map(|gate| BuildProblem::Cycle { gate: (**gate).into() })
}
