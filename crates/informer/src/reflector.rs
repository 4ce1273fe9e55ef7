//! The reflector: lists and watches one source, and thus keeps its part of the store equal to the server. It
//! does what the ladder (`state`) says, and tells it what came of it.

use std::{future::pending, panic::AssertUnwindSafe, pin::pin, sync::Arc};

use futures_util::FutureExt;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant, sleep, sleep_until};
use trimtab_cache::{ManagedFields, Object, ResourceVersion};

use crate::{
    Inconsistency, InformerError, Phase, SourceError,
    audit::audit,
    relist_buffer::{RelistBuffer, is_wanted},
    shared::Shared,
    source::{
        BODY_PATIENCE, Source,
        items::{ItemParser, ListMeta},
        lines::Lines,
        watch::{Undecodable, WatchEvent},
    },
    state::{ListRequest, ListWatchState, Next, Outcome, Step, StreamRequest, WatchRequest},
};

/// A server sends a bookmark about once a minute, unless its version has not moved. A watch that was silent for
/// so long may be a connection that is dead without a word; asking anew costs little, and finds out.
const SILENCE: Duration = Duration::from_secs(70);

/// A streaming list on which nothing more comes for so long, and which was not said to be complete, comes
/// from a server that knows no streaming lists, and took the request for one of a watch: one before
/// Kubernetes 1.27, many an aggregated API, and some proxies.
const STALL: Duration = Duration::from_secs(10);
/// The same, where events of a busy kind keep coming: so long altogether,
const STALL_TOTAL: Duration = Duration::from_secs(60);
/// and so much longer for each object.
const STALL_EACH: Duration = Duration::from_millis(1);

/// How sources are listed and watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReflectorConfig {
    pub(crate) streaming_lists: bool,
    pub(crate) page_size: Option<u32>,
    pub(crate) audit: Option<Duration>,
    pub(crate) managed_fields: ManagedFields,
    /// Seeds the jitter; `None` for a seed of the machine's.
    pub(crate) seed: Option<u64>,
}

pub(crate) struct Reflector<T> {
    shared: Arc<Shared<T>>,
    source: Arc<Source>,
    /// Of the source, among the informer's.
    number: usize,
    config: ReflectorConfig,
    next_audit: Option<Instant>,
    rng: SmallRng,
}

impl<T: Object + DeserializeOwned> Reflector<T> {
    pub(crate) fn new(
        shared: Arc<Shared<T>>,
        source: Arc<Source>,
        number: usize,
        config: ReflectorConfig,
    ) -> Self {
        // Sources of one informer must not reconnect in step.
        let of_source = |seed: u64| SmallRng::seed_from_u64(seed.wrapping_add(number as u64));
        let rng = config.seed.map_or_else(SmallRng::from_os_rng, of_source);
        Self { shared, source, number, config, next_audit: None, rng }
    }

    /// Runs for ever; the informer that owns the task aborts it. Between two awaits the store and its
    /// handlers are never half told, so it can be aborted at any of them.
    pub(crate) async fn run(mut self) {
        let ReflectorConfig { streaming_lists, page_size, .. } = self.config;
        let seen = self.shared.version(self.number);
        let mut state =
            ListWatchState::new(streaming_lists, page_size, seen, SmallRng::from_rng(&mut self.rng));
        self.plan_audit();
        let mut next = state.first();
        loop {
            let Next { wait, step } = next;
            if !wait.is_zero() {
                sleep(wait).await;
            }
            let (outcome, error) = self.take(&step).await;
            let now = Instant::now();
            next = state.next(now, outcome);
            match error {
                Some(error) if error.is_silence() => {
                    tracing::debug!(informer = &*self.shared.reporter.name, %error, "asking anew");
                }
                Some(error) => self.shared.failed(self.number, now, error, next.wait),
                None => {}
            }
        }
    }

