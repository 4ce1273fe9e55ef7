//! The reflector: the task that lists and watches, and thus keeps the store equal to the server. It does
//! what the ladder (`state`) says, and tells it what came of it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use http_body_util::BodyExt;
use kube_client::client::Body;
use rand::{SeedableRng, rngs::SmallRng};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};
use trimtab_cache::{Metadata, Object, Replacement};

use crate::{
    Phase, SourceError,
    shared::Shared,
    source::{
        BODY_PATIENCE, Source,
        items::{ItemParser, ListMeta},
        lines::Lines,
        watch::{Undecodable, WatchEvent},
    },
    state::{Ladder, ListRequest, Next, Outcome, Step, WatchRequest},
};

/// A server ends a watch when its time is over. One that has been silent for so long beyond that is gone.
const IDLE_MARGIN: Duration = Duration::from_secs(30);

pub(crate) struct Reflector<T> {
    pub(crate) shared: Arc<Shared<T>>,
    pub(crate) source: Arc<Source>,
    pub(crate) page_size: Option<u32>,
    pub(crate) resync: Option<Duration>,
}

impl<T: Object + DeserializeOwned> Reflector<T> {
    /// Runs for ever; the informer that owns the task aborts it. Between two awaits the store and its
    /// handlers are never half told, so it can be aborted at any of them.
    pub(crate) async fn run(self) {
        let seen = self.shared.store().resource_version();
        let mut ladder = Ladder::new(self.page_size, seen, SmallRng::from_os_rng());
        let mut next = ladder.first();
        loop {
            let Next { wait, step } = next;
            if !wait.is_zero() {
                sleep(wait).await;
            }
            let (outcome, error) = self.take(&step).await;
            let now = Instant::now();
            next = ladder.next(now, outcome);
            if let Some(error) = error {
                self.report(now, error, next.wait);
            }
        }
    }

    /// Takes one step. Should decoding panic, which runs code of the user's, that is a failure like others.
    async fn take(&self, step: &Step) -> (Outcome, Option<SourceError>) {
        match step {
            Step::List(list) => {
                self.shared.enter(Phase::Listing);
                let mut first_page = None;
                let listed = AssertUnwindSafe(self.list(list, &mut first_page))
                    .catch_unwind()
                    .await;
                match listed.unwrap_or_else(|_| Err(SourceError::panicked())) {
                    Ok(version) => (Outcome::Listed { version }, None),
                    Err(error) => {
                        let failure = error.failure();
                        (Outcome::ListFailed { failure, first_page }, Some(error))
                    }
                }
            }
            Step::Watch(watch) => {
                let mut opened = None;
                let before = self.shared.events();
                let ended = AssertUnwindSafe(self.watch(watch, &mut opened))
                    .catch_unwind()
                    .await;
                let mut error = ended.unwrap_or_else(|_| Err(SourceError::panicked())).err();
                let outcome = Outcome::WatchEnded {
                    version: self
                        .shared
                        .store()
                        .resource_version()
                        .unwrap_or_else(|| watch.from.clone()),
                    failure: error.as_ref().map(SourceError::failure),
                    lasted: opened.map_or(Duration::ZERO, |opened: Instant| opened.elapsed()),
                    any_event: self.shared.events() > before,
                };
                if matches!(&outcome, Outcome::WatchEnded { failure: None, lasted, .. } if lasted.as_secs() < 1)
                {
                    error = Some(SourceError::short_watch());
                }
                (outcome, error)
            }
        }
    }

    fn report(&self, now: Instant, error: SourceError, wait: Duration) {
        let informer = &*self.shared.name;
        if error.is_expired() {
            tracing::debug!(informer, %error, "relisting");
        } else {
            let cause = std::error::Error::source(&error);
            tracing::warn!(informer, %error, cause, retry_in = ?wait, "cannot follow the server");
        }
        self.shared.failed(now, error, wait);
    }

