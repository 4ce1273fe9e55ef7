//! The status of an informer: phases, failures and versions, as the reflectors report them.

use std::sync::Arc;

use tokio::time::{Duration, Instant};
use trimtab_cache::{Object, ObjectKey};

use super::{Held, Progress, Shared};
use crate::{
    error::InformerError,
    source::error::SourceError,
    status::{Phase, Status},
};

impl<T: Object> Shared<T> {
    pub(crate) fn status(&self, bytes: u64) -> Status {
        let now = Instant::now();
        let inner = self.inner.lock();
        let mut status = Status::of(&inner.records, now);
        if let [source] = &mut status.sources[..] {
            source.resource_version = self.store.resource_version().and_then(|version| version.parse().ok());
        }
        status.bytes = bytes;
        status.objects = self.store.len();
        let undecodable = self.store.undecodable().into_iter();
        status.undecodable = undecodable.map(|one| (one.key().clone(), one.reason().to_owned())).collect();
        status.malformed = inner.malformed;
        status.audits = inner.audits;
        status
    }

    /// Returns the number of events that the server has sent for a source.
    pub(crate) fn events(&self, source: usize) -> u64 {
        self.inner.lock().records[source].events
    }

    /// Returns the version up to which the store holds a source, as the server wrote it.
    pub(crate) fn version(&self, source: usize) -> Option<String> {
        let inner = self.inner.lock();
        match &inner.versions {
            None => self.store.resource_version(),
            Some(_) => inner.records[source].version.clone(),
        }
    }

    /// Returns the store's objects of a source, all at one version; `None` before the first list.
    pub(crate) fn held(&self, source: usize) -> Option<Held<T>> {
        let inner = self.inner.lock();
        let record = &inner.records[source];
        let status = &record.status;
        let version = match &inner.versions {
            None => self.store.resource_version(),
            Some(_) => record.version.clone(),
        };
        Some(Held {
            version: version.filter(|_| status.synced)?,
            objects: self.store.in_namespace(status.namespace.as_deref().unwrap_or_default()),
            undecodable: self.store.undecodable().iter().map(|one| one.key().clone()).collect(),
        })
    }

    pub(crate) fn audited(&self) {
        self.inner.lock().audits += 1;
    }

    pub(crate) fn enter(&self, source: usize, phase: Phase) {
        self.inner.lock().records[source].status.phase = phase;
    }

    pub(crate) fn watch_opened(&self, source: usize) {
        let mut inner = self.inner.lock();
        let record = &mut inner.records[source];
        record.status.phase = Phase::Watching;
        record.watches += 1;
        record.status.failing_since = None;
    }

    /// Records and reports a failure. The next attempt follows after `retry_in`.
    pub(crate) fn failed(&self, source: usize, now: Instant, error: SourceError, retry_in: Duration) {
        let error = Arc::new(error);
        let (namespace, is_repeated) = {
            let mut inner = self.inner.lock();
            let record = &mut inner.records[source];
            let is_repeated = record.is_failing_with(&error);
            record.note_failure(now, error.clone(), now + retry_in);
            (record.status.namespace.clone(), is_repeated)
        };
        if let Some(metrics) = &self.metrics {
            metrics.failed();
        }
        self.reporter.report_repeated(&InformerError::Source { namespace, error, retry_in }, is_repeated);
    }

    pub(crate) fn started(&self) {
        self.unstarted.started();
        self.progress.send_if_modified(|progress| {
            let stopped = *progress == Progress::Stopped;
            *progress = if stopped { Progress::Waiting } else { *progress };
            stopped
        });
    }

    pub(crate) fn stopped(&self) {
        self.inner.lock().records.iter_mut().for_each(|record| record.status.phase = Phase::Stopped);
        self.progress.send_if_modified(|progress| {
            let waiting = *progress == Progress::Waiting;
            *progress = if waiting { Progress::Stopped } else { *progress };
            waiting
        });
    }

    /// Returns whether the newest state of an object could not be decoded, so that the store's state is older.
    pub(crate) fn is_outdated(&self, key: &ObjectKey) -> bool {
        self.store.get_undecodable(key).is_some()
    }
}
