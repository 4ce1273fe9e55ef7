//! The wait between two attempts of a follower: for the next poll, or for what a watch shows.

use std::time::Duration;

use tracing::{debug, warn};

use super::Candidate;
use crate::{
    clock::Moment,
    config::JITTER,
    lease::Change,
    lease_watch::{LeaseWatch, News, Source, WatchFailure},
};

impl Candidate {
    /// Waits for the time of the next attempt: for `pause`, or until the Lease expires or is released, if that is
    /// known. `spread` keeps candidates that learn of the same event apart.
    pub(super) async fn rest(&self, pause: Duration, spread: Duration, watch: &mut LeaseWatch) {
        let mut poll = self.timer.now().plus(pause);
        loop {
            self.tend(watch);
            let next = self.next_attempt(poll, spread);
            let Some(news) = self.timer.timeout_at(next, watch.next()).await else {
                if !self.hear_renewal(watch) {
                    return;
                }
                poll = self.poll_after_news(watch, spread);
                continue;
            };
            match news {
                News::Change(Change::Written(lease)) => {
                    self.note(|election| election.heard(lease, self.timer.now()));
                    if self.shared.election.lock().is_free() {
                        return self.timer.sleep(spread).await;
                    }
                    poll = self.poll_after_news(watch, spread);
                }
                News::Change(Change::Deleted) => return self.timer.sleep(spread).await,
                News::Silence => {
                    self.hear_renewal(watch);
                    poll = self.poll_in_silence();
                }
                News::Ended => {
                    if let Some(failure) = watch.ended(self.timer.now()) {
                        self.watch_failed(watch, &failure);
                    }
                }
                News::Failed(failure) => self.watch_failed(watch, &failure),
            }
            if self.timer.now() >= next {
                return; // however many events there are
            }
        }
    }

    /// Takes note of a renewal that was heard and woke nobody. Returns whether there was one.
    fn hear_renewal(&self, watch: &mut LeaseWatch) -> bool {
        let renewal = watch.take_renewal();
        renewal.is_some_and(|renewal| self.shared.election.lock().renewed(renewal))
    }

    /// Returns the time of the next poll after the watch has shown a change. It works, so a poll would find nothing new.
    fn poll_after_news(&self, watch: &LeaseWatch, spread: Duration) -> Moment {
        let expiry = self.shared.election.lock().expires_at();
        match expiry.filter(|_| watch.tells_of_silence()) {
            Some(expiry) => expiry.plus(spread),
            None => self.timer.now().plus(self.silence()),
        }
    }

    /// Returns the time of the next poll if no change is heard of any more.
    fn poll_in_silence(&self) -> Moment {
        let changed = self.shared.election.lock().changed_at();
        changed.unwrap_or_else(|| self.timer.now()).plus(self.silence())
    }

    /// Returns the time without a change after which a watching candidate polls: the longest time between two polls
    /// without a watch.
    fn silence(&self) -> Duration {
        self.config.retry_period.mul_f64(1.0 + JITTER)
    }

    /// Opens the watch if it is wanted and due, and closes one that is behind.
    fn tend(&self, watch: &mut LeaseWatch) {
        if !self.config.watch {
            return;
        }
        self.hear_renewal(watch); // or the watch would seem to be behind
        let election = self.shared.election.lock();
        let (Some(known), version) = (election.lease().cloned(), election.version().map(ToOwned::to_owned))
        else {
            return;
        };
        drop(election);
        let Some(version) = version else { return };
        if watch.is_behind(&version) {
            self.lease.watch_is_behind();
            self.watch_failed(watch, &WatchFailure::Behind);
        }
        if watch.is_due(self.timer.now()) {
            let source = match self.lease.follow(&known, self.silence()) {
                Some(followed) => Source::Shared(followed),
                None => Source::Own(self.lease.watch(&version)),
            };
            watch.open(self.timer.now(), &version, source);
        }
    }

    fn watch_failed(&self, watch: &mut LeaseWatch, failure: &WatchFailure) {
        let (lease, identity) = (&self.shared.lease, &self.shared.identity);
        // A watcher that electors share has its own line.
        let is_known = !watch.fail(self.timer.now(), failure) || self.config.watcher.is_some();
        let error = failure as &dyn std::error::Error;
        if is_known {
            debug!(lease, identity, error, "watching the Lease failed: it is polled");
        } else {
            warn!(lease, identity, error, "watching the Lease failed: it is polled");
        }
    }

    /// Returns the time of the next attempt: `poll`, or shortly after the expiry of the Lease if that is wanted.
    fn next_attempt(&self, poll: Moment, spread: Duration) -> Moment {
        let wakes = self.config.wake_at_expiry || self.config.watch;
        let expiry = self.shared.election.lock().expires_at().filter(|_| wakes);
        // One that has passed was tried at: the Lease is not ours to take.
        let wake = expiry.map(|expiry| expiry.plus(spread)).filter(|wake| *wake > self.timer.now());
        wake.map_or(poll, |wake| poll.min(wake))
    }
}
