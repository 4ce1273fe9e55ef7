//! [`TestGates`]: other values for the length of a test, which no other test sees.

use std::{collections::BTreeMap, fmt, future::Future, marker::PhantomData, sync::Arc, thread};

use crate::{
    FeatureGates, Gate, GateSet, SetError, Source, Version,
    scope::{self, Entered, Scope, Scoped},
    spec::Versions,
    state::{ALL_GATES, Phase, State},
};

/// Other values, or another version, for the length of a test: [`FeatureGates::test`].
///
/// The values are set as one group, on a copy that stands in for the registry where the test runs: on
/// this thread ([`enter`](Self::enter)), in one future ([`scope`](Self::scope)), or everywhere
/// ([`enter_everywhere`](Self::enter_everywhere)). Whatever the code under test sets there is set on
/// the copy, and gone when the scope ends. So parallel tests do not see each other, and nothing has to
/// be restored.
///
/// `AllAlpha` and `AllBeta` set *every* gate of the stage that is not listed. Turning a gate off turns
/// off what needs it, unless that is listed; turning one on does not turn on what it needs.
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
    Broken,
}

impl FeatureGates {
    /// Other values for the length of a test.
    pub fn test(&self) -> TestGates {
        TestGates {
            gates: self.clone(),
            settings: BTreeMap::new(),
            versions: None,
            test: None,
        }
    }

    /// Watches over the rest of a test: dropping the guard panics if a gate is not what it was.
    ///
    /// # Panics
    ///
    /// When the guard is dropped: if a gate changed. The message names the gates and the test.
    pub fn assert_unchanged(&self) -> UnchangedGuard {
        UnchangedGuard {
            gates: self.clone(),
            before: self.values(),
        }
    }

    fn values(&self) -> Vec<bool> {
        let locked = self.lock();
        (0..locked.state.rows.len())
            .map(|row| locked.state.enabled(row))
            .collect()
    }
}

impl<S: GateSet> Gate<S> {
    /// Gives this gate another value on this thread, until the guard is dropped.
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
        self.with(gate.as_ref(), value, Lock::Broken)
    }

    fn with(mut self, gate: &str, value: bool, lock: Lock) -> Self {
        self.settings.insert(gate.into(), (value, lock));
        self
    }

    /// Emulates `version`, staying compatible with the minor version before it.
    pub fn emulate(self, version: Version) -> Self {
        self.emulate_with(version, version.previous_minor())
    }

    /// Emulates `emulation`, staying compatible with `min_compatibility`.
    pub fn emulate_with(mut self, emulation: Version, min_compatibility: Version) -> Self {
        self.versions = Some(Versions {
            emulation,
            min_compatibility,
        });
        self
    }

    /// The test's name, for when two tests are in each other's way. Default: the thread's, which is
    /// what Rust's test harness calls the test.
    pub fn named(mut self, test: impl Into<Box<str>>) -> Self {
        self.test = Some(test.into());
        self
    }

    /// Enters the scope on this thread, until the guard is dropped. Other threads, and tasks that run
    /// on them, see nothing of it: see [`inherit_scope`](crate::inherit_scope).
    ///
    /// The guard stays on its thread, so it cannot be held in a task that may move:
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
    /// If the values cannot be set: a gate is unknown or locked, or what it needs is off.
    #[track_caller]
    pub fn enter(self) -> TestGuard {
        let scope = self.make();
        TestGuard {
            entered: scope::enter(&[scope]),
            not_send: PhantomData,
        }
    }

    /// Runs `future` in the scope, on whatever thread. Tasks that it spawns are outside, unless they
    /// are spawned with [`inherit_scope`](crate::inherit_scope).
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter).
    #[track_caller]
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        Scoped::new(vec![self.make()], future)
    }

    /// Enters the scope on every thread that is in no scope of its own, until the guard is dropped:
    /// for code that reads gates on threads that the test does not start.
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter), and if another test has done the same: both are named.
    #[track_caller]
    pub fn enter_everywhere(self) -> EverywhereGuard {
        let (gates, test) = (self.gates.clone(), self.test_name());
        let scope = self.make();
        let mut locked = gates.lock();
        let holder = locked
            .everywhere
            .last()
            .map(|other| other.test.clone())
            .filter(|other| *other != test);
        if holder.is_none() {
            locked.everywhere.push(Everywhere {
                test: test.clone(),
                scope: scope.clone(),
            });
        }
        drop(locked);
        if let Some(holder) = holder {
            drop(scope);
            panic!(
                "both {holder:?} and {test:?} set the feature gates of {} everywhere",
                gates.name()
            );
        }
        EverywhereGuard { gates, scope }
    }

    /// As [`enter`](Self::enter), for tests of what is refused.
    ///
    /// # Errors
    ///
    /// Why the values cannot be set.
    pub fn try_enter(self) -> Result<TestGuard, SetError> {
        let scope = self.try_make()?;
        Ok(TestGuard {
            entered: scope::enter(&[scope]),
            not_send: PhantomData,
        })
    }

    fn test_name(&self) -> Box<str> {
        let current = || {
            thread::current()
                .name()
                .unwrap_or("a thread without a name")
                .into()
        };
        self.test.clone().unwrap_or_else(current)
    }

    #[track_caller]
    fn make(self) -> Arc<Scope> {
        let (test, component) = (self.test_name(), self.gates.name().to_owned());
        match self.try_make() {
            Ok(scope) => scope,
            Err(error) => panic!("cannot set the feature gates of {component} for {test:?}: {error}"),
        }
    }

    fn try_make(self) -> Result<Arc<Scope>, SetError> {
        let copy = self.gates.copy(|state| state.phase = Phase::Open);
        if let Some(Versions {
            emulation,
            min_compatibility,
        }) = self.versions
        {
            copy.set_versions(emulation, min_compatibility)?;
        }
        let settings = &self.settings;
        let outcome = copy.change(|state| {
            let group = group(state, settings);
            for (name, _) in settings.iter().filter(|(_, (_, lock))| *lock == Lock::Broken) {
                if let Some(row) = state.find(name) {
                    state.rows[row].forced = true;
                }
            }
            state
                .request(Source::Test, group.iter().map(|(name, value)| (&**name, *value)))
                .map(|_| ())
        });
        outcome.or_else(SetError::check)?;
        Ok(Scope::new(self.gates, copy))
    }
}

