//! [`Watches`]: the open watches, and what levers want of each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Filter, Origin, Shared};

/// How a lever ends a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection breaks.
    Cut,
    /// The body ends as if its time were up.
    Clean,
}

/// What levers want of one watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Control {
    end: Option<End>,
    lag: Duration,
    is_without_bookmarks: bool,
}

/// What a lever wants of all watches that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Events are sent so long after their commits.
    Lag(Duration),
    /// No bookmarks are sent.
    NoBookmarks,
}

/// The open watches, by the order in which they were opened, and the wishes that are in force.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    newest: u64,
    watches: BTreeMap<u64, (Origin, watch::Sender<Control>)>,
    wishes: BTreeMap<u64, (Filter, Wish)>,
}

impl Watches {
    pub(super) fn end(&self, filter: &Filter, end: End) -> usize {
        let mut ended = 0;
        for (origin, control) in self.0.lock().watches.values().filter(|(origin, _)| filter.matches(origin)) {
            tracing::debug!(?origin, ?end, "a lever ends a watch");
            ended += usize::from(control.send_if_modified(|control| control.end.replace(end).is_none()));
        }
        ended
    }

    pub(super) fn count(&self, filter: &Filter) -> usize {
        self.0.lock().watches.values().filter(|(origin, _)| filter.matches(origin)).count()
    }

    /// Adds a wish; returns its id.
    pub(super) fn wish(&self, filter: Filter, wish: Wish) -> u64 {
        let mut open = self.0.lock();
        open.newest += 1;
        let id = open.newest;
        open.wishes.insert(id, (filter, wish));
        open.tell();
        id
    }

    pub(super) fn release(&self, id: u64) {
        let mut open = self.0.lock();
        open.wishes.remove(&id);
        open.tell();
    }
}

impl Open {
    /// What is wanted of a watch: of several lags, the longest counts.
    fn control(&self, origin: &Origin, end: Option<End>) -> Control {
        let mut control = Control { end, ..Control::default() };
        for (_, wish) in self.wishes.values().filter(|(filter, _)| filter.matches(origin)) {
            match wish {
                Wish::Lag(lag) => control.lag = control.lag.max(*lag),
                Wish::NoBookmarks => control.is_without_bookmarks = true,
            }
        }
        control
    }

    /// Tells every watch what is wanted of it now.
    fn tell(&self) {
        for (origin, sender) in self.watches.values() {
            sender.send_if_modified(|control| {
                let wanted = self.control(origin, control.end);
                std::mem::replace(control, wanted) != wanted
            });
        }
    }
}

/// A watch's side of its levers; dropped with the watch.
#[derive(Debug)]
pub(crate) struct WatchHandle {
    shared: Arc<Shared>,
    id: u64,
    control: watch::Receiver<Control>,
}

impl WatchHandle {
    pub(super) fn open(shared: Arc<Shared>, origin: Origin) -> Self {
        let mut open = shared.watches.0.lock();
        open.newest += 1;
        let id = open.newest;
        let (sender, control) = watch::channel(open.control(&origin, None));
        open.watches.insert(id, (origin, sender));
        drop(open);
        Self { shared, id, control }
    }

    /// How a lever has ended the watch, if one has.
    pub(crate) fn end(&self) -> Option<End> {
        self.control.borrow().end
    }

    /// How long events are held back.
    pub(crate) fn lag(&self) -> Duration {
        self.control.borrow().lag
    }

    /// Whether bookmarks are kept back.
    pub(crate) fn is_without_bookmarks(&self) -> bool {
        self.control.borrow().is_without_bookmarks
    }

    /// Waits until a lever wants something else. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        if self.control.changed().await.is_err() {
            std::future::pending::<()>().await; // unreachable while the handle is registered
        }
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        self.shared.watches.0.lock().watches.remove(&self.id);
    }
}
