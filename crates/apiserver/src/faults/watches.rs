//! [`Watches`]: the open watches, and the effects of faults on each of them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Filter, Origin, Shared};

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
pub(super) enum Effect {
    /// Events are sent so long after their commits.
    Lag(Duration),
    /// No bookmarks are sent.
    NoBookmarks,
    /// Bookmarks are sent so long after they are due.
    LateBookmarks(Duration),
}

/// The open watches, by the order in which they were opened, and the effects that are active.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    newest: u64,
    watches: BTreeMap<u64, (Origin, watch::Sender<Control>)>,
    effects: BTreeMap<u64, (Filter, Effect)>,
}

impl Watches {
    pub(super) fn end(&self, seed: u64, filter: &Filter, end: End) -> usize {
        let mut ended = 0;
        let mut open = self.0.lock();
        open.newest += 1; // each call is a fault of its own
        let (fault, watches) = (open.newest, open.watches.iter());
        let selected = watches.filter(|(id, (origin, _))| filter.selects(origin, seed, fault, **id));
        for (_, (origin, control)) in selected {
            tracing::debug!(?origin, ?end, "an injected fault ends a watch");
            ended += usize::from(control.send_if_modified(|control| control.end.replace(end).is_none()));
        }
        ended
    }

    pub(super) fn count(&self, filter: &Filter) -> usize {
        self.0.lock().watches.values().filter(|(origin, _)| filter.matches(origin)).count()
    }

    /// Adds an effect; returns its id.
    pub(super) fn add(&self, seed: u64, filter: Filter, effect: Effect) -> u64 {
        let mut open = self.0.lock();
        open.newest += 1;
        let id = open.newest;
        open.effects.insert(id, (filter, effect));
        open.update(seed);
        id
    }

    pub(super) fn release(&self, seed: u64, id: u64) {
        let mut open = self.0.lock();
        open.effects.remove(&id);
        open.update(seed);
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

    /// Tells every watch the effects on it.
    fn update(&self, seed: u64) {
        for (id, (origin, sender)) in &self.watches {
            sender.send_if_modified(|control| {
                let wanted = self.control(seed, *id, origin, control.end);
                std::mem::replace(control, wanted) != wanted
            });
        }
    }
}

/// A watch's side of its faults; dropped with the watch.
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
        let (sender, control) = watch::channel(open.control(shared.seed, id, &origin, None));
        open.watches.insert(id, (origin, sender));
        drop(open);
        Self { shared, id, control }
    }

    /// How a fault has ended the watch, if one has.
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

    /// How long bookmarks are held back.
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
        self.shared.watches.0.lock().watches.remove(&self.id);
    }
}
