//! kube-rs' form of a reconciler: `fn(Arc<K>, Arc<Ctx>)` with an `error_policy`.
//!
//! An operator on `kube-runtime` moves to this crate by changing its `main`; its `reconcile` and `error_policy` stay,
//! except that [`Action`] is imported from here.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//!
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube_client::Client;
//! use trimtab_controller::{Controller, informer::InformerFactory, kube_rs::{self, Action}};
//!
//! struct Ctx;
//!
//! async fn reconcile(map: Arc<ConfigMap>, _ctx: Arc<Ctx>) -> Result<Action, kube_client::Error> {
//!     println!("{:?}", map.metadata.name);
//!     Ok(Action::requeue(Duration::from_secs(300)))
//! }
//!
//! fn error_policy(_map: Arc<ConfigMap>, _error: &kube_client::Error, _ctx: Arc<Ctx>) -> Action {
//!     Action::requeue(Duration::from_secs(5))
//! }
//!
//! # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let maps = InformerFactory::new(client).informer::<ConfigMap>();
//! Controller::new("config-maps", &maps)
//!     .workers(10) // kube-rs' default is unlimited
//!     .reconciler(kube_rs::reconciler(maps.store(), reconcile, error_policy, Arc::new(Ctx)))
//!     .run(async { _ = tokio::signal::ctrl_c().await })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Differences from kube-rs
//!
//! - A panic and a timeout of the reconciler are retried with backoff. kube-rs' controller ends with a panic.
//! - `Action::requeue(Duration::ZERO)` of an error policy backs off.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use trimtab_cache::{Object, Store};

use crate::{failure::Error, request::Request};

/// The result of a reconcile in kube-rs' form: `kube::runtime::controller::Action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Action {
    requeue_after: Option<Duration>,
}

impl Action {
    /// Reconciles again after `duration`, or earlier after an event.
    pub const fn requeue(duration: Duration) -> Self {
        Self { requeue_after: Some(duration) }
    }

    /// Reconciles again after the next event.
    pub const fn await_change() -> Self {
        Self { requeue_after: None }
    }
}

impl From<Action> for crate::Action {
    fn from(action: Action) -> Self {
        match action.requeue_after {
            None => Self::done(),
            Some(Duration::ZERO) => Self::requeue_now(),
            Some(delay) => Self::requeue_after(delay),
        }
    }
}

/// Makes a reconciler for [`Controller::reconciler`](crate::Controller::reconciler) of a function in kube-rs' form.
///
/// `store` is that of the primary informer. As in kube-rs, `reconcile` is not called for an object that was deleted; use a
/// finalizer.
pub fn reconciler<T, Ctx, F, R, E, P>(
    store: &Store<T>,
    reconcile: F,
    error_policy: P,
    context: Arc<Ctx>,
) -> impl Fn(Request) -> BoxFuture<'static, Result<crate::Action, Error>> + Send + Sync + 'static
where
    T: Object,
    Ctx: Send + Sync + 'static,
    F: Fn(Arc<T>, Arc<Ctx>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Action, E>> + Send + 'static,
    E: StdError + Send + Sync + 'static,
    P: Fn(Arc<T>, &E, Arc<Ctx>) -> Action + Send + Sync + 'static,
{
    let (store, reconcile) = (store.clone(), Arc::new((reconcile, error_policy)));
    move |request| {
        let (object, context, functions) = (store.get(&request.key), context.clone(), reconcile.clone());
        Box::pin(async move {
            let Some(object) = object else { return Ok(crate::Action::done()) };
            let (reconcile, error_policy) = &*functions;
            let error = match reconcile(object.clone(), context.clone()).await {
                Ok(action) => return Ok(action.into()),
                Err(error) => error,
            };
            Err(match error_policy(object, &error, context).requeue_after {
                None => Error::terminal(error),
                Some(Duration::ZERO) => Error::new(error),
                Some(delay) => Error::retry_after(delay, error),
            })
        })
    }
}
