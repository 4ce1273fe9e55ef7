//! Which copy of a registry this thread reads: the scopes of tests, and futures that carry them.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{FeatureGates, sync::Ordering, test_guards::Everywhere};

thread_local! {
    /// The innermost scope last.
    static SCOPES: RefCell<Vec<Arc<Scope>>> = const { RefCell::new(Vec::new()) };
}

/// A copy that stands in for a registry, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Scope {
    original: FeatureGates,
    copy: FeatureGates,
}

impl Scope {
    pub(crate) fn new(original: FeatureGates, copy: FeatureGates) -> Arc<Self> {
        original.count_scope(true);
        Arc::new(Self { original, copy })
    }

    pub(crate) fn copy(&self) -> &FeatureGates {
        &self.copy
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.original.count_scope(false);
    }
}

/// The copy that stands in for `gates` here: this thread's innermost, else one that holds everywhere.
pub(crate) fn copy_of(gates: &FeatureGates) -> Option<FeatureGates> {
    if gates.shared.scopes.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let here = SCOPES.try_with(|scopes| {
        let scopes = scopes.borrow();
        scopes.iter().rev().find(|scope| scope.original.is(gates)).map(|scope| scope.copy.clone())
    });
    here.ok().flatten().or_else(|| gates.lock().everywhere.last().map(Everywhere::copy))
}

/// The value of a gate in the copy that stands in for `gates` here, if one does.
pub(crate) fn read(gates: &FeatureGates, row: usize) -> Option<bool> {
    copy_of(gates).map(|copy| copy.value(row))
}

/// Scopes that hold on this thread until dropped.
#[derive(Debug)]
pub(crate) struct Entered(Vec<Arc<Scope>>);

pub(crate) fn enter(scopes: &[Arc<Scope>]) -> Entered {
    SCOPES.with_borrow_mut(|all| all.extend_from_slice(scopes));
    Entered(scopes.to_vec())
}

impl Drop for Entered {
    fn drop(&mut self) {
        for scope in self.0.drain(..) {
            // Its own, wherever it is: guards need not be dropped in order. What is taken out is
            // dropped after the borrow: the last owner of a scope locks its registry.
            let left = SCOPES.try_with(|all| {
                let mut all = all.borrow_mut();
                all.iter().rposition(|other| Arc::ptr_eq(other, &scope)).map(|at| all.remove(at))
            });
            drop(left);
        }
    }
}

pin_project! {
    /// A future that runs in the scopes of a test, on whatever thread it is polled.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scoped<F> {
        #[pin]
        future: F,
        scopes: Vec<Arc<Scope>>,
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(scopes: Vec<Arc<Scope>>, future: F) -> Self {
        Self { future, scopes }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.scopes);
        this.future.poll(context)
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// Carries the scopes that this thread or task is in to another task: wrap what is spawned in it.
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
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tokio::task::JoinError> {
/// use trimtab_featuregate::{GateSet, inherit_scope};
///
/// let _on = features::Features::gates().test().set(features::STREAMING_LISTS, true).enter();
/// let there = tokio::spawn(inherit_scope(async { features::STREAMING_LISTS.enabled() }));
/// assert!(there.await?);
/// # Ok(())
/// # }
/// ```
pub fn inherit_scope<F: Future>(future: F) -> Scoped<F> {
    Scoped::new(SCOPES.with_borrow(Clone::clone), future)
}
