//! [`LeaseWatcher`]: one watch of the Leases of a namespace, for all electors of a process.

use std::{collections::HashMap, convert::Infallible, error, fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{
    Client, Resource,
    api::{ListParams, WatchParams},
    core,
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    lease::{Change, Changes, LeaseEvent, NamedChange, Record, RequestError, events},
    lease_watch::{LONGEST_BACKOFF, WatchFailure},
};

/// The time limit of a list.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

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
/// hang, the electors poll as they do without it.
#[derive(Clone)]
pub struct LeaseWatcher(Arc<Inner>);

struct Inner {
    client: Client,
    namespace: String,
    requests: core::Request,
    /// The Leases that an elector follows, by name.
    leases: Mutex<HashMap<Box<str>, watch::Sender<Seen>>>,
    /// An elector has read a state that the watch has not shown.
    behind: Notify,
}

/// The newest known state of a Lease.
#[derive(Debug, Clone)]
enum Seen {
    Nothing,
    Written(Arc<Record>),
    Deleted,
}

/// The response to a list.
#[derive(Deserialize)]
struct Leases {
    metadata: ListMetadata,
    #[serde(default)]
    items: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
}

impl LeaseWatcher {
    /// Creates the watcher of a namespace. It sends nothing before [`run`](Self::run).
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        let namespace = namespace.into();
        let requests = core::Request::new(Lease::url_path(&(), Some(&namespace)));
        Self(Arc::new(Inner { client, namespace, requests, leases: Mutex::default(), behind: Notify::new() }))
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
            let mut proven = false;
            let failure = self.follow(&mut proven).await;
            if proven {
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
        loop {
            let (opened, mut is_empty) = (Instant::now(), true);
            let request = self.0.requests.watch(&WatchParams::default(), &version);
            let mut events = events(self.0.client.clone(), request);
            // The server ends each watch after some minutes.
            while let Some(event) = tokio::select! {
                event = events.next() => event,
                () = self.0.behind.notified() => return WatchFailure::Behind,
            } {
                let LeaseEvent { version: reached, lease } = match event {
                    Ok(event) => event,
                    Err(error) => return error.into(),
                };
                (is_empty, *proven) = (false, true);
                version = reached.unwrap_or(version);
                if let Some(NamedChange { name, change: Ok(change) }) = lease {
                    self.0.tell(&name, change);
                }
            }
            if is_empty && opened.elapsed() < FIRST_BACKOFF {
                return WatchFailure::Empty;
            }
        }
    }

    /// Tells the electors the present state of each Lease. Returns the version of the list.
    async fn list(&self) -> Result<String, RequestError> {
        let response = self.0.client.request::<Leases>(self.0.requests.list(&ListParams::default())?);
        let Leases { metadata, items } =
            timeout(LIST_TIMEOUT, response).await.map_err(|_| RequestError::Timeout(LIST_TIMEOUT))??;
        let found = items.into_iter().filter_map(of_list).collect();
        self.0.leases.lock().retain(|_, seen| seen.receiver_count() > 0);
        self.0.tell_all(&found);
        Ok(metadata.resource_version)
    }

    /// Returns the changes of the Lease `name` after `version`; of several that come together, the last.
    pub(crate) fn changes(&self, name: &str, version: &str) -> Changes {
        let mut leases = self.0.leases.lock();
        let mut receiver = match leases.get(name) {
            Some(seen) => seen.subscribe(),
            None => {
                leases.entry(name.into()).or_insert_with(|| watch::Sender::new(Seen::Nothing)).subscribe()
            }
        };
        drop(leases);
        if matches!(&*receiver.borrow(), Seen::Written(record) if record.is_newer_than_version(version)) {
            receiver.mark_changed();
        }
        // The stream holds the watcher, so that the sender lives for as long.
        Box::pin(stream::unfold((receiver, self.clone()), |(mut receiver, watcher)| async move {
            receiver.changed().await.ok()?;
            let seen = receiver.borrow_and_update().clone();
            let change = match seen {
                Seen::Nothing => return None,
                Seen::Written(record) => Change::Written(record),
                Seen::Deleted => Change::Deleted,
            };
            Some((Ok(change), (receiver, watcher)))
        }))
    }

    /// Lists and watches anew, as an elector has read a state that the watch has not shown.
    pub(crate) fn is_behind(&self) {
        self.0.behind.notify_waiters();
    }
}

/// Reads an item of a list; `None` for one that cannot be read, which its electors poll.
fn of_list(mut lease: Map<String, Value>) -> Option<(String, Arc<Record>)> {
    let name = lease.get("metadata")?.get("name")?.as_str()?.to_owned();
    // Items of a list have neither, and the text is written back as it is.
    lease.insert("apiVersion".into(), "coordination.k8s.io/v1".into());
    lease.insert("kind".into(), "Lease".into());
    Some((name, Record::of_event(lease).ok()?.into()))
}

impl Inner {
    fn tell(&self, name: &str, change: Change) {
        if let Some(seen) = self.leases.lock().get(name) {
            seen.send_replace(match change {
                Change::Written(record) => Seen::Written(record),
                Change::Deleted => Seen::Deleted,
            });
        }
    }

    /// Tells each elector the state of its Lease that a list has found, unless it knows that.
    fn tell_all(&self, found: &HashMap<String, Arc<Record>>) {
        for (name, seen) in &*self.leases.lock() {
            let state = found.get(&**name).cloned().map_or(Seen::Deleted, Seen::Written);
            seen.send_if_modified(|known| {
                let is_news = !known.is_same(&state);
                *known = state;
                is_news
            });
        }
    }
}

impl Seen {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Written(record), Self::Written(others)) => record.is_same_state(others),
            (Self::Nothing | Self::Deleted, Self::Deleted) => true,
            _ => false,
        }
    }
}

