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
}

/// The open watches, by the order in which they were opened, and the lags that are in force.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    newest: u64,
    watches: BTreeMap<u64, (Origin, watch::Sender<Control>)>,
    lags: BTreeMap<u64, (Filter, Duration)>,
}

impl Watches {
    pub(super) fn end(&self, filter: &Filter, end: End) -> usize {
        let mut ended = 0;
        for (origin, control) in self
            .0
            .lock()
            .watches
            .values()
            .filter(|(origin, _)| filter.matches(origin))
        {
            tracing::debug!(?origin, ?end, "a lever ends a watch");
            ended += usize::from(control.send_if_modified(|control| control.end.replace(end).is_none()));
        }
        ended
    }

    pub(super) fn count(&self, filter: &Filter) -> usize {
        self.0
            .lock()
            .watches
            .values()
            .filter(|(origin, _)| filter.matches(origin))
            .count()
    }

    /// Slows matching watches; returns the lag's id.
    pub(super) fn slow(&self, filter: Filter, lag: Duration) -> u64 {
        let mut open = self.0.lock();
        open.newest += 1;
        let id = open.newest;
        open.lags.insert(id, (filter, lag));
        open.apply_lags();
        id
    }

    pub(super) fn release(&self, id: u64) {
        let mut open = self.0.lock();
        open.lags.remove(&id);
        open.apply_lags();
    }
}

impl Open {
    /// The longest of the lags that meet a watch.
    fn lag(&self, origin: &Origin) -> Duration {
        let lags = self.lags.values().filter(|(filter, _)| filter.matches(origin));
        lags.map(|(_, lag)| *lag).max().unwrap_or_default()
    }

    fn apply_lags(&self) {
        for (origin, control) in self.watches.values() {
            let lag = self.lag(origin);
            control.send_if_modified(|control| std::mem::replace(&mut control.lag, lag) != lag);
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
        let (sender, control) = watch::channel(Control {
            end: None,
            lag: open.lag(&origin),
        });
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