    /// Takes one step. Should it panic in code of the user's, such as a view's, that is a failure like others.
    async fn take(&mut self, step: &Step) -> (Outcome, Option<SourceError>) {
        if matches!(step, Step::List(_) | Step::Stream(_)) {
            self.shared.enter(self.number, Phase::Listing);
            if let Some(metrics) = &self.shared.metrics {
                metrics.list_begun();
            }
        }
        match step {
            Step::List(list) => {
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
            Step::Probe(version) => {
                let (version, probed) = (version.clone(), self.source.probe(version).await);
                match probed.map_err(|error| (error.failure(), error)) {
                    Ok(()) => (Outcome::Probed { version }, None),
                    Err((failure, error)) => (Outcome::ProbeFailed { version, failure }, Some(error)),
                }
            }
        }
    }

    fn watch_ended(&self, opened: &Opened, ended: Result<(), SourceError>) -> (Outcome, Option<SourceError>) {
        let lasted = opened.at.map_or(Duration::ZERO, |at| at.elapsed());
        let events = opened.at.map_or(0, |_| self.shared.events(self.number) - opened.events_before);
        if let (Some(metrics), true) = (&self.shared.metrics, opened.at.is_some()) {
            metrics.watch_ended(events, lasted);
        }
        let failure = ended.as_ref().err().map(SourceError::failure);
        let outcome = Outcome::WatchEnded {
            version: self.shared.version(self.number).unwrap_or_default(),
            failure,
            lasted,
            any_event: events > 0,
        };
        let short = failure.is_none() && lasted.as_secs() < 1;
        (outcome, ended.err().or_else(|| short.then(SourceError::short_watch)))
    }

    /// Reads a list to its end and puts it in the store; returns its version. `first_page` becomes the
    /// version of the first page, should a later one fail.
    async fn list(&self, list: &ListRequest, first_page: &mut Option<String>) -> Result<String, SourceError> {
        let begun = Instant::now();
        let mut relist = self.shared.relist();
        let mut meta = self.page(list, None, &mut relist).await?;
        if meta.resource_version.is_empty() {
            return Err(SourceError::no_version());
        }
        let version = first_page.insert(meta.resource_version).clone();
        while let Some(token) = meta.token.filter(|token| !token.is_empty()) {
            meta = self.page(list, Some(&token), &mut relist).await?;
        }
        self.listed(begun, relist, &version);
        Ok(version)
    }

    fn listed(&self, begun: Instant, relist: RelistBuffer<T>, version: &str) {
        let objects = relist.len();
        self.shared.replace(self.number, Instant::now(), relist, version);
        if let Some(metrics) = &self.shared.metrics {
            metrics.listed(objects, begun.elapsed());
        }
    }

    async fn page(
        &self,
        list: &ListRequest,
        token: Option<&str>,
        relist: &mut RelistBuffer<T>,
    ) -> Result<ListMeta, SourceError> {
        let mut body = self.source.list(list, token).await?;
        let mut parser = ItemParser::<T>::new(self.config.managed_fields);
        while !parser.is_done() {
            match body.next(BODY_PATIENCE).await? {
                Some(chunk) => parser.feed(&chunk).map_err(SourceError::list)?,
                None => parser.end(),
            }
            while let Some(item) = parser.next().map_err(SourceError::list)? {
                relist.take(item);
            }
        }
        Ok(parser.into_meta())
    }

    /// Reads a streaming list, puts it in the store and follows the watch that it becomes. `opened` tells
    /// when that was; until then nothing of it is in the store.
    async fn stream(&mut self, stream: &StreamRequest, opened: &mut Opened) -> Result<(), SourceError> {
        let begun = Instant::now();
        let mut lines = Lines::new(self.source.stream(stream).await?);
        let accepted = Instant::now();
        let mut relist = self.shared.relist();
        loop {
            let objects = u32::try_from(relist.len()).unwrap_or(u32::MAX);
            let stalled = accepted.elapsed() > STALL_TOTAL + STALL_EACH * objects;
            let line = match lines.next(STALL).await {
                Ok(Some(line)) if !stalled => line,
                Ok(None) => return Err(SourceError::ended_early()),
                Err(error) if !error.is_idle() => return Err(error),
                Ok(Some(_)) | Err(_) => return Err(SourceError::ignored(relist.len())),
            };
            match WatchEvent::decode(&line, self.config.managed_fields).map_err(SourceError::event)? {
                Ok(WatchEvent::Applied(object)) => relist.take(Ok(object)),
                Ok(WatchEvent::Deleted(object)) => relist.remove(&object.key()),
                Ok(WatchEvent::Bookmark(bookmark)) if bookmark.ends_initial_events() => {
                    self.listed(begun, relist, &bookmark.resource_version);
                    break;
                }
                Ok(WatchEvent::Error(status)) => return Err(SourceError::within_watch(status)),
                Ok(WatchEvent::Bookmark(_) | WatchEvent::Unknown) => {}
                Err(wrong) => relist.take(Err(wrong)),
            }
        }
        self.follow(lines, opened).await
    }

    /// Follows a watch until it ends. `opened` tells when the server accepted it.
    async fn watch(&mut self, watch: &WatchRequest, opened: &mut Opened) -> Result<(), SourceError> {
        let lines = Lines::new(self.source.watch(watch).await?);
        self.follow(lines, opened).await
    }

    async fn follow(&mut self, mut lines: Lines, opened: &mut Opened) -> Result<(), SourceError> {
        *opened = Opened { at: Some(Instant::now()), events_before: self.shared.events(self.number) };
        self.shared.watch_opened(self.number);
        if let Some(metrics) = &self.shared.metrics {
            metrics.watch_opened();
        }
        let (shared, source, number) = (self.shared.clone(), self.source.clone(), self.number);
        // Beside the watch, which is read on meanwhile: a server closes one that is not.
        let mut auditing = pin!(audit_at(self.next_audit, &shared, &source, number));
        loop {
            // Outlives an audit. Read anew behind each, a dead watch would never be silent for long enough where
            // audits are frequent; held by `frequent_audits_do_not_hide_that_a_watch_is_dead`.
            let mut line = pin!(lines.next(SILENCE));
            let line = loop {
                tokio::select! {
                    audited = &mut auditing => {
                        self.audited(audited)?;
                        self.plan_audit();
                        auditing.set(audit_at(self.next_audit, &shared, &source, number));
                    }
                    line = &mut line => break line.map_err(SourceError::of_watch)?,
                }
            };
            let Some(line) = line else { return Ok(()) };
            let event = WatchEvent::decode(&line, self.config.managed_fields).map_err(SourceError::event)?;
            take_event(&shared, number, event)?;
        }
    }

    /// Tells what an audit came to; what it found ends the watch.
    fn audited(&self, audited: Result<Option<Inconsistency>, SourceError>) -> Result<(), SourceError> {
        let found = match audited {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(informer = &*self.shared.reporter.name, %error, "no audit this time");
                return Ok(());
            }
        };
        self.shared.audited();
        let Some(found) = found else { return Ok(()) };
        let objects = found.missing.len() + found.surplus.len() + found.outdated.len();
        self.shared.reporter.report(&InformerError::Inconsistent(Arc::new(found)));
        Err(SourceError::inconsistent(objects))
    }

