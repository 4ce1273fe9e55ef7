//! The guards of a test: they end a scope, or compare gates, when they are dropped.

use std::{fmt, marker::PhantomData, sync::Arc, thread};

use crate::{
    registry::{FeatureGates, GlobalScope, Scope},
    scope::{self, EnteredScopes},
};

impl FeatureGates {
    /// Checks at the end of a test that no gate has changed.
    ///
    /// # Panics
    ///
    /// The drop of the guard panics if a gate has changed. The message names the gates and the test.
    pub fn assert_unchanged(&self) -> UnchangedGuard {
        UnchangedGuard { gates: self.clone(), before: self.lock().state.values() }
    }
}

/// Keeps this thread in a test's scope. Not `Send`, because the scope belongs to the thread.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct TestGuard {
    #[expect(dead_code, reason = "held for its drop")]
    entered: EnteredScopes,
    not_send: PhantomData<*const ()>,
}

impl TestGuard {
    pub(crate) fn new(scope: &Arc<Scope>) -> Self {
        Self { entered: scope::enter(std::slice::from_ref(scope)), not_send: PhantomData }
    }
}

/// Keeps all threads in a test's scope.
#[must_use = "the scope ends when the guard is dropped"]
#[derive(Debug)]
pub struct EverywhereGuard {
    gates: FeatureGates,
    scope: Arc<Scope>,
}

impl EverywhereGuard {
    /// Fails with the name of another test that has such a guard.
    pub(crate) fn new(gates: &FeatureGates, test: &str, scope: Arc<Scope>) -> Result<Self, Box<str>> {
        let mut locked = gates.lock();
        if let Some(other) = locked.global_scopes.last().filter(|other| *other.test != *test) {
            let holder = other.test.clone();
            drop(locked); // before `scope`: the last owner of a scope locks its registry
            return Err(holder);
        }
        locked.global_scopes.push(GlobalScope { test: test.into(), scope: scope.clone() });
        drop(locked);
        Ok(Self { gates: gates.clone(), scope })
    }
}

impl Drop for EverywhereGuard {
    fn drop(&mut self) {
        let mut locked = self.gates.lock();
        let own = locked.global_scopes.iter().position(|other| Arc::ptr_eq(&other.scope, &self.scope));
        let own = own.map(|at| locked.global_scopes.remove(at));
        drop(locked);
        drop(own); // outside the lock: the last owner of a scope locks its registry
    }
}

/// Panics when dropped if a gate has changed: [`FeatureGates::assert_unchanged`].
#[must_use = "the gates are compared when the guard is dropped"]
pub struct UnchangedGuard {
    gates: FeatureGates,
    before: Vec<bool>,
}

impl Drop for UnchangedGuard {
    fn drop(&mut self) {
        let locked = self.gates.lock();
        let values = locked.state.values().into_iter().zip(&self.before);
        let changed = locked.state.rows.iter().zip(values).filter(|(_, (now, before))| now != *before);
        let changed: Vec<_> = changed.map(|(row, _)| row.name.clone()).collect();
        drop(locked);
        if !changed.is_empty() && !thread::panicking() {
            let current = thread::current();
            let test = current.name().unwrap_or("a thread without a name");
            let (component, gates) = (self.gates.name(), changed.join(", "));
            panic!("{test:?} changed feature gates of {component} and did not restore them: {gates}");
        }
    }
}

impl fmt::Debug for UnchangedGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnchangedGuard").field("gates", &self.gates).finish_non_exhaustive()
    }
}
