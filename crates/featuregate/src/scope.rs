//! The scopes of tests on threads and in futures.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::registry::{SCOPES, Scope};

/// Scopes that are active on this thread until this value is dropped.
#[derive(Debug)]
pub(crate) struct EnteredScopes(Vec<Arc<Scope>>);

pub(crate) fn enter(scopes: &[Arc<Scope>]) -> EnteredScopes {
    SCOPES.with_borrow_mut(|all| all.extend_from_slice(scopes));
    EnteredScopes(scopes.to_vec())
}

impl Drop for EnteredScopes {
    fn drop(&mut self) {
        for scope in self.0.drain(..) {
            // Removed at any position, because guards may be dropped in any order. Dropped after the borrow,
            // because the last owner of a scope locks its registry.
            let left = SCOPES.try_with(|all| {
                let mut all = all.borrow_mut();
                all.iter().rposition(|other| Arc::ptr_eq(other, &scope)).map(|at| all.remove(at))
            });
            drop(left);
        }
    }
}

pin_project! {
    /// A future that runs in the scopes of a test, on any thread that polls it.
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

/// Wraps a future to be spawned, so that it runs in the scopes that this thread or task is in. Without an
/// active scope it does nothing, so it may stay in the code that is released.
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
