//! [`LeaseWatcher`]: one watch of the Leases of a namespace, for all electors of a process.

mod slot;

use std::{
    collections::HashMap,
    convert::Infallible,
    error, fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{
    Client, Resource,
    api::{ListParams, WatchParams},
    core,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{debug, warn};

use self::slot::Slot;
pub(crate) use self::slot::{Followed, News, Renewal};
use crate::{
    clock::Timer,
    lease::{Change, LeaseEvent, NamedChange, Record, RequestError, events, of_list},
    lease_watch::{LONGEST_BACKOFF, WatchFailure},
};

/// The number of Leases in a page of a list.
const PAGE: u32 = 200;
/// The time limit of a page.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// Once no event has come for so long after another, none is read for [`PAUSE`]. The renewals of many Leases come
/// one by one, and each that is read alone wakes two tasks and costs some system calls.
const QUIET: Duration = Duration::from_millis(1);
const PAUSE: Duration = Duration::from_millis(20);
/// The time between two looks for Leases of which nothing is heard.
const TICK: Duration = Duration::from_millis(500);

/// One watch of all Leases of a namespace, which any number of electors share.
///
/// A process that stands for many Leases (one for each shard, say) would otherwise open a watch for each, with a
/// connection over HTTP/1.1, or poll each. Give it to each elector with
/// [`lease_watcher`](crate::LeaderElectorBuilder::lease_watcher), and let [`run`](Self::run) run beside them:
///
/// ```no_run
/// use trimtab_leaderelection::{LeaderElector, LeaseWatcher};
///
/// # async fn example(client: kube_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let watcher = LeaseWatcher::new(client.clone(), "kube-system");
/// tokio::spawn({
///     let watcher = watcher.clone();
///     async move { watcher.run().await }
/// });
/// for shard in 0..1000 {
///     let elector = LeaderElector::builder(client.clone(), "kube-system", format!("shard-{shard}"))
///         .lease_watcher(&watcher)
///         .build()?;
///     // … and run each.
/// }
/// # Ok(())
/// # }
/// ```
///
/// It takes the verbs list and watch on the `leases` of the namespace. While it is not run, or where its requests fail or
/// hang, the electors poll as they do without it. A renewal wakes no elector; everything else does.
#[derive(Clone)]
pub struct LeaseWatcher(Arc<Inner>);

struct Inner {
    client: Client,
    namespace: String,
    requests: core::Request,
    /// The Leases that electors follow, by name.
    leases: Mutex<HashMap<Box<str>, Vec<Arc<Slot>>>>,
    /// Whether a watch is open.
    is_watching: AtomicBool,
    /// An elector has read a state that the watch has not shown.
    behind: Notify,
}

/// The time for which a watch is open.
struct Watching<'a>(&'a Inner);

impl<'a> Watching<'a> {
    fn begin(inner: &'a Inner) -> Self {
        inner.is_watching.store(true, SeqCst);
        Self(inner)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.is_watching.store(false, SeqCst);
        self.0.each_slot(Slot::ended); // they poll from now on
    }
}

/// The response to a list.
#[derive(Deserialize)]
struct Leases {
    metadata: ListMetadata,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
    #[serde(default)]
    r#continue: String,
}

impl LeaseWatcher {
    /// Creates the watcher of a namespace. It sends nothing before [`run`](Self::run).
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        let namespace = namespace.into();
        let requests = core::Request::new(Lease::url_path(&(), Some(&namespace)));
        Self(Arc::new(Inner {
            client,
            namespace,
            requests,
            leases: Mutex::default(),
            is_watching: AtomicBool::new(false),
            behind: Notify::new(),
        }))
    }

    /// Returns the namespace whose Leases it watches.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Lists the Leases, and watches them from then on. Never returns.
    ///
    /// After a failure it lists again, 1 second later at first and up to a minute later. A failure is logged once
    /// until its reason changes.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the electors poll. It can be run again. If it is run twice at a time, each Lease is heard of twice, which
    /// only costs requests.
    pub async fn run(&self) -> Infallible {
        let (mut backoff, mut failing) = (FIRST_BACKOFF, None);
        loop {
            let (began, mut proven) = (Instant::now(), false);
            let failure = self.follow(&mut proven).await;
            // One that lags shows events, too.
            let works = !matches!(failure, WatchFailure::Behind) || began.elapsed() >= LONGEST_BACKOFF;
            if proven && works {
                (backoff, failing) = (FIRST_BACKOFF, None);
            }
            self.report(&failure, failing.replace(failure.reason()) == Some(failure.reason()));
            sleep(backoff).await;
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    fn report(&self, failure: &WatchFailure, is_known: bool) {
        let (namespace, error) = (self.namespace(), failure as &dyn error::Error);
        if is_known {
            debug!(namespace, error, "watching the Leases failed: they are polled");
        } else {
            warn!(namespace, error, "watching the Leases failed: they are polled");
        }
    }

    /// Lists, then watches until that fails. `proven` says afterwards whether a watch has shown anything.
    async fn follow(&self, proven: &mut bool) -> WatchFailure {
        let mut version = match self.list().await {
            Ok(version) => version,
            Err(error) => return error.into(),
        };
        let _watching = Watching::begin(&self.0);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (opened, mut is_empty) = (Instant::now(), true);
            let request = self.0.requests.watch(&WatchParams::default(), &version);
            let mut events = events(self.0.client.clone(), request).fuse();
            loop {
                let first = tokio::select! {
                    event = events.next() => event,
                    now = ticks.tick() => {
                        self.0.each_slot(|slot| slot.tick(now));
                        continue;
                    }
                    () = self.0.behind.notified() => return WatchFailure::Behind,
                };
                // The server ends each watch after some minutes.
                let Some(mut event) = first else { break };
                loop {
                    match event {
                        Ok(event) => self.hear(event, &mut version),
                        Err(error) => return error.into(),
                    }
                    (is_empty, *proven) = (false, true);
                    match timeout(QUIET, events.next()).await {
                        Ok(Some(next)) => event = next,
                        Ok(None) | Err(_) => break, // if it has ended, it is asked again
                    }
                }
                sleep(PAUSE).await;
            }
            if is_empty && opened.elapsed() < FIRST_BACKOFF {
                return WatchFailure::Empty;
            }
        }
    }

    fn hear(&self, LeaseEvent { version, lease }: LeaseEvent, reached: &mut String) {
        if let Some(version) = version {
            *reached = version;
        }
        if let Some(NamedChange { name, change: Ok(change) }) = lease {
            self.0.tell(&name, &change);
        }
    }

    /// Tells the electors the present state of each Lease. Returns the version of the list.
    async fn list(&self) -> Result<String, RequestError> {
        let (mut found, mut next) = (HashMap::new(), String::new());
        loop {
            let mut params = ListParams::default().limit(PAGE);
            params.continue_token = Some(next).filter(|token| !token.is_empty());
            let response = self.0.client.request::<Leases>(self.0.requests.list(&params)?);
            let Leases { metadata, items } =
                timeout(LIST_TIMEOUT, response).await.map_err(|_| RequestError::Timeout(LIST_TIMEOUT))??;
            // One that cannot be read is polled by its electors.
            found.extend(
                items.iter().filter_map(|lease| of_list(lease)).map(|(name, lease)| (name, lease.into())),
            );
            next = metadata.r#continue;
            if next.is_empty() {
                self.0.tell_all(&found);
                return Ok(metadata.resource_version);
            }
        }
    }

    /// Follows the Lease `name` for an elector that knows the state `known`, and polls after `silence`.
    pub(crate) fn follow_lease(
        &self,
        name: &str,
        known: Arc<Record>,
        timer: Timer,
        silence: Duration,
    ) -> Followed {
        let slot = Arc::new(Slot::new(known, timer, silence));
        self.0.leases.lock().entry(name.into()).or_default().push(Arc::clone(&slot));
        Followed::new(self.clone(), name, slot)
    }

    /// Forgets an elector that follows no more.
    fn forget(&self, name: &str, slot: &Arc<Slot>) {
        let mut leases = self.0.leases.lock();
        if let Some(slots) = leases.get_mut(name) {
            slots.retain(|other| !Arc::ptr_eq(other, slot));
            if slots.is_empty() {
                leases.remove(name);
            }
        }
    }

    fn is_watching(&self) -> bool {
        self.0.is_watching.load(SeqCst)
    }

    /// Lists and watches anew, as an elector has read a state that the watch has not shown.
    pub(crate) fn is_behind(&self) {
        self.0.behind.notify_waiters();
    }
}

impl Inner {
    fn tell(&self, name: &str, change: &Change) {
        for slot in self.leases.lock().get(name).into_iter().flatten() {
            match change {
                Change::Written(record) => slot.written(record),
                Change::Deleted => slot.deleted(),
            }
        }
    }

    /// Tells each elector the state of its Lease that a list has found.
    fn tell_all(&self, found: &HashMap<String, Arc<Record>>) {
        for (name, slots) in &*self.leases.lock() {
            for slot in slots {
                match found.get(&**name) {
                    Some(record) => slot.written(record),
                    None => slot.deleted(),
                }
            }
        }
    }

    fn each_slot(&self, step: impl Fn(&Slot)) {
        self.leases.lock().values().flatten().for_each(|slot| step(slot));
    }
}

impl fmt::Debug for LeaseWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseWatcher").field("namespace", &self.0.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
