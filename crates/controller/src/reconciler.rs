//! [`Reconcile`] and [`Reconciler`]: the code that brings one object to its desired state.

use std::{fmt, pin::Pin, sync::Arc};

use crate::{action::Action, failure::Error, request::Request};

/// Brings one object to its desired state: a trait for reconcilers that are structs.
///
/// A closure needs no trait: [`Controller::reconciler`](crate::Controller::reconciler) takes it.
///
/// ```
/// use std::sync::Arc;
///
/// use trimtab_controller::{Action, Error, Reconcile, Request};
///
/// struct Websites;
///
/// impl Reconcile for Websites {
///     async fn reconcile(self: Arc<Self>, request: Request) -> Result<Action, Error> {
///         println!("{}, attempt {}", request.key, request.attempt);
///         Ok(Action::done())
///     }
/// }
/// # fn wire(controller: trimtab_controller::Controller<()>) -> trimtab_controller::Controller {
/// controller.reconcile_by(Websites)
/// # }
/// ```
pub trait Reconcile: Send + Sync + 'static {
    /// Reconciles the object of one key.
    fn reconcile(self: Arc<Self>, request: Request) -> impl Future<Output = Result<Action, Error>> + Send;
}

/// The boxed future of one reconcile.
pub(crate) type Reconciling = Pin<Box<dyn Future<Output = Result<Action, Error>> + Send>>;

/// The reconciler of a controller that is ready to run:
/// [`Controller::reconciler`](crate::Controller::reconciler).
#[derive(Clone)]
pub struct Reconciler(Arc<dyn Fn(Request) -> Reconciling + Send + Sync>);

impl Reconciler {
    /// Wraps a closure.
    pub(crate) fn new<F, R>(reconcile: F) -> Self
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(reconcile(request))))
    }

    /// Wraps a struct.
    pub(crate) fn of(reconcile: impl Reconcile) -> Self {
        let reconcile = Arc::new(reconcile);
        Self(Arc::new(move |request| Box::pin(reconcile.clone().reconcile(request))))
    }

    pub(crate) fn call(&self, request: Request) -> Reconciling {
        (self.0)(request)
    }
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reconciler")
    }
}
