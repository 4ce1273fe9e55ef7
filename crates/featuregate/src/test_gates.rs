//! [`TestGates`]: other gate values during a test, which no other test sees.

use std::{collections::BTreeMap, future::Future, sync::Arc, thread};

use crate::{
    error::SetError,
    gate::{Gate, GateSet},
    registry::{FeatureGates, Scope},
    scope::Scoped,
    source::Source,
    spec::Versions,
    state::{ALL_GATES, Phase, State},
    test_guards::{EverywhereGuard, TestGuard},
    version::Version,
};

/// Gate values, or another emulation version, for a test. [`FeatureGates::test`] returns one.
///
/// The values are set together, on a copy that stands in for the registry in a scope: on this thread
/// ([`enter`](Self::enter)), in one future ([`scope`](Self::scope)), or on all threads
/// ([`enter_everywhere`](Self::enter_everywhere)). If the tested code sets gates in the scope, it sets them
/// on the copy, which is dropped when the scope ends. So parallel tests do not see each other, and nothing
/// has to be restored.
///
/// `AllAlpha` and `AllBeta` set *every* gate of the stage that is not listed. Turning a gate off also turns
/// off the gates that depend on it, unless they are listed. Turning a gate on does not turn on its
/// dependencies.
///
/// ```
/// # mod features {
/// #     trimtab_featuregate::gates! {
/// #         /// The gates of the example.
/// #         pub set Features;
/// #         /// Reads long lists as a stream.
/// #         pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }
/// #     }
/// # }
/// use trimtab_featuregate::GateSet;
///
/// let gates = features::Features::gates();
/// {
///     let _on = gates.test().set(features::STREAMING_LISTS, true).enter();
///     assert!(features::STREAMING_LISTS.enabled());
/// }
/// assert!(!features::STREAMING_LISTS.enabled());
/// ```
#[must_use = "nothing happens until the scope is entered"]
#[derive(Debug)]
pub struct TestGates {
    gates: FeatureGates,
    settings: BTreeMap<Box<str>, (bool, Lock)>,
    versions: Option<Versions>,
    test: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    Respected,
    Ignored,
}

impl FeatureGates {
    /// Returns a builder for a test's scope.
    pub fn test(&self) -> TestGates {
        TestGates { gates: self.clone(), settings: BTreeMap::new(), versions: None, test: None }
    }
}

impl<S: GateSet> Gate<S> {
    /// Sets this gate on this thread until the guard is dropped.
    ///
    /// # Panics
    ///
    /// As [`TestGates::enter`].
    pub fn set_for_test(self, value: bool) -> TestGuard {
        S::gates().test().set(self, value).enter()
    }
}

impl TestGates {
    /// Sets a gate.
    pub fn set(self, gate: impl AsRef<str>, value: bool) -> Self {
        self.with(gate.as_ref(), value, Lock::Respected)
    }

    /// Sets a gate, even if it is locked.
    pub fn force(self, gate: impl AsRef<str>, value: bool) -> Self {
        self.with(gate.as_ref(), value, Lock::Ignored)
    }

    fn with(mut self, gate: &str, value: bool, lock: Lock) -> Self {
        self.settings.insert(gate.into(), (value, lock));
        self
    }

    /// Emulates `version`, with the minor version before it as the min compatibility version.
    pub fn emulate(self, version: Version) -> Self {
        self.emulate_with(version, version.previous_minor())
    }

    /// Emulates `emulation`, with `min_compatibility` as the min compatibility version.
    pub fn emulate_with(mut self, emulation: Version, min_compatibility: Version) -> Self {
        self.versions = Some(Versions { emulation, min_compatibility });
        self
    }

    /// Sets the test's name for messages about two conflicting tests. The default is the thread's name, which
    /// Rust's test harness sets to the name of the test.
    pub fn name(mut self, test: impl Into<Box<str>>) -> Self {
        self.test = Some(test.into());
        self
    }

    /// Enters the scope on this thread until the guard is dropped. Other threads, and tasks that run on them,
    /// are not in the scope: see [`inherit_scope`](crate::inherit_scope).
    ///
    /// The guard is not `Send`, so it cannot be held in a task that may move to another thread:
    ///
    /// ```compile_fail,E0277
    /// # use trimtab_featuregate::{FeatureGates, Version};
    /// fn on_any_thread(_: impl Send) {}
    /// let gates = FeatureGates::builder("web", Version::new(1, 35)).build().expect("no gates, no errors");
    /// on_any_thread(gates.test().enter());
    /// ```
    ///
    /// # Panics
    ///
    /// If the values cannot be set: a gate is unknown or locked, or a dependency is off.
    #[track_caller]
    pub fn enter(self) -> TestGuard {
        TestGuard::new(&self.build_scope())
    }

