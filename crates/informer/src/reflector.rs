//! The reflector: the task that lists and watches, and thus keeps the store equal to the server. It does
//! what the ladder (`state`) says, and tells it what came of it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use rand::{SeedableRng, rngs::SmallRng};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant, sleep, sleep_until};
use trimtab_cache::{ManagedFields, Metadata, Object};

use crate::{
    Phase, SourceError,
    filling::{Filling, is_named},
    shared::Shared,
    source::{
        BODY_PATIENCE, Source,
        items::{ItemParser, ListMeta},
        lines::Lines,
        watch::WatchEvent,
    },
    state::{Ladder, ListRequest, Next, Outcome, Step, StreamRequest, WatchRequest},
};

/// A server sends a bookmark about once a minute. A watch that was silent for so long may be a connection
/// that is dead without a word; asking anew costs little, and finds out.
const SILENCE: Duration = Duration::from_secs(70);

/// A streaming list on which nothing more comes for so long, and which was not said to be complete, comes
/// from a server that knows no streaming lists, and took the request for one of a watch: one before
/// Kubernetes 1.27, many an aggregated API, and some proxies.
const STALL: Duration = Duration::from_secs(10);
/// The same, where events of a busy kind keep coming: so long altogether,
const STALL_TOTAL: Duration = Duration::from_secs(60);
/// and so much longer for each object.
const STALL_EACH: Duration = Duration::from_millis(1);

pub(crate) struct Reflector<T> {
    pub(crate) shared: Arc<Shared<T>>,
    pub(crate) source: Arc<Source>,
    pub(crate) streaming_lists: bool,
    pub(crate) page_size: Option<u32>,
    pub(crate) resync: Option<Duration>,
    pub(crate) managed_fields: ManagedFields,
}