impl fmt::Debug for LeaseWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseWatcher").field("namespace", &self.0.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use serde_json::json;
    use trimtab_test_support::server;

    use super::*;

    fn lease(version: &str) -> Value {
        json!({"metadata": {"name": "web", "resourceVersion": version}})
    }

    fn written(version: &str) -> Change {
        let mut lease = lease(version);
        lease["kind"] = "Lease".into();
        Change::Written(Record::parse(&lease.to_string()).expect("a Lease").into())
    }

    fn watcher() -> LeaseWatcher {
        LeaseWatcher::new(server::answering(|_| (500, json!("no request is needed"))).0, "default")
    }

    fn next(changes: &mut Changes) -> Option<String> {
        match changes.next().now_or_never()?.expect("it goes on").expect("no failure") {
            Change::Written(record) => record.version().map(ToOwned::to_owned),
            Change::Deleted => Some("deleted".to_owned()),
        }
    }

    /// The line that it guards: `mark_changed` in `changes`.
    #[tokio::test]
    async fn an_elector_hears_of_a_change_between_its_read_and_its_call() {
        let watcher = watcher();
        let mut first = watcher.changes("web", "10");
        assert_eq!(next(&mut first), None);
        watcher.0.tell("web", written("11"));
        watcher.0.tell("another", written("12"));
        assert_eq!(next(&mut first).as_deref(), Some("11"));
        assert_eq!(next(&mut first), None);
        assert_eq!(next(&mut watcher.changes("web", "10")).as_deref(), Some("11"));
        assert_eq!(next(&mut watcher.changes("web", "11")), None, "it is known");
    }

    #[tokio::test]
    async fn a_list_tells_what_is_new_and_what_is_gone() {
        let watcher = watcher();
        let mut changes = watcher.changes("web", "10");
        watcher.0.tell("web", written("11"));
        assert_eq!(next(&mut changes).as_deref(), Some("11"));
        let list =
            |version| of_list(lease(version).as_object().expect("an object").clone()).into_iter().collect();
        watcher.0.tell_all(&list("11"));
        assert_eq!(next(&mut changes), None, "it is known");
        watcher.0.tell_all(&list("13"));
        assert_eq!(next(&mut changes).as_deref(), Some("13"));
        watcher.0.tell_all(&HashMap::new());
        assert_eq!(next(&mut changes).as_deref(), Some("deleted"));
    }

    /// An unreadable Lease is left out: it stops nobody else.
    #[test]
    fn an_item_of_a_list_gets_the_kind_that_lists_leave_out() {
        let item = |json: Value| of_list(json.as_object().expect("an object").clone());
        let (name, record) = item(lease("7")).expect("a Lease");
        assert_eq!((&*name, record.version()), ("web", Some("7")));
        let written: Value = serde_json::from_slice(&record.to_json()).expect("JSON");
        assert_eq!(written["kind"], "Lease");
        assert!(item(json!({"spec": {}})).is_none() && item(json!({"metadata": 7})).is_none());
    }
}
