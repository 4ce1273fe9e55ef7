//! [`reconcile`]: one reconcile alone.

use trimtab_controller::{Action, Controller, Error, Request, cache::ObjectKey, informer::InformerFactory};

/// Reconciles one key once, without a queue and without retries, and returns the reconciler's result.
///
/// The informers are started first, and awaited: the reconciler sees the objects that exist now.
///
/// # Errors
///
/// The error of the reconciler, or of the informers that have not synced within a minute.
///
/// # Cancel safety
///
/// Dropped early, the reconcile is dropped at its `.await`.
pub async fn reconcile(
    controller: &Controller,
    informers: &InformerFactory,
    key: ObjectKey,
) -> Result<Action, Error> {
    informers.start();
    informers.wait_for_sync(std::time::Duration::from_secs(60)).await?;
    controller.reconcile(Request::new(key)).await
}
