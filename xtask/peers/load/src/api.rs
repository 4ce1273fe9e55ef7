//! The load's part of the Kubernetes API: lists and watches of Pods, with bodies that are written while they are read.

use crate::pace::{Pace, unix_nanos};
use crate::pod::{Pod, Template};
use bytes::{Bytes, BytesMut};
use hyper::body::Frame;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The version of the first Pod; each further Pod and event has the next one.
const FIRST_VERSION: u64 = 1_000_000;
/// The number of Pods that may wait for a slow client.
const IN_FLIGHT: usize = 32;
/// The time without an event after which a watch sends a bookmark.
const BOOKMARK_EVERY: Duration = Duration::from_secs(10);
/// The step between the Pods of two events: it visits all Pods before it repeats one, and never two neighbours in a row.
const STRIDE: u64 = 7_919;

/// The last event of a watch whose version has expired.
const EXPIRED: &str = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"too old resource version","reason":"Expired","code":410}}"#,
    "\n"
);

/// A frame of a body.
pub type Part = Result<Frame<Bytes>, Infallible>;

/// The Pods and their changes so far.
#[derive(Debug)]
pub struct Api {
    objects: u64,
    item: Template,
    object: Template,
    events: watch::Sender<Events>,
    /// The number of times that all watches were ended.
    expired: watch::Sender<u64>,
}

/// The number of changes so far, and the rate of the last ones.
#[derive(Clone, Copy, Debug, Default)]
struct Events {
    count: u64,
    pace: Option<Pace>,
}

/// The parameters of a list.
#[derive(Debug, Default)]
pub struct List {
    pub limit: u64,
    pub continue_at: u64,
}

/// The parameters of a watch.
#[derive(Debug, Default)]
pub struct Watch {
    pub resource_version: u64,
    pub send_initial_events: bool,
    pub bookmarks: bool,
    pub timeout: Option<Duration>,
}

impl Api {
    /// # Errors
    ///
    /// If the template is not JSON.
    pub fn new(objects: u64) -> Result<Arc<Self>, serde_json::Error> {
        let (item, object) = (Template::new(false)?, Template::new(true)?);
        Ok(Arc::new(Self {
            objects,
            item,
            object,
            events: watch::Sender::default(),
            expired: watch::Sender::default(),
        }))
    }

    /// Makes every watch send `count` more changes: `rate` of them a second, or as fast as each client reads.
    pub fn add_events(&self, count: u64, rate: Option<u64>) {
        self.events.send_modify(|events| {
            events.pace = rate.map(|rate| Pace::new(events.count, rate));
            events.count += count;
        });
    }

    /// Ends every watch as a server does after its version has expired.
    pub fn expire(&self) {
        self.expired.send_modify(|times| *times += 1);
    }

    /// The version after all Pods and all changes so far.
    fn version(&self, events: u64) -> u64 {
        FIRST_VERSION + self.objects + events
    }

    /// Returns a Pod after the first `events` changes.
    fn pod(&self, number: u64, events: u64) -> Pod {
        // Change e (from 0) is of Pod e × STRIDE modulo objects. Lists during a run are rare, so a Pod's version
        // in a list is that of the whole list once anything changed: newer than all that was sent before.
        let version = if events == 0 { FIRST_VERSION + number } else { self.version(events) };
        Pod { number, version }
    }

    pub fn list(self: Arc<Self>, list: List) -> mpsc::Receiver<Part> {
        let (parts, body) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(async move {
            // A client that goes away closes the channel; there is nothing else to do then.
            let _ = self.write_list(list, &parts).await;
        });
        body
    }

    pub fn watch(self: Arc<Self>, watch: Watch) -> mpsc::Receiver<Part> {
        let (parts, body) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(async move {
            let timeout = watch.timeout.unwrap_or(Duration::from_secs(3600));
            let _ = tokio::time::timeout(timeout, self.write_watch(watch, &parts)).await;
        });
        body
    }

    async fn write_list(&self, list: List, parts: &mpsc::Sender<Part>) -> Result<(), Gone> {
        let events = self.events.borrow().count;
        let end =
            if list.limit == 0 { self.objects } else { self.objects.min(list.continue_at + list.limit) };
        let version = self.version(events);
        let more = match self.objects - end {
            0 => String::new(),
            remaining => format!(r#","continue":"{end}","remainingItemCount":{remaining}"#),
        };
        let head = format!(
            r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"{more}}},"items":["#
        );
        send(parts, head).await?;
        for number in list.continue_at..end {
            let mut text = BytesMut::with_capacity(9_216);
            if number > list.continue_at {
                text.extend_from_slice(b",");
            }
            self.item.render(self.pod(number, events), &mut text);
            send(parts, text.freeze()).await?;
        }
        send(parts, "]}\n").await
    }

    async fn write_watch(&self, watch: Watch, parts: &mpsc::Sender<Part>) -> Result<(), Gone> {
        let mut target = self.events.subscribe();
        let mut expired = self.expired.subscribe();
        let mut sent = target.borrow_and_update().count;
        if watch.send_initial_events {
            for number in 0..self.objects {
                self.send_event("ADDED", self.pod(number, sent), parts).await?;
            }
            send(
                parts,
                bookmark(self.version(sent), r#","annotations":{"k8s.io/initial-events-end":"true"}"#),
            )
            .await?;
        } else {
            sent = watch.resource_version.saturating_sub(self.version(0)).min(sent);
        }
        loop {
            let events = *target.borrow_and_update();
            while sent < events.count {
                let number = (sent * STRIDE) % self.objects.max(1);
                let mut version = self.version(sent + 1);
                if let Some(pace) = events.pace {
                    pace.wait_for(sent).await;
                    version = unix_nanos();
                }
                sent += 1;
                self.send_event("MODIFIED", Pod { number, version }, parts).await?;
            }
            tokio::select! {
                changed = expired.changed() => {
                    changed.map_err(|_| Gone)?;
                    return send(parts, EXPIRED).await;
                }
                changed = target.changed() => changed.map_err(|_| Gone)?,
                () = parts.closed() => return Err(Gone),
                () = tokio::time::sleep(BOOKMARK_EVERY), if watch.bookmarks => {
                    send(parts, bookmark(self.version(sent), "")).await?;
                }
            }
        }
    }

    async fn send_event(&self, kind: &str, pod: Pod, parts: &mpsc::Sender<Part>) -> Result<(), Gone> {
        let mut text = BytesMut::with_capacity(9_216);
        text.extend_from_slice(br#"{"type":""#);
        text.extend_from_slice(kind.as_bytes());
        text.extend_from_slice(br#"","object":"#);
        self.object.render(pod, &mut text);
        text.extend_from_slice(b"}\n");
        send(parts, text.freeze()).await
    }
}

/// The client has closed its connection.
#[derive(Debug)]
struct Gone;

async fn send(parts: &mpsc::Sender<Part>, text: impl Into<Bytes>) -> Result<(), Gone> {
    parts.send(Ok(Frame::data(text.into()))).await.map_err(|_| Gone)
}

fn bookmark(version: u64, annotations: &str) -> String {
    let metadata = format!(r#"{{"resourceVersion":"{version}","creationTimestamp":null{annotations}}}"#);
    let object = format!(
        r#"{{"kind":"Pod","apiVersion":"v1","metadata":{metadata},"spec":{{"containers":null}},"status":{{}}}}"#
    );
    format!("{{\"type\":\"BOOKMARK\",\"object\":{object}}}\n")
}
