//! [`FeatureGatesBuilder`]: checks declared gates and builds a registry from them.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use crate::{
    build_error::{BuildError, BuildProblem},
    dependencies::{self, Dependencies},
    registry::{FeatureGates, StaticSet},
    spec::{Spec, Versions, flaw, inherit_min_compatibility},
    state::{ALL_GATES, Row, State},
    version::Version,
};

/// Collects the gates of a registry. [`FeatureGates::builder`] returns one.
#[must_use]
#[derive(Debug)]
pub struct FeatureGatesBuilder {
    name: Box<str>,
    binary: Version,
    versions: Versions,
    environment_prefix: Option<Box<str>>,
    sets: Vec<&'static StaticSet>,
    gates: BTreeMap<Arc<str>, (Arc<str>, Vec<Spec>)>,
    dependencies: Dependencies,
    problems: Vec<BuildProblem>,
}

impl FeatureGates {
    /// Returns a builder for the gates of the component `name`, whose binary has the version `binary`.
    pub fn builder(name: &str, binary: Version) -> FeatureGatesBuilder {
        FeatureGatesBuilder::new(name, binary)
    }
}

impl FeatureGatesBuilder {
    fn new(name: &str, binary: Version) -> Self {
        let builder = Self {
            name: name.into(),
            binary,
            versions: Versions::emulating(binary),
            environment_prefix: None,
            sets: Vec::new(),
            gates: BTreeMap::new(),
            dependencies: Dependencies::new(),
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

    /// Adds a gate that is not declared in the code, for example a plugin's. [`FeatureGates::is_enabled`]
    /// reads it by name.
    pub fn gate(self, name: &str, description: &str, specs: impl AsRef<[Spec]>) -> Self {
        self.add(name, description, specs.as_ref())
    }

    /// Adds dependencies: `gate` cannot be on unless all of them are on. Dependencies added earlier are kept.
    pub fn depends_on(
        mut self,
        gate: impl AsRef<str>,
        dependencies: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let mut dependencies = dependencies.into_iter().peekable();
        if dependencies.peek().is_some() {
            let all = self.dependencies.entry(gate.as_ref().into()).or_default();
            all.extend(dependencies.map(|dependency| Arc::from(dependency.as_ref())));
        }
        self
    }

    /// Sets the emulation version. The default is the binary's version.
    pub fn emulation_version(mut self, version: Version) -> Self {
        self.versions = Versions::emulating(version);
        self
    }

    /// Sets the oldest version that this component may have to be compatible with. The default is one minor
    /// version before the emulation version, as during an upgrade.
    pub fn min_compatibility_version(mut self, version: Version) -> Self {
        self.versions.min_compatibility = version;
        self
    }

    /// Sets a prefix for environment variables: [`set_from_env`](FeatureGates::set_from_env) then reads
    /// `<prefix><Name>` before `KUBE_FEATURE_<Name>`.
    pub fn environment_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.environment_prefix = Some(prefix.into());
        self
    }

    /// Builds the registry. No declared gate reads it until it is [installed](FeatureGates::install).
    ///
    /// # Errors
    ///
    /// All problems of the gates: specs that break upstream's rules; two gates of one name with different
    /// specs; dependencies that are unknown, cyclic, or less stable, off or unlocked where the dependent gate
    /// is stable, on or locked; versions in the wrong order.
    pub fn build(mut self) -> Result<FeatureGates, BuildError> {
        let dependencies = std::mem::take(&mut self.dependencies);
        let known: BTreeMap<&str, &[Spec]> =
            self.gates.iter().map(|(name, (_, specs))| (&**name, &**specs)).collect();
        self.problems.extend(dependencies::problems(&known, &dependencies));
        let (binary, Versions { emulation, min_compatibility }) = (self.binary, self.versions);
        if emulation > binary {
            self.problems.push(BuildProblem::NewerThanBinary { emulation, binary });
        }
        if min_compatibility > emulation {
            self.problems.push(BuildProblem::MinCompatibilityTooNew { min_compatibility, emulation });
        }
        if self.problems.is_empty() {
            Ok(self.finish(&dependencies))
        } else {
            Err(BuildError { problems: self.problems })
        }
    }

    /// Builds the implicit registry of a set. Its gates were checked when compiled, and it has no
    /// dependencies.
    pub(crate) fn build_implicit(mut self) -> FeatureGates {
        let dependencies = std::mem::take(&mut self.dependencies);
        self.finish(&dependencies)
    }

    pub(crate) fn set(mut self, set: &'static StaticSet) -> Self {
        self.sets.push(set);
        for gate in set.declarations {
            self = self.add(gate.name, gate.description, gate.specs).depends_on(gate.name, gate.dependencies);
        }
        self
    }

    pub(crate) fn unversioned_set(self, set: &'static StaticSet) -> Self {
        set.declarations
            .iter()
            .fold(self.flattened(set), |builder, gate| builder.depends_on(gate.name, gate.dependencies))
    }

    pub(crate) fn flattened(mut self, set: &'static StaticSet) -> Self {
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
            self.problems.push(BuildProblem::InvalidSpecs { gate: name.into(), version, flaw: flaw.into() });
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

    fn finish(self, dependencies: &Dependencies) -> FeatureGates {
        let names: Vec<Arc<str>> = self.gates.keys().cloned().collect();
        let row_of = |name: &Arc<str>| names.binary_search(name).ok();
        let none = BTreeSet::new();
        let rows = self.gates.into_iter().map(|(name, (description, specs))| Row {
            dependencies: dependencies.get(&name).unwrap_or(&none).iter().filter_map(row_of).collect(),
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
