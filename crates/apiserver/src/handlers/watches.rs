//! [`Watches`]: the open watches, and the effects that faults have on each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::api::filter::{Filter, Origin};

/// How a fault ends a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection breaks.
    Cut,
    /// The body ends as if its time were up.
    Clean,
}

/// The effects of all faults on one watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Control {
    end: Option<End>,
    lag: Duration,
    is_without_bookmarks: bool,
    bookmark_delay: Duration,
}

/// The effect of a fault on all watches that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Events are sent this long after their commits.
    Lag(Duration),
    /// No bookmarks are sent.
    NoBookmarks,
    /// Bookmarks are sent this long after they are due.
    LateBookmarks(Duration),
}

/// The open watches, by the order in which they were opened, and the effects that are active.
#[derive(Debug)]
pub(crate) struct Watches {
    /// Decides which watches a filter with a probability selects.
    seed: u64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    newest: u64,
    watches: BTreeMap<u64, (Origin, watch::Sender<Control>)>,
    effects: BTreeMap<u64, (Filter, Effect)>,
}

impl Watches {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, open: Mutex::default() }
    }

    /// Registers a watch that was opened.
    pub(crate) fn register(self: &Arc<Self>, origin: Origin) -> WatchHandle {
        let mut open = self.open.lock();
        open.newest += 1;
        let id = open.newest;
        let (sender, control) = watch::channel(open.control(self.seed, id, &origin, None));
        open.watches.insert(id, (origin, sender));
        drop(open);
        WatchHandle { watches: self.clone(), id, control }
    }

    pub(crate) fn end(&self, filter: &Filter, end: End) -> usize {
        let mut ended = 0;
        let mut open = self.open.lock();
        open.newest += 1; // each call is a fault of its own
        let (fault, watches) = (open.newest, open.watches.iter());
        let selected = watches.filter(|(id, (origin, _))| filter.selects(origin, self.seed, fault, **id));
        for (_, (origin, control)) in selected {
            tracing::debug!(?origin, ?end, "an injected fault ends a watch");
            ended += usize::from(control.send_if_modified(|control| control.end.replace(end).is_none()));
        }
        ended
    }

    pub(crate) fn count(&self, filter: &Filter) -> usize {
        self.open.lock().watches.values().filter(|(origin, _)| filter.matches(origin)).count()
    }

    /// Adds an effect; returns its id.
    pub(crate) fn add(&self, filter: Filter, effect: Effect) -> u64 {
        let mut open = self.open.lock();
        open.newest += 1;
        let id = open.newest;
        open.effects.insert(id, (filter, effect));
        open.update(self.seed);
        id
    }

    pub(crate) fn release(&self, id: u64) {
        let mut open = self.open.lock();
        open.effects.remove(&id);
        open.update(self.seed);
    }
}

impl Open {
    /// The effects on a watch: of several lags, the longest counts.
    fn control(&self, seed: u64, watch: u64, origin: &Origin, end: Option<End>) -> Control {
        let mut control = Control { end, ..Control::default() };
        let effects = self.effects.iter();
        for (_, (_, effect)) in effects.filter(|(id, (filter, _))| filter.selects(origin, seed, **id, watch))
        {
            match effect {
                Effect::LateBookmarks(delay) => control.bookmark_delay = control.bookmark_delay.max(*delay),
                Effect::Lag(lag) => control.lag = control.lag.max(*lag),
                Effect::NoBookmarks => control.is_without_bookmarks = true,
            }
        }
        control
    }

    /// Sends every watch the effects on it.
    fn update(&self, seed: u64) {
        for (id, (origin, sender)) in &self.watches {
            sender.send_if_modified(|control| {
                let wanted = self.control(seed, *id, origin, control.end);
                std::mem::replace(control, wanted) != wanted
            });
        }
    }
}

/// The receiver of the effects on one watch; dropped with the watch.
#[derive(Debug)]
pub(crate) struct WatchHandle {
    watches: Arc<Watches>,
    id: u64,
    control: watch::Receiver<Control>,
}

impl WatchHandle {
    /// Returns the end that a fault caused, if any.
    pub(crate) fn end(&self) -> Option<End> {
        self.control.borrow().end
    }

    /// Returns the delay of events.
    pub(crate) fn lag(&self) -> Duration {
        self.control.borrow().lag
    }

    /// Returns whether bookmarks are withheld.
    pub(crate) fn is_without_bookmarks(&self) -> bool {
        self.control.borrow().is_without_bookmarks
    }

    /// Returns the delay of bookmarks.
    pub(crate) fn bookmark_delay(&self) -> Duration {
        self.control.borrow().bookmark_delay
    }

    /// Waits until the effects change. Cancel safe.
    pub(crate) async fn changed(&mut self) {
        if self.control.changed().await.is_err() {
            std::future::pending::<()>().await; // unreachable while the handle is registered
        }
    }
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        self.watches.open.lock().watches.remove(&self.id);
    }
}