/// All that is set when `settings` are (spec.md 6d): the gates of a whole stage, and what cannot stay on.
fn group(state: &State, settings: &BTreeMap<Box<str>, (bool, Lock)>) -> BTreeMap<Box<str>, bool> {
    let mut group = BTreeMap::new();
    for (all, stage) in ALL_GATES {
        let Some((value, _)) = settings.get(all) else {
            continue;
        };
        let rows = state.rows.iter().filter(|row| row.all_of.is_none());
        let of_stage = rows.filter(|row| row.stage(state.versions) == stage);
        group.extend(of_stage.map(|row| ((*row.name).into(), *value)));
    }
    group.extend(settings.iter().map(|(name, (value, _))| (name.clone(), *value)));
    let disabled = |row: usize| group.get(&*state.rows[row].name) == Some(&false);
    let mut dependents = BTreeMap::new();
    for (index, row) in state.rows.iter().enumerate() {
        if state.enabled(index)
            && !group.contains_key(&*row.name)
            && let Some(need) = first_needed(state, index, &disabled, &|row| group.contains_key(&*row.name))
        {
            tracing::info!(
                gate = &*row.name,
                needs = &*state.rows[need].name,
                "turned off: it needs a gate that is"
            );
            dependents.insert((*row.name).into(), false);
        }
    }
    group.extend(dependents);
    group
}

/// The first gate that `row` needs, directly or not, and that `disabled` says is off. What is listed
/// itself is not looked through: whoever listed it answers for what it needs.
fn first_needed(
    state: &State,
    row: usize,
    disabled: &impl Fn(usize) -> bool,
    listed: &impl Fn(&crate::state::Row) -> bool,
) -> Option<usize> {
    state.rows[row].needs.iter().copied().find_map(|need| {
        if disabled(need) {
            Some(need)
        } else if listed(&state.rows[need]) {
            None
        } else {
            first_needed(state, need, disabled, listed)
        }
    })
}

/// Keeps a test's scope on this thread. Not `Send`: it is the thread that is in the scope.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct TestGuard {
    #[expect(dead_code, reason = "held for its drop")]
    entered: Entered,
    not_send: PhantomData<*const ()>,
}

/// Keeps a test's scope on all threads.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct EverywhereGuard {
    gates: FeatureGates,
    scope: Arc<Scope>,
}

impl Drop for EverywhereGuard {
    fn drop(&mut self) {
        let mut locked = self.gates.lock();
        let own = locked
            .everywhere
            .iter()
            .position(|other| Arc::ptr_eq(&other.scope, &self.scope));
        let own = own.map(|at| locked.everywhere.remove(at));
        drop(locked);
        drop(own); // outside the lock: the last owner of a scope locks its registry
    }
}

/// A scope that holds on every thread, and the test whose it is.
pub(crate) struct Everywhere {
    test: Box<str>,
    scope: Arc<Scope>,
}

impl Everywhere {
    pub(crate) fn copy(&self) -> FeatureGates {
        self.scope.copy().clone()
    }
}

/// Panics when dropped if a gate is not what it was: [`FeatureGates::assert_unchanged`].
#[must_use = "the gates are compared when the guard is dropped"]
pub struct UnchangedGuard {
    gates: FeatureGates,
    before: Vec<bool>,
}

impl Drop for UnchangedGuard {
    fn drop(&mut self) {
        let now = self.gates.values();
        let locked = self.gates.lock();
        let pairs = locked.state.rows.iter().zip(now.iter().zip(&self.before));
        let changed: Vec<_> = pairs
            .filter(|(_, (now, was))| now != was)
            .map(|(row, _)| row.name.clone())
            .collect();
        drop(locked);
        if !changed.is_empty() && !thread::panicking() {
            let current = thread::current();
            let test = current.name().unwrap_or("a thread without a name");
            panic!(
                "{test:?} changed feature gates of {} and left them so: {}",
                self.gates.name(),
                changed.join(", ")
            );
        }
    }
}

impl fmt::Debug for UnchangedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnchangedGuard")
            .field("gates", &self.gates)
            .finish_non_exhaustive()
    }
}
