//! [`Slot`]: what the watcher leaves for one elector; [`Followed`]: the elector's end of it.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::LeaseWatcher;
use crate::{
    clock::{Moment, Timer},
    lease::{Change, Record},
};

/// The newest that the watch has shown of a Lease, for one elector.
///
/// A renewal wakes nobody: the elector finds it when the Lease would have expired. So a thousand followers cost
/// little more than the events that the watch brings.
pub(super) struct Slot {
    timer: Timer,
    /// The time without an event after which the elector polls, by tokio's clock.
    silence: Duration,
    heard: Mutex<Heard>,
}

struct Heard {
    /// The last state that was news.
    state: Option<Arc<Record>>,
    /// The last renewal of that state which the elector has not taken.
    renewal: Option<Renewal>,
    news: Option<News>,
    /// The time of the last event, or of the last word of silence.
    last: Instant,
    waker: Option<Waker>,
}

/// The reason for which an elector is woken.
#[derive(Debug)]
pub(crate) enum News {
    /// The Lease was deleted, or changed otherwise than by a renewal.
    Change(Change),
    /// The watch has shown nothing for some time, or watches no more: the elector polls.
    Silence,
}

/// A later state of a Lease that differs in nothing but `renewTime` and the resource version.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) state: Arc<Record>,
    pub(crate) version: Box<str>,
    /// A moment after the event came.
    pub(crate) at: Moment,
}

impl Slot {
    /// An elector that knows `known` follows the Lease.
    pub(super) fn new(known: Arc<Record>, timer: Timer, silence: Duration) -> Self {
        let silence = timer.of_tokio(silence);
        let heard =
            Heard { state: Some(known), renewal: None, news: None, last: Instant::now(), waker: None };
        Self { timer, silence, heard: Mutex::new(heard) }
    }

    /// The Lease was written.
    pub(super) fn written(&self, record: &Arc<Record>) {
        let mut heard = self.heard.lock();
        heard.last = Instant::now();
        match (&heard.state, record.version()) {
            (Some(known), Some(version)) if record.is_renewal_of(known) => {
                let at = self.timer.now();
                heard.renewal = Some(Renewal { state: Arc::clone(known), version: version.into(), at });
            }
            _ => {
                heard.state = Some(Arc::clone(record));
                heard.wake(News::Change(Change::Written(Arc::clone(record))));
            }
        }
    }

    /// The Lease was deleted.
    pub(super) fn deleted(&self) {
        let mut heard = self.heard.lock();
        heard.last = Instant::now();
        if heard.state.take().is_some() {
            heard.wake(News::Change(Change::Deleted));
        }
    }

    /// The watch has ended, and may be opened again.
    pub(super) fn ended(&self) {
        self.heard.lock().wake_for_silence(Instant::now());
    }

    /// Wakes the elector if there was no event for long.
    pub(super) fn tick(&self, now: Instant) {
        let mut heard = self.heard.lock();
        if now.saturating_duration_since(heard.last) >= self.silence {
            heard.wake_for_silence(now);
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<News> {
        let mut heard = self.heard.lock();
        if let Some(news) = heard.news.take() {
            return Poll::Ready(news);
        }
        heard.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Heard {
    /// Later news takes the place of earlier news, as only the newest state counts.
    fn wake(&mut self, news: News) {
        (self.news, self.renewal) = (Some(news), None);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn wake_for_silence(&mut self, now: Instant) {
        self.last = now;
        if self.news.is_none() {
            self.news = Some(News::Silence);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }
}

/// One elector's end of the watch. The watcher forgets it when it is dropped.
pub(crate) struct Followed {
    watcher: LeaseWatcher,
    name: Box<str>,
    slot: Arc<Slot>,
}

impl Followed {
    pub(super) fn new(watcher: LeaseWatcher, name: &str, slot: Arc<Slot>) -> Self {
        Self { watcher, name: name.into(), slot }
    }

    /// Waits for news. Renewals are none.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped early has taken nothing.
    pub(crate) async fn next(&self) -> News {
        poll_fn(|context| self.slot.poll(context)).await
    }

    /// Takes the newest renewal of the state that was news last.
    pub(crate) fn take_renewal(&self) -> Option<Renewal> {
        self.slot.heard.lock().renewal.take()
    }

    /// Whether a Lease that is silent is looked after: its elector is woken.
    pub(crate) fn is_watched(&self) -> bool {
        self.watcher.is_watching()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.watcher.forget(&self.name, &self.slot);
    }
}
