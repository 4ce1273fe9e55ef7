//! Delivery of the store's changes to handlers, and the list of handlers.

use std::sync::{Arc, Weak};

use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};
use trimtab_cache::{Change, Object};

use super::{Inner, OnProgress, Shared};
use crate::{
    delivery::{Batch, Registered},
    event::Event,
    handler::{Handler, Registration},
    sync::MutexGuard,
};

/// Keeps neither the informer nor the handler function alive.
struct RegistrationOf<T> {
    shared: Weak<Shared<T>>,
    registered: Weak<Registered<T>>,
}

impl<T: Object> Registration for RegistrationOf<T> {
    fn remove(&self) {
        if let (Some(shared), Some(registered)) = (self.shared.upgrade(), self.registered.upgrade()) {
            shared.remove_handler(&registered);
        }
    }

    fn is_busy(&self) -> bool {
        self.registered.upgrade().is_some_and(|registered| registered.is_busy())
    }
}

impl<T: Object> Shared<T> {
    /// Makes the events of a handler that joins: the additions of all objects.
    fn first_events(&self, ends_initial: bool) -> Batch<T> {
        let objects = self.store.list().into_iter().map(Change::Added);
        let changes = objects.chain(self.store.undecodable().into_iter().map(Change::Undecodable));
        Batch { events: changes.map(|change| Event::new(change, true)).collect(), ends_initial }
    }

    /// Adds a handler and delivers the objects of the store to it, on the calling thread.
    pub(crate) fn add_handler(
        self: &Arc<Self>,
        function: impl Fn(&Event<T>) + Send + Sync + 'static,
        resync: Option<Duration>,
    ) -> Handler {
        let registered = Arc::new(Registered::new(function, resync.or(self.resync)));
        {
            let mut inner = self.inner.lock();
            let has_synced = self.has_synced();
            if has_synced || !self.store.is_empty() || !self.store.undecodable().is_empty() {
                // Under the lock: a change that comes now is either in the store already or queued
                // behind these; never in neither, nor in both.
                registered.enqueue(inner.store.first(|| self.first_events(has_synced)));
            }
            inner.handlers = inner.handlers.iter().chain([&registered]).cloned().collect();
        }
        self.resync_wanted.notify_one();
        registered.deliver_initial(&self.reporter);
        let registration =
            RegistrationOf { shared: Arc::downgrade(self), registered: Arc::downgrade(&registered) };
        Handler::new(Arc::new(registration), registered.flags.clone())
    }

    /// Calls `function` from now on when the store's version may have moved.
    pub(crate) fn add_on_progress(&self, function: impl Fn(&str) + Send + Sync + 'static) {
        let function: Arc<OnProgress> = Arc::new(function);
        let mut functions = self.on_progress.lock();
        *functions = functions.iter().chain([&function]).cloned().collect();
    }

    /// Reports the store's version. No lock is held, and the handlers have received every change up to it.
    pub(super) fn report_progress(&self) {
        let functions = self.on_progress.lock().clone();
        if !functions.is_empty()
            && let Some(version) = self.store.resource_version()
        {
            functions.iter().for_each(|function| function(&version));
        }
    }

    fn remove_handler(&self, registered: &Arc<Registered<T>>) {
        let mut inner = self.inner.lock();
        let others = inner.handlers.iter().filter(|other| !Arc::ptr_eq(other, registered));
        let others = others.cloned().collect();
        let before = std::mem::replace(&mut inner.handlers, others);
        drop(inner);
        drop(before); // outside the lock: it may hold the last handle of a value of the user's
    }

    /// Delivers every object again to the handlers whose resync is due.
    pub(crate) fn resync(&self, now: Instant) {
        let inner = self.inner.lock();
        let due: Vec<_> =
            inner.handlers.iter().filter(|handler| handler.takes_resync(now)).cloned().collect();
        if due.is_empty() || !self.has_synced() {
            return;
        }
        let again = |object: Arc<T>| Event::new(Change::Updated { old: object.clone(), new: object }, false);
        let events = self.store.list().into_iter().map(again).collect();
        self.dispatch_to(inner, &due, Batch { events, ends_initial: false });
    }

    /// Returns the time of the next resync of any handler.
    pub(crate) fn next_resync(&self) -> Option<Instant> {
        self.inner.lock().handlers.iter().filter_map(|handler| handler.next_resync()).min()
    }

    /// Notified when a handler is added. A permit is kept if no task waits.
    pub(crate) fn resync_wanted(&self) -> &Notify {
        &self.resync_wanted
    }

    pub(super) fn dispatch_one(&self, inner: MutexGuard<'_, Inner<T>>, change: Change<T>) {
        self.dispatch(inner, Batch { events: vec![Event::new(change, false)], ends_initial: false });
    }

    pub(super) fn dispatch(&self, inner: MutexGuard<'_, Inner<T>>, batch: Batch<T>) {
        let handlers = inner.handlers.clone();
        self.dispatch_to(inner, &handlers, batch);
    }

    /// Queues events under the lock of their change, so that all handlers receive all changes in the order
    /// of the store; delivers them without the lock. Modelled by
    /// `loom_tests::two_writers_are_delivered_in_the_order_of_the_store`: after a `stop` that was not
    /// awaited, the old task may still deliver its last event when the next task begins.
    fn dispatch_to(&self, inner: MutexGuard<'_, Inner<T>>, handlers: &[Arc<Registered<T>>], batch: Batch<T>) {
        let batch = Arc::new(batch);
        for handler in handlers {
            handler.enqueue(batch.clone());
        }
        drop(inner);
        let begun = self.metrics.as_ref().map(|metrics| (metrics, Instant::now()));
        for handler in handlers {
            handler.deliver(&self.reporter);
        }
        if let Some((metrics, begun)) = begun {
            metrics.handled(begun.elapsed());
        }
    }
}
