//! [`Reflector`]: lists and watches one source and so keeps its part of the store equal to the server. It takes
//! the steps that the list/watch state (`state`) decides, and reports the outcomes to it.

use std::{future::pending, panic::AssertUnwindSafe, pin::pin, sync::Arc};

use futures_util::FutureExt;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant, sleep, sleep_until};
use trimtab_cache::{Object, ResourceVersion};

use crate::{
    audit::audit,
    config::ReflectorConfig,
    error::InformerError,
    inconsistency::Inconsistency,
    relist_buffer::{RelistBuffer, is_wanted},
    shared::Shared,
    source::{
        BODY_TIMEOUT, Source,
        error::SourceError,
        items::{ItemParser, ListMeta},
        lines::Lines,
        unreadable::Unreadable,
        watch::WatchEvent,
    },
    state::{ListRequest, ListWatchState, Next, Outcome, Step, StreamRequest, WatchRequest},
    status::Phase,
};

/// The longest silence of a watch. A server sends a bookmark about once a minute, unless its version has not
/// moved. A longer silence may mean a dead connection; a new request is cheap and finds out.
const SILENCE: Duration = Duration::from_secs(70);

/// The longest silence of an incomplete streaming list. A longer silence means that the server ignores the
/// request for a streaming list and serves a plain watch: servers before Kubernetes 1.27, many aggregated APIs
/// and some proxies do.
const STALL: Duration = Duration::from_secs(10);
/// The longest time for an incomplete streaming list on which events of a busy kind keep arriving, without the
/// time for its objects.
const STALL_TOTAL: Duration = Duration::from_secs(60);
/// The additional time for each object.
const STALL_EACH: Duration = Duration::from_millis(1);

pub(crate) struct Reflector<T> {
    shared: Arc<Shared<T>>,
    source: Arc<Source>,
    /// The source's number among the informer's sources.
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
        // The sources of one informer must not reconnect together.
        let of_source = |seed: u64| SmallRng::seed_from_u64(seed.wrapping_add(number as u64));
        let rng = config.seed.map_or_else(SmallRng::from_os_rng, of_source);
        Self { shared, source, number, config, next_audit: None, rng }
    }

    /// Runs until the informer aborts the task. It can be aborted at any await: a change of the store
    /// and its delivery to the handlers have no await in between.
    pub(crate) async fn run(mut self) {
        let ReflectorConfig { streaming_lists, page_size, max_backoff, .. } = self.config;
        let seen = self.shared.version(self.number);
        let rng = SmallRng::from_rng(&mut self.rng);
        let mut state = ListWatchState::new(streaming_lists, page_size, max_backoff, seen, rng);
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
                    tracing::debug!(informer = &*self.shared.reporter.description, %error, "silent watch, sending a new request");
                }
                Some(error) => self.shared.failed(self.number, now, error, next.wait),
                None => {}
            }
        }
    }

    /// Takes one step. A panic in a user's code, such as a view's, is a failure like others.
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

    /// Reads a complete list into the store and returns its version. `first_page` becomes the version of the
    /// first page, in case a later page fails.
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
            match body.next(BODY_TIMEOUT).await? {
                Some(chunk) => parser.feed(&chunk),
                None => parser.end(),
            }
            while let Some(item) = parser.next().map_err(SourceError::list)? {
                relist.take(item);
            }
        }
        Ok(parser.into_meta())
    }

    /// Reads a streaming list into the store and follows the watch that it becomes. `opened` is set at that
    /// moment; before it, nothing of the list is in the store.
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
                Err(unreadable) => relist.take(Err(unreadable)),
            }
        }
        self.follow(lines, opened).await
    }

    /// Follows a watch until it ends. `opened` is set when the server accepts it.
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
        // Beside the watch, which must be read meanwhile: a server closes a watch that is not read.
        let mut auditing = pin!(audit_at(self.next_audit, &shared, &source, number));
        loop {
            // Outlives an audit. With a new `next` after each audit, frequent audits would reset the timeout of a
            // dead watch; tested by `frequent_audits_do_not_hide_that_a_watch_is_dead`.
            let mut line = pin!(lines.next(SILENCE));
            let line = loop {
                tokio::select! {
                    biased; // an audit that is due is not postponed by a constant flow of events
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

    /// Reports the result of an audit. A difference ends the watch.
    fn audited(&self, audited: Result<Option<Inconsistency>, SourceError>) -> Result<(), SourceError> {
        let found = match audited {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(informer = &*self.shared.reporter.description, %error, "audit skipped");
                return Ok(());
            }
        };
        self.shared.audited();
        let Some(found) = found else { return Ok(()) };
        let objects = found.missing.len() + found.surplus.len() + found.outdated.len();
        self.shared.reporter.report(&InformerError::Inconsistent(Arc::new(found)));
        Err(SourceError::inconsistent(objects))
    }

    /// Sets the time of the next audit, with jitter: informers that started together audit apart.
    fn plan_audit(&mut self) {
        let jitter = self.rng.random_range(0.9..1.1);
        self.next_audit = self.config.audit.map(|period| Instant::now() + period.mul_f64(jitter));
    }
}

/// Audits at `time`; waits forever if it is `None`.
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

/// Applies an event of a watch.
fn take_event<T: Object>(
    shared: &Shared<T>,
    source: usize,
    event: Result<WatchEvent<T>, Unreadable>,
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
        Err(Unreadable::Object(object)) if !object.is_wanted(shard) => {}
        Err(unreadable) => shared.unreadable(source, now, unreadable),
        Ok(_) => {}
    }
    Ok(())
}

/// Returns whether `version` is older than `held`; `false` if they cannot be compared.
fn is_older(version: &str, held: &str) -> bool {
    let parse = |text: &str| text.parse::<ResourceVersion>().ok();
    parse(version).zip(parse(held)).is_some_and(|(version, held)| version < held)
}

/// The time at which a watch was accepted, and the number of earlier events.
#[derive(Default)]
struct Opened {
    at: Option<Instant>,
    events_before: u64,
}
