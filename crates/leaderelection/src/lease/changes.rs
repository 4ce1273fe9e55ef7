//! [`Changes`]: a watch of one Lease; [`LeaseEvent`]: an event of a watch of any number.

use std::{future::ready, pin::Pin, sync::Arc};

use futures_core::Stream;
use futures_util::{FutureExt, StreamExt, TryFutureExt};
use http::Request;
use kube_client::{Client, core::WatchEvent};
use serde_json::{Map, Value};

use super::{Record, RequestError};

/// A change of a Lease, as a watch reports it.
#[derive(Debug)]
pub(crate) enum Change {
    /// The Lease was created or written.
    Written(Arc<Record>),
    /// The Lease was deleted.
    Deleted,
}

/// The changes of one Lease. The stream begins with the request, and ends with the watch.
pub(crate) type Changes = Pin<Box<dyn Stream<Item = Result<Change, RequestError>> + Send>>;

/// An event of a watch.
pub(crate) struct LeaseEvent {
    /// The resource version that the watch has reached; `None` if it cannot be read.
    pub(crate) version: Option<String>,
    /// `None` for a bookmark.
    pub(crate) lease: Option<NamedChange>,
}

/// A change of a Lease that is unreadable concerns that Lease only.
pub(crate) struct NamedChange {
    pub(crate) name: String,
    pub(crate) change: Result<Change, RequestError>,
}

/// Sends a watch request. The stream begins with the request, and ends with the watch.
pub(crate) fn events(
    client: Client,
    request: Result<Request<Vec<u8>>, kube_client::core::request::Error>,
) -> Pin<Box<dyn Stream<Item = Result<LeaseEvent, RequestError>> + Send>> {
    let events = async move {
        let events = client.request_events::<Map<String, Value>>(request?).await?;
        Ok(StreamExt::map(events, |event| event.map_err(RequestError::from)))
    };
    let events = events.boxed().try_flatten_stream().map(|event| match event? {
        WatchEvent::Added(lease) | WatchEvent::Modified(lease) => Ok(LeaseEvent::of(lease, |lease| {
            Record::of_event(lease).map(|lease| Change::Written(lease.into()))
        })),
        WatchEvent::Deleted(lease) => Ok(LeaseEvent::of(lease, |_| Ok(Change::Deleted))),
        WatchEvent::Bookmark(bookmark) => {
            Ok(LeaseEvent { version: Some(bookmark.metadata.resource_version), lease: None })
        }
        WatchEvent::Error(status) => Err(RequestError::Api(Box::new(kube_client::Error::Api(status)))),
    });
    Box::pin(events)
}

/// The changes of the one Lease that `request` selects.
pub(super) fn changes(
    client: Client,
    request: Result<Request<Vec<u8>>, kube_client::core::request::Error>,
) -> Changes {
    Box::pin(events(client, request).filter_map(|event| {
        ready(match event {
            Ok(event) => event.lease.map(|lease| lease.change),
            Err(error) => Some(Err(error)),
        })
    }))
}

impl LeaseEvent {
    fn of(
        lease: Map<String, Value>,
        change: impl FnOnce(Map<String, Value>) -> Result<Change, String>,
    ) -> Self {
        let text = |field| Some(lease.get("metadata")?.get(field)?.as_str()?.to_owned());
        let (name, version) = (text("name").unwrap_or_default(), text("resourceVersion"));
        let change = change(lease).map_err(RequestError::Garbage);
        Self { version, lease: Some(NamedChange { name, change }) }
    }
}
