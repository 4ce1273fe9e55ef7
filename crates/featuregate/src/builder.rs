//! [`FeatureGatesBuilder`]: from declared gates to a registry, or to all that is wrong with them.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use crate::{
    BuildError, BuildProblem, FeatureGates, GateSet, Spec, Version,
    dependencies::{self, Needs},
    live::LiveSet,
    spec::{Versions, flaw, inherit_min_compatibility},
    state::{ALL_GATES, Row, State},
};

/// Collects gates for a registry: [`FeatureGates::builder`].
#[must_use]
#[derive(Debug)]
pub struct FeatureGatesBuilder {
    name: Box<str>,
    binary: Version,
    versions: Versions,
    environment_prefix: Option<Box<str>>,
    sets: Vec<&'static LiveSet>,
    gates: BTreeMap<Arc<str>, (Arc<str>, Vec<Spec>)>,
    needs: Needs,
    problems: Vec<BuildProblem>,
}

impl FeatureGatesBuilder {
    pub(crate) fn new(name: &str, binary: Version) -> Self {
        let builder = Self {
            name: name.into(),
            binary,
            versions: Versions::emulating(binary),
            environment_prefix: None,
            sets: Vec::new(),
            gates: BTreeMap::new(),
            needs: Needs::new(),
            problems: Vec::new(),
        };
        ALL_GATES.into_iter().fold(builder, |builder, (name, stage)| {
            builder.add(
                name,
                "Switches all gates of this stage that are not set themselves.",
                &[Spec::new(Version::ALWAYS, stage, false)],
            )
        })
    }

    /// Adds a set that [`gates!`](crate::gates) declared.
    pub fn gates<S: GateSet>(mut self) -> Self {
        let set = S::live();
        self.sets.push(set);
        for gate in set.declarations {
            self = self.add(gate.name, gate.description, gate.specs).needs(gate.name, gate.needs);
        }
        self
    }

    /// Adds a set without its versions: each gate as it is at its newest, whatever is emulated.
    ///
    /// For the gates of a library whose versions are not this component's.
    pub fn gates_unversioned<S: GateSet>(self) -> Self {
        let set = S::live();
        set.declarations
            .iter()
            .fold(self.flattened(set), |builder, gate| builder.needs(gate.name, gate.needs))
    }

    /// Adds a gate that is not declared in the code: a plugin's, say. It is read by name:
    /// [`FeatureGates::is_enabled`].
    pub fn gate(self, name: &str, description: &str, specs: impl AsRef<[Spec]>) -> Self {
        self.add(name, description, specs.as_ref())
    }

    /// `gate` cannot be on without all of `needs`, in addition to what was said before.
    pub fn needs(mut self, gate: impl AsRef<str>, needs: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut needs = needs.into_iter().peekable();
        if needs.peek().is_some() {
            let all = self.needs.entry(gate.as_ref().into()).or_default();
            all.extend(needs.map(|need| Arc::from(need.as_ref())));
        }
        self
    }

    /// Emulates an older version from the start. Default: the binary's own.
    pub fn emulation_version(mut self, version: Version) -> Self {
        self.versions = Versions::emulating(version);
        self
    }

    /// The oldest version that this component may have to be compatible with. Default: one minor
    /// version before the emulated one, as in the course of an upgrade.
    pub fn min_compatibility_version(mut self, version: Version) -> Self {
        self.versions.min_compatibility = version;
        self
    }

    /// [`set_from_env`](FeatureGates::set_from_env) also reads `<prefix><Name>`, before
    /// `KUBE_FEATURE_<Name>`.
    pub fn environment_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.environment_prefix = Some(prefix.into());
        self
    }

    /// Makes the registry. It stands alone until it is [installed](FeatureGates::install).
    ///
    /// # Errors
    ///
    /// All that is wrong with the gates: lives that break upstream's rules; one name with two lives;
    /// needs that are unknown, go round in a circle, or are less stable, off or unlocked where the gate
    /// that needs them is stable, on or locked; versions in the wrong order.
    pub fn build(mut self) -> Result<FeatureGates, BuildError> {
        let needs = std::mem::take(&mut self.needs);
        let known: BTreeMap<&str, &[Spec]> =
            self.gates.iter().map(|(name, (_, specs))| (&**name, &**specs)).collect();
        self.problems.extend(dependencies::problems(&known, &needs));
        let (binary, Versions { emulation, min_compatibility }) = (self.binary, self.versions);
        if emulation > binary {
            self.problems.push(BuildProblem::NewerThanBinary { emulation, binary });
        }
        if min_compatibility > emulation {
            self.problems.push(BuildProblem::MinCompatibilityTooNew { min_compatibility, emulation });
        }
        if self.problems.is_empty() {
            Ok(self.finish(&needs))
        } else {
            Err(BuildError { problems: self.problems })
        }
    }

    /// The registry of a set that nobody adopted: nothing about it can be wrong, and it has no needs.
    pub(crate) fn build_own(mut self) -> FeatureGates {
        let needs = std::mem::take(&mut self.needs);
        self.finish(&needs)
    }

    pub(crate) fn flattened(mut self, set: &'static LiveSet) -> Self {
        self.sets.push(set);
        for gate in set.declarations {
            let newest = gate.specs.last().map(|&Spec { stage, default, locked, .. }| Spec {
                version: Version::ALWAYS,
                min_compatibility: None,
                stage,
                default,
                locked,
            });
            self = self.add(gate.name, gate.description, newest.as_slice());
        }
        self
    }

    fn add(mut self, name: &str, description: &str, specs: &[Spec]) -> Self {
        if let Some((step, flaw)) = flaw(specs) {
            let version = specs.get(step).map(Spec::version);
            self.problems.push(BuildProblem::Life { gate: name.into(), version, flaw: flaw.into() });
            return self;
        }
        let mut specs = specs.to_vec();
        inherit_min_compatibility(&mut specs);
        match self.gates.entry(name.into()) {
            Entry::Vacant(entry) => {
                entry.insert((description.trim().into(), specs));
            }
            Entry::Occupied(entry) if entry.get().1 == specs => {}
            Entry::Occupied(entry) => {
                let existing = &entry.get().1;
                let step = (0..).find(|step| existing.get(*step) != specs.get(*step)).unwrap_or(0);
                let version = specs.get(step).or(existing.get(step)).map_or(Version::ALWAYS, Spec::version);
                self.problems.push(BuildProblem::Conflict { gate: name.into(), version });
            }
        }
        self
    }

    fn finish(self, needs: &Needs) -> FeatureGates {
        let names: Vec<Arc<str>> = self.gates.keys().cloned().collect();
        let place = |name: &Arc<str>| names.binary_search(name).ok();
        let none = BTreeSet::new();
        let rows = self.gates.into_iter().map(|(name, (description, specs))| Row {
            needs: needs.get(&name).unwrap_or(&none).iter().filter_map(place).collect(),
            all_of: ALL_GATES.into_iter().find(|(all, _)| **all == *name).map(|(_, stage)| stage),
            overridden: vec![false; specs.len()],
            requests: Default::default(),
            forced: false,
            accepted: None,
            name,
            description,
            specs,
        });
        let state = State::new(rows.collect(), self.binary, self.versions);
        FeatureGates::new(self.name, self.environment_prefix, &self.sets, state)
    }
}