    /// Sets when the next audit is: not at the same time as that of all others who began when we did.
    fn plan_audit(&mut self) {
        let jitter = self.rng.random_range(0.9..1.1);
        self.next_audit = self.config.audit.map(|period| Instant::now() + period.mul_f64(jitter));
    }
}

/// Audits at that time; never, if there is none.
async fn audit_at<T: Object>(
    time: Option<Instant>,
    shared: &Shared<T>,
    source: &Source,
    number: usize,
) -> Result<Option<Inconsistency>, SourceError> {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
    let audited = AssertUnwindSafe(audit(shared, source, number)).catch_unwind().await;
    audited.unwrap_or_else(|_| Err(SourceError::panicked()))
}

/// Does what a line of a watch says.
fn take_event<T: Object>(
    shared: &Shared<T>,
    source: usize,
    event: Result<WatchEvent<T>, Undecodable>,
) -> Result<(), SourceError> {
    let (now, shard) = (Instant::now(), shared.shard.as_ref());
    match event {
        Ok(WatchEvent::Applied(object)) if is_wanted(object.metadata(), shard) => {
            shared.apply(source, now, object);
        }
        Ok(WatchEvent::Deleted(object)) if is_wanted(object.metadata(), shard) => {
            shared.delete(source, now, object);
        }
        Ok(WatchEvent::Bookmark(bookmark)) => {
            let version = bookmark.resource_version;
            if shared.version(source).is_some_and(|held| is_older(&version, &held)) {
                return Err(SourceError::went_back(version));
            }
            shared.bookmark(source, now, &version);
        }
        Ok(WatchEvent::Error(status)) => return Err(SourceError::within_watch(status)),
        Err(wrong) if wrong.is_wanted(shard) => shared.undecodable(source, now, wrong),
        Ok(_) | Err(_) => {}
    }
    Ok(())
}

/// Whether one version comes before the other; `false` if they cannot be compared.
fn is_older(version: &str, held: &str) -> bool {
    let parse = |text: &str| text.parse::<ResourceVersion>().ok();
    parse(version).zip(parse(held)).is_some_and(|(version, held)| version < held)
}

/// When a watch was accepted, and how many events there were before.
#[derive(Default)]
struct Opened {
    at: Option<Instant>,
    events_before: u64,
}