impl<T: Object + DeserializeOwned> Reflector<T> {
    /// Runs for ever; the informer that owns the task aborts it. Between two awaits the store and its
    /// handlers are never half told, so it can be aborted at any of them.
    pub(crate) async fn run(self) {
        let seen = self.shared.store().resource_version();
        let mut ladder = Ladder::new(self.streaming_lists, self.page_size, seen, SmallRng::from_os_rng());
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

    /// Takes one step. Should it panic in code of the user's, such as a view's, that is a failure like others.
    async fn take(&self, step: &Step) -> (Outcome, Option<SourceError>) {
        match step {
            Step::List(list) => {
                self.shared.enter(Phase::Listing);
                let mut first_page = None;
                let listed = AssertUnwindSafe(self.list(list, &mut first_page)).catch_unwind().await;
                match listed.unwrap_or_else(|_| Err(SourceError::panicked())) {
                    Ok(version) => (Outcome::Listed { version }, None),
                    Err(error) => {
                        let failure = error.failure();
                        (Outcome::ListFailed { failure, first_page }, Some(error))
                    }
                }
            }
            Step::Stream(stream) => {
                self.shared.enter(Phase::Listing);
                let mut opened = Opened::default();
                let ended = AssertUnwindSafe(self.stream(stream, &mut opened)).catch_unwind().await;
                let ended = ended.unwrap_or_else(|_| Err(SourceError::panicked()));
                if opened.at.is_some() {
                    return self.watch_ended(&opened, ended);
                }
                let error = ended.err().unwrap_or_else(SourceError::ended_early);
                (Outcome::StreamFailed { failure: error.failure() }, Some(error))
            }
            Step::Watch(watch) => {
                let mut opened = Opened::default();
                let ended = AssertUnwindSafe(self.watch(watch, &mut opened)).catch_unwind().await;
                self.watch_ended(&opened, ended.unwrap_or_else(|_| Err(SourceError::panicked())))
            }
        }
    }

    fn watch_ended(&self, opened: &Opened, ended: Result<(), SourceError>) -> (Outcome, Option<SourceError>) {
        let lasted = opened.at.map_or(Duration::ZERO, |at| at.elapsed());
        let failure = ended.as_ref().err().map(SourceError::failure);
        let outcome = Outcome::WatchEnded {
            version: self.shared.store().resource_version().unwrap_or_default(),
            failure,
            lasted,
            any_event: opened.at.is_some() && self.shared.events() > opened.events_before,
        };
        let short = failure.is_none() && lasted.as_secs() < 1;
        (outcome, ended.err().or_else(|| short.then(SourceError::short_watch)))
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
        let mut filling = self.shared.filling();
        let mut meta = self.page(list, None, &mut filling).await?;
        if meta.resource_version.is_empty() {
            return Err(SourceError::no_version());
        }
        let version = first_page.insert(meta.resource_version).clone();
        while let Some(token) = meta.token.filter(|token| !token.is_empty()) {
            meta = self.page(list, Some(&token), &mut filling).await?;
        }
        self.shared.replace(filling, &version);
        Ok(version)
    }

    async fn page(
        &self,
        list: &ListRequest,
        token: Option<&str>,
        filling: &mut Filling<T>,
    ) -> Result<ListMeta, SourceError> {
        let mut body = self.source.list(list, token).await?;
        let mut parser = ItemParser::<T>::new(self.managed_fields);
        while !parser.is_done() {
            match body.next(BODY_PATIENCE).await? {
                Some(chunk) => parser.feed(&chunk),
                None => parser.end(),
            }
            while let Some(item) = parser.next().map_err(SourceError::list)? {
                filling.take(item);
            }
        }
        Ok(parser.into_meta())
    }

    /// Reads a streaming list, puts it in the store and follows the watch that it becomes. `opened` tells
    /// when that was; until then nothing of it is in the store.
    async fn stream(&self, stream: &StreamRequest, opened: &mut Opened) -> Result<(), SourceError> {
        let mut lines = Lines::new(self.source.stream(stream).await?);
        let begun = Instant::now();
        let mut filling = self.shared.filling();
        loop {
            let objects = u32::try_from(filling.len()).unwrap_or(u32::MAX);
            let stalled = begun.elapsed() > STALL_TOTAL + STALL_EACH * objects;
            let line = match lines.next(STALL).await {
                Ok(Some(line)) if !stalled => line,
                Ok(None) => return Err(SourceError::ended_early()),
                Err(error) if !error.is_idle() => return Err(error),
                Ok(Some(_)) | Err(_) => return Err(SourceError::ignored(filling.len())),
            };
            match WatchEvent::decode(&line, self.managed_fields).map_err(SourceError::event)? {
                Ok(WatchEvent::Applied(object)) => filling.take(Ok(object)),
                Ok(WatchEvent::Deleted(object)) => filling.remove(&object.key()),
                Ok(WatchEvent::Bookmark(bookmark)) if bookmark.ends_initial_events() => {
                    self.shared.replace(filling, &bookmark.resource_version);
                    break;
                }
                Ok(WatchEvent::Error(status)) => return Err(SourceError::within_watch(status)),
                Ok(WatchEvent::Bookmark(_) | WatchEvent::Unknown) => {}
                Err(wrong) => filling.take(Err(wrong)),
            }
        }
        self.follow(lines, opened).await
    }

    /// Follows a watch until it ends. `opened` tells when the server accepted it.
    async fn watch(&self, watch: &WatchRequest, opened: &mut Opened) -> Result<(), SourceError> {
        let lines = Lines::new(self.source.watch(watch).await?);
        self.follow(lines, opened).await
    }

    async fn follow(&self, mut lines: Lines, opened: &mut Opened) -> Result<(), SourceError> {
        *opened = Opened { at: Some(Instant::now()), events_before: self.shared.events() };
        self.shared.watch_opened();
        let mut resync = self.resync.map(|period| Instant::now() + period);
        loop {
            let line = tokio::select! {
                // In this order, lest a resync be put off for as long as events keep coming.
                biased;
                () = at(resync) => {
                    self.shared.resync();
                    resync = self.resync.map(|period| Instant::now() + period);
                    continue;
                }
                line = lines.next(SILENCE) => line.map_err(SourceError::of_watch)?,
            };
            let Some(line) = line else { return Ok(()) };
            self.take_event(&line)?;
        }
    }

    fn take_event(&self, line: &[u8]) -> Result<(), SourceError> {
        let (now, informer) = (Instant::now(), &*self.shared.name);
        match WatchEvent::<T>::decode(line, self.managed_fields).map_err(SourceError::event)? {
            Ok(WatchEvent::Applied(object)) if is_named(informer, object.metadata().name()) => {
                self.shared.apply(now, object);
            }
            Ok(WatchEvent::Deleted(object)) if is_named(informer, object.metadata().name()) => {
                self.shared.delete(now, object);
            }
            Ok(WatchEvent::Bookmark(bookmark)) => self.shared.bookmark(now, &bookmark.resource_version),
            Ok(WatchEvent::Error(status)) => return Err(SourceError::within_watch(status)),
            Err(wrong) if is_named(informer, wrong.key.name()) => self.shared.undecodable(now, wrong),
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }
}

/// When a watch was accepted, and how many events there were before.
#[derive(Default)]
struct Opened {
    at: Option<Instant>,
    events_before: u64,
}

/// Completes at that time; never, if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
