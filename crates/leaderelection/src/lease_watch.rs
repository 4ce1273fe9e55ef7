//! [`LeaseWatch`]: the watch of a follower, and when to open it again. Polls go on without it.

use std::{future::pending, time::Duration};

use futures_util::StreamExt;

use crate::{
    clock::Moment,
    lease::{Change, Changes, Reason, RequestError, is_later_version},
    lease_watcher::{self, Followed, Renewal},
};

/// The longest time between two attempts to open a watch that fails.
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// The watch of one follower.
///
/// A watch only brings news earlier than the next poll. One that fails, hangs or lags delays nothing: polls that find
/// something new show that it is behind, and it is closed.
pub(crate) struct LeaseWatch {
    open: Option<Open>,
    /// When it may be opened again.
    due: Moment,
    first_backoff: Duration,
    /// The number of consecutive failures.
    failures: u32,
    /// Why it failed last, so that the log says it once.
    failing: Option<Option<Reason>>,
}

struct Open {
    source: Source,
    /// The newest version that it has shown, or that it was opened with.
    version: String,
    /// Whether it has shown anything.
    proven: bool,
    opened: Moment,
}

/// Where the changes come from.
pub(crate) enum Source {
    /// A watch of this Lease alone.
    Own(Changes),
    /// The watch of a [`LeaseWatcher`](crate::LeaseWatcher).
    Shared(Followed),
}

/// How a watch failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchFailure {
    #[error(transparent)]
    Error(RequestError),
    #[error("the watch has not shown a change that a read has found")]
    Behind,
    #[error("the server ended the watch before the first event")]
    Empty,
}

impl WatchFailure {
    /// Returns the kind of error, by which the log tells a new failure from a known one.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Error(error) => Some(error.reason()),
            Self::Behind | Self::Empty => None,
        }
    }
}

impl From<RequestError> for WatchFailure {
    fn from(error: RequestError) -> Self {
        Self::Error(error)
    }
}

/// What a watch says.
#[derive(Debug)]
pub(crate) enum News {
    Change(Change),
    /// The shared watch has shown nothing for some time, or has ended: the Lease is to be polled.
    Silence,
    /// The server has ended the watch, as it does after some minutes.
    Ended,
    Failed(WatchFailure),
}

impl LeaseWatch {
    /// A closed watch. The first failure closes it for `first_backoff`; each further one for twice as long.
    pub(crate) fn new(first_backoff: Duration) -> Self {
        Self { open: None, due: Moment(0), first_backoff, failures: 0, failing: None }
    }

    pub(crate) fn is_due(&self, now: Moment) -> bool {
        self.open.is_none() && now >= self.due
    }

    /// Opens it: it shows the changes after `version`.
    pub(crate) fn open(&mut self, now: Moment, version: &str, source: Source) {
        self.open = Some(Open { source, version: version.to_owned(), proven: false, opened: now });
    }

    /// Closes it after its end. It can be opened again at once, unless the server ends each watch at once: then the
    /// failure is returned.
    pub(crate) fn ended(&mut self, now: Moment) -> Option<WatchFailure> {
        let open = self.open.take()?;
        let is_empty = !open.proven && now.since(open.opened) < self.first_backoff;
        is_empty.then_some(WatchFailure::Empty)
    }

    /// Whether it has not shown the state that a poll has found.
    pub(crate) fn is_behind(&self, found: &str) -> bool {
        self.open.as_ref().is_some_and(|open| is_later_version(found, &open.version))
    }

    /// Whether silence is [news](News::Silence): then nobody need poll to notice it.
    pub(crate) fn tells_of_silence(&self) -> bool {
        matches!(&self.open, Some(Open { source: Source::Shared(followed), .. }) if followed.is_watched())
    }

