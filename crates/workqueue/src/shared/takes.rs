//! The takes: of one key or of many, by a worker that slept or that did not.

use super::{ClockRead, Shared};
use crate::{
    slot_id::SlotId,
    state::{Take, Taken},
    time::Time,
    waiters::Ticket,
};

impl<K: Clone> Shared<K> {
    /// Takes a ready key for a worker that may have slept.
    #[inline]
    pub(crate) fn take(&self, ticket: &mut Option<Ticket>) -> Take<K> {
        let (take, unused) = self.locked(ClockRead::IfDelayed, |guarded, now| {
            let take = guarded.state.take(now);
            let leaves = match take {
                Take::Wait => None,
                Take::Key(_) | Take::ShutDown => ticket.take(),
            };
            (take, leaves.and_then(|ticket| guarded.workers.leave(ticket)))
        });
        drop(unused); // dropping a waker runs user code, so no lock may be held
        self.report_taken(&take);
        take
    }

    /// Takes a ready key for a worker that has not slept.
    #[inline]
    pub(crate) fn take_now(&self) -> Take<K> {
        let mut guarded = self.guarded.0.lock_after(Self::PAUSES);
        if self.is_quiet_and_received(&guarded) && guarded.state.delayed() == 0 {
            return guarded.state.take(Time::ZERO);
        }
        let take = self.locked_by(guarded, ClockRead::IfDelayed, |guarded, now| guarded.state.take(now));
        self.report_taken(&take);
        take
    }

    /// Completes a key and takes a ready one, in one step.
    #[inline]
    pub(crate) fn done_and_take(&self, slot: SlotId) -> Take<K> {
        let mut guarded = self.guarded.0.lock_after(Self::PAUSES);
        if self.is_quiet_and_received(&guarded)
            && guarded.state.delayed() == 0
            && !guarded.state.is_shutting_down()
        {
            let done = guarded.state.done(slot, Time::ZERO);
            let take = guarded.state.take(Time::ZERO);
            drop(guarded);
            drop(done); // runs the user's `Drop`, so no lock may be held
            return take;
        }
        let (done, take) = self.locked_by(guarded, ClockRead::IfDelayed, |guarded, now| {
            (guarded.state.done(slot, now), guarded.state.take(now))
        });
        self.report_done(done);
        self.report_taken(&take);
        take
    }

    #[inline]
    fn report_taken(&self, take: &Take<K>) {
        if let (Take::Key(taken), Some(metrics)) = (take, &self.metrics) {
            metrics.record_taken(taken.waited.into());
        }
    }

    /// Takes all ready keys, at most `room`.
    pub(crate) fn take_many(&self, room: usize) -> Vec<Taken<K>> {
        let keys: Vec<_> = self.with_state(ClockRead::IfDelayed, |state, now| {
            let next = || match state.take(now) {
                Take::Key(taken) => Some(taken),
                Take::Wait | Take::ShutDown => None,
            };
            std::iter::from_fn(next).take(room).collect()
        });
        if let Some(metrics) = &self.metrics {
            keys.iter().for_each(|taken| metrics.record_taken(taken.waited.into()));
        }
        keys
    }
}