    /// Runs `future` in the scope, on any thread. Tasks that it spawns are outside the scope, unless they are
    /// spawned with [`inherit_scope`](crate::inherit_scope).
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter).
    #[track_caller]
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped::new(vec![self.build_scope()], future)
    }

    /// Enters the scope on every thread that is in no scope of its own, until the guard is dropped. For code
    /// that reads gates on threads that the test does not start.
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter), and if another test has entered such a scope: the message names both tests.
    #[track_caller]
    pub fn enter_everywhere(self) -> EverywhereGuard {
        let (gates, test) = (self.gates.clone(), self.test_name());
        match EverywhereGuard::new(&gates, &test, self.build_scope()) {
            Ok(guard) => guard,
            Err(holder) => {
                panic!("both {holder:?} and {test:?} set the feature gates of {} everywhere", gates.name())
            }
        }
    }

    /// Enters the scope as [`enter`](Self::enter) does, but returns an error instead of panicking.
    ///
    /// # Errors
    ///
    /// If the values cannot be set.
    pub fn try_enter(self) -> Result<TestGuard, SetError> {
        Ok(TestGuard::new(&self.try_build_scope()?))
    }

    fn test_name(&self) -> Box<str> {
        let current = || thread::current().name().unwrap_or("a thread without a name").into();
        self.test.clone().unwrap_or_else(current)
    }

    #[track_caller]
    fn build_scope(self) -> Arc<Scope> {
        let (test, component) = (self.test_name(), self.gates.name().to_owned());
        match self.try_build_scope() {
            Ok(scope) => scope,
            Err(error) => panic!("cannot set the feature gates of {component} for {test:?}: {error}"),
        }
    }

    fn try_build_scope(self) -> Result<Arc<Scope>, SetError> {
        let copy = self.gates.copy(|state| state.phase = state.phase.min(Phase::Closed));
        if let Some(Versions { emulation, min_compatibility }) = self.versions {
            copy.set_versions(emulation, min_compatibility)?;
        }
        let settings = &self.settings;
        let turned_off = copy.change(|state| {
            let listed = listed(state, settings);
            let turned_off = turned_off(state, &listed);
            for (name, _) in settings.iter().filter(|(_, (_, lock))| *lock == Lock::Ignored) {
                if let Some(row) = state.find(name) {
                    state.rows[row].forced = true;
                }
            }
            let off = turned_off.iter().map(|(gate, _)| (&**gate, false));
            let group = listed.iter().map(|(name, value)| (&**name, *value)).chain(off);
            state.request(Source::Test, group)?;
            Ok(turned_off)
        })?;
        for (gate, dependency) in turned_off {
            tracing::info!(%gate, %dependency, "turned off, because its dependency is turned off");
        }
        Ok(Scope::new(self.gates, copy))
    }
}

/// Returns all values to set: as in upstream's tests, `AllAlpha` and `AllBeta` stand for every gate of the
/// stage.
fn listed(state: &State, settings: &BTreeMap<Box<str>, (bool, Lock)>) -> BTreeMap<Box<str>, bool> {
    let mut listed = BTreeMap::new();
    for (all, stage) in ALL_GATES {
        let Some((value, _)) = settings.get(all) else { continue };
        let rows = state.rows.iter().filter(|row| row.all_of.is_none());
        let of_stage = rows.filter(|row| row.stage(state.versions) == stage);
        listed.extend(of_stage.map(|row| ((*row.name).into(), *value)));
    }
    listed.extend(settings.iter().map(|(name, (value, _))| (name.clone(), *value)));
    listed
}

/// Returns the gates that are on, not listed, and cannot stay on, each with the dependency that is turned
/// off.
fn turned_off(state: &State, listed: &BTreeMap<Box<str>, bool>) -> Vec<(Arc<str>, Arc<str>)> {
    let listed = |row: usize| listed.get(&*state.rows[row].name).copied();
    let on = (0..state.rows.len()).filter(|row| state.enabled(*row) && listed(*row).is_none());
    let name = |row: usize| state.rows[row].name.clone();
    on.filter_map(|row| Some((name(row), name(first_disabled(state, row, &listed)?)))).collect()
}

/// Returns the first direct or indirect dependency of `row` that is listed as off. Does not look behind gates
/// that are listed as on: their dependencies are the test's responsibility.
fn first_disabled(state: &State, row: usize, listed: &impl Fn(usize) -> Option<bool>) -> Option<usize> {
    state.rows[row].dependencies.iter().copied().find_map(|dependency| match listed(dependency) {
        Some(false) => Some(dependency),
        Some(true) => None,
        None => first_disabled(state, dependency, listed),
    })
}