    /// Takes the newest renewal that was heard and is no news.
    pub(crate) fn take_renewal(&mut self) -> Option<Renewal> {
        let open = self.open.as_mut()?;
        let Source::Shared(followed) = &open.source else { return None };
        let renewal = followed.take_renewal()?;
        if is_later_version(&renewal.version, &open.version) {
            (*renewal.version).clone_into(&mut open.version);
        }
        (self.failures, self.failing) = (0, None);
        Some(renewal)
    }

    /// Waits for the next change; for ever while it is closed.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped early has taken no change.
    pub(crate) async fn next(&mut self) -> News {
        let Some(open) = &mut self.open else { return pending().await };
        let change = match &mut open.source {
            Source::Own(changes) => match changes.next().await {
                Some(Ok(change)) => change,
                Some(Err(error)) => return News::Failed(WatchFailure::Error(error)),
                None => return News::Ended,
            },
            Source::Shared(followed) => match followed.next().await {
                lease_watcher::News::Change(change) => change,
                lease_watcher::News::Silence => return News::Silence,
            },
        };
        if let Change::Written(lease) = &change
            && let Some(version) = lease.version()
        {
            version.clone_into(&mut open.version);
        }
        open.proven = true;
        (self.failures, self.failing) = (0, None);
        News::Change(change)
    }

    /// Closes it for a while. Returns whether this failure is another one than the last.
    pub(crate) fn fail(&mut self, now: Moment, failure: &WatchFailure) -> bool {
        self.open = None;
        let factor = 2_u32.saturating_pow(self.failures.min(16));
        self.due = now.plus(self.first_backoff.saturating_mul(factor).min(LONGEST_BACKOFF));
        self.failures += 1;
        self.failing.replace(failure.reason()) != Some(failure.reason())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::lease::Record;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: Moment = Moment(1 << 50);

    fn lease(version: &str) -> Record {
        let json = format!(r#"{{"kind": "Lease", "metadata": {{"resourceVersion": "{version}"}}}}"#);
        Record::parse(&json).expect("a Lease")
    }

    fn watch() -> LeaseWatch {
        let mut watch = LeaseWatch::new(SECOND * 2);
        assert!(watch.is_due(NOW));
        watch.open(NOW, "10", Source::Own(Box::pin(stream::empty())));
        watch
    }

    #[test]
    fn each_failure_closes_it_for_twice_as_long_and_a_minute_at_most() {
        let mut watch = watch();
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            watch.fail(NOW, &WatchFailure::Behind);
            assert!(!watch.is_due(NOW.plus(SECOND * seconds - Duration::from_nanos(1))));
            assert!(watch.is_due(NOW.plus(SECOND * seconds)));
        }
    }

    #[test]
    fn a_failure_is_news_unless_it_is_like_the_last_one() {
        let mut watch = watch();
        assert!(watch.fail(NOW, &WatchFailure::Behind));
        assert!(!watch.fail(NOW, &WatchFailure::Behind));
        assert!(watch.fail(NOW, &WatchFailure::Error(RequestError::Timeout(SECOND))));
        assert!(!watch.fail(NOW, &WatchFailure::Error(RequestError::Timeout(SECOND))));
    }

    #[test]
    fn a_read_of_a_later_version_shows_that_it_is_behind() {
        let watch = watch();
        assert!(!watch.is_behind("9") && !watch.is_behind("10"));
        assert!(watch.is_behind("11"));
    }

    /// A server that ends each watch at once must not be asked again at once.
    #[test]
    fn a_watch_that_ends_at_once_and_empty_has_failed() {
        assert!(watch().ended(NOW.plus(SECOND)).is_some());
        assert!(watch().ended(NOW.plus(SECOND * 2)).is_none(), "it has lasted");
        let mut watch = watch();
        let change = Ok(Change::Written(lease("11").into()));
        watch.open(NOW, "10", Source::Own(Box::pin(stream::iter([change]))));
        let shown = futures_util::FutureExt::now_or_never(watch.next());
        assert!(matches!(shown, Some(News::Change(_))));
        assert!(!watch.is_behind("11"));
        assert!(watch.ended(NOW).is_none(), "it has shown something");
    }
}