    /// Reads a list to its end and puts it in the store; returns its version. `first_page` becomes the
    /// version of the first page, should a later one fail.
    async fn list(&self, list: &ListRequest, first_page: &mut Option<String>) -> Result<String, SourceError> {
        let mut replacement = self.shared.replacement();
        let mut undecodable = Vec::new();
        let mut meta = self.page(list, None, &mut replacement, &mut undecodable).await?;
        if meta.resource_version.is_empty() {
            return Err(SourceError::no_version());
        }
        let version = first_page.insert(meta.resource_version).clone();
        while let Some(token) = meta.token.filter(|token| !token.is_empty()) {
            meta = self
                .page(list, Some(&token), &mut replacement, &mut undecodable)
                .await?;
        }
        self.shared.replace(replacement, undecodable, &version);
        Ok(version)
    }

    async fn page(
        &self,
        list: &ListRequest,
        token: Option<&str>,
        replacement: &mut Replacement<T>,
        undecodable: &mut Vec<Undecodable>,
    ) -> Result<ListMeta, SourceError> {
        let mut body = self.source.list(list, token).await?;
        let mut parser = ItemParser::<T>::new();
        loop {
            match next_chunk(&mut body).await? {
                Some(chunk) => parser.feed(&chunk),
                None => parser.end(),
            }
            while let Some(item) = parser.next().map_err(SourceError::list)? {
                match item {
                    Ok(mut object) if self.is_named(object.metadata().name()) => {
                        object.prune();
                        replacement.apply(object);
                    }
                    Err(wrong) if self.is_named(wrong.key.name()) => {
                        tracing::warn!(informer = &*self.shared.name, key = %wrong.key, error = %wrong.reason, "object cannot be decoded");
                        replacement.keep(&wrong.key); // its last good state, if there was one
                        undecodable.push(wrong);
                    }
                    _ => {}
                }
            }
            if parser.is_done() {
                return Ok(parser.into_meta());
            }
        }
    }

    /// Follows a watch until it ends. `opened` becomes the time at which the server accepted it.
    async fn watch(&self, watch: &WatchRequest, opened: &mut Option<Instant>) -> Result<(), SourceError> {
        let body = self.source.watch(watch).await?;
        opened.replace(Instant::now());
        self.shared.watch_opened();
        let mut lines = Lines::new(body);
        let mut resync = self.resync.map(|period| Instant::now() + period);
        let patience = watch.timeout + IDLE_MARGIN;
        loop {
            let line = tokio::select! {
                // In this order, lest a resync be put off for as long as events keep coming.
                biased;
                () = at(resync) => {
                    self.shared.resync();
                    resync = self.resync.map(|period| Instant::now() + period);
                    continue;
                }
                line = lines.next(patience) => line?,
            };
            let Some(line) = line else { return Ok(()) };
            self.take_event(&line)?;
        }
    }

    /// Without a name it is no object, whatever a lenient type made of it (RE-T7, RE-T29).
    fn is_named(&self, name: &str) -> bool {
        if name.is_empty() {
            tracing::warn!(
                informer = &*self.shared.name,
                "the server sent an object without a name"
            );
        }
        !name.is_empty()
    }

    fn take_event(&self, line: &[u8]) -> Result<(), SourceError> {
        let now = Instant::now();
        match WatchEvent::<T>::decode(line).map_err(SourceError::event)? {
            Ok(WatchEvent::Applied(object)) if self.is_named(object.metadata().name()) => {
                self.shared.apply(now, object);
            }
            Ok(WatchEvent::Deleted(object)) if self.is_named(object.metadata().name()) => {
                self.shared.delete(now, object);
            }
            Ok(WatchEvent::Bookmark(bookmark)) => self.shared.bookmark(now, &bookmark.resource_version),
            Ok(WatchEvent::Error(status)) => return Err(SourceError::within_watch(status)),
            Err(wrong) if self.is_named(wrong.key.name()) => self.shared.undecodable(now, wrong),
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
}

/// The next part of a body; `None` at its end.
async fn next_chunk(body: &mut Body) -> Result<Option<bytes::Bytes>, SourceError> {
    let frame = timeout(BODY_PATIENCE, body.frame())
        .await
        .map_err(|_| SourceError::idle(BODY_PATIENCE))?;
    let frame = frame.transpose().map_err(SourceError::cut)?;
    Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
}

/// Completes at that time; never, if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
