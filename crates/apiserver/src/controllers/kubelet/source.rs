//! All Pods, and every change of one: a list, then a watch, and a new list after any trouble.

use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use http::Request;
use kube_client::{Client, Error, core::WatchEvent};
use tokio::{
    sync::mpsc::Sender,
    time::{sleep, timeout},
};

use super::view::{List, PodView};

/// How many Pods a page of the list has at most.
const PAGE: usize = 500;
/// How long the server may let a watch go on.
const WATCH: Duration = Duration::from_secs(300);
/// How long after that an end of the stream is awaited before the connection counts as dead.
const SILENCE: Duration = Duration::from_secs(30);
/// How long to rest before the next list: this after the first trouble, up to twenty times as long
/// while it lasts.
const REST: Duration = Duration::from_millis(100);

/// The state that the source has seen.
#[derive(Debug)]
pub(super) enum Observed {
    /// These are all Pods.
    All(Vec<PodView>),
    /// This Pod is new, or not what it was.
    Changed(Box<PodView>),
    /// This Pod was deleted.
    Gone(Box<PodView>),
}

/// Sends what it sees until nobody listens any more.
pub(super) async fn follow(client: &Client, sender: Sender<Observed>) {
    let mut troubles = 0_u32;
    while !sender.is_closed() {
        match round(client, &sender).await {
            Ok(()) => troubles = 0,
            Err(error) => {
                tracing::debug!(%error, "following Pods failed; listing them again");
                troubles += 1;
            }
        }
        sleep(REST * troubles.clamp(1, 20)).await;
    }
}

/// One list, and the watch that goes on from there.
async fn round(client: &Client, sender: &Sender<Observed>) -> Result<(), Error> {
    let (all, version) = list(client).await?;
    if sender.send(Observed::All(all)).await.is_err() {
        return Ok(());
    }
    let seconds = WATCH.as_secs();
    let url = format!(
        "/api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={version}"
    );
    let events = client.request_events::<PodView>(get(&url)?).await?;
    pin_mut!(events);
    while let Some(event) = timeout(WATCH + SILENCE, events.next()).await.unwrap_or(None) {
        let observed = match event? {
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => Observed::Changed(Box::new(pod)),
            WatchEvent::Deleted(pod) => Observed::Gone(Box::new(pod)),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => return Err(Error::Api(status)),
        };
        if sender.send(observed).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn list(client: &Client) -> Result<(Vec<PodView>, String), Error> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page: List = client.request(get(&format!("/api/v1/pods?limit={PAGE}{token}"))?).await?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            // The token is base64url, which needs no escaping.
            Some(next) => token = format!("&continue={next}"),
            None => return Ok((all, page.metadata.resource_version)),
        }
    }
}

fn get(url: &str) -> Result<Request<Vec<u8>>, Error> {
    Request::get(url).body(Vec::new()).map_err(Error::HttpError)
}
