//! component-base's rules for gates that need others (`AddDependencies`), judged when a registry is built.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Spec, Stage, Version,
    build_error::BuildProblem,
    spec::{Versions, effective},
};

/// What each gate needs, by name.
pub(crate) type Needs = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// Everything that is wrong with `needs`, given the gates' lives.
pub(crate) fn problems(known: &BTreeMap<&str, &[Spec]>, needs: &Needs) -> Vec<BuildProblem> {
    let mut problems = Vec::new();
    for (gate, needed) in needs {
        let Some(life) = known.get(&**gate) else {
            problems.push(BuildProblem::UnknownGate { gate: (**gate).into() });
            continue;
        };
        for need in needed {
            match known.get(&**need) {
                None => {
                    problems.push(BuildProblem::UnknownNeed { gate: (**gate).into(), need: (**need).into() })
                }
                Some(needed) => problems.extend(at_each_step((gate, life), (need, needed))),
            }
        }
    }
    problems.extend(cycles(needs));
    problems
}

/// Wherever the gate takes a step, what it needs must be as stable, as default-on and as locked there.
fn at_each_step<'a>(
    (gate, life): (&'a str, &'a [Spec]),
    (need, needed): (&'a str, &'a [Spec]),
) -> impl Iterator<Item = BuildProblem> + 'a {
    life.iter().filter_map(move |spec| {
        let version = spec.version;
        let min_compatibility = spec.min_compatibility.unwrap_or(version.previous_minor());
        let there = effective(needed, Versions { emulation: version, min_compatibility });
        let unborn = Spec::new(Version::ALWAYS, Stage::PreAlpha, false);
        let other = there.map_or(&unborn, |step| &needed[step]);
        let (gate, need) = (gate.into(), need.into());
        if spec.stage.rank() > other.stage.rank() {
            Some(BuildProblem::LessStable { gate, need, version })
        } else if spec.default && !other.default {
            Some(BuildProblem::OffByDefault { gate, need, version })
        } else if spec.locked && !other.locked {
            Some(BuildProblem::Unlocked { gate, need, version })
        } else {
            None
        }
    })
}

/// The gates that need themselves, directly or through others.
fn cycles(needs: &Needs) -> impl Iterator<Item = BuildProblem> {
    let reaches_itself = |gate: &Arc<str>| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Arc<str>> = needs.get(gate).into_iter().flatten().collect();
        while let Some(need) = next.pop() {
            if need == gate {
                return true;
            }
            if seen.insert(need) {
                next.extend(needs.get(need).into_iter().flatten());
            }
        }
        false
    };
    needs
        .keys()
        .filter(move |gate| reaches_itself(gate))
        .map(|gate| BuildProblem::Cycle { gate: (**gate).into() })
}
