//! [`Changes`]: a watch of one Lease; [`LeaseEvent`]: an event of a watch of any number.

use std::{future::ready, pin::Pin, sync::Arc};

use futures_core::Stream;
use futures_util::{FutureExt, StreamExt, TryFutureExt};
use http::Request;
use kube_client::{Client, core::WatchEvent};
use serde::Deserialize;
use serde_json::value::RawValue;

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
        let events = client.request_events::<Box<RawValue>>(request?).await?;
        Ok(StreamExt::map(events, |event| event.map_err(RequestError::from)))
    };
    let events = events.boxed().try_flatten_stream().map(|event| match event? {
        WatchEvent::Added(lease) | WatchEvent::Modified(lease) => Ok(LeaseEvent::of(&lease, |lease| {
            Record::of_event(lease).map(|lease| Change::Written(lease.into()))
        })),
        WatchEvent::Deleted(lease) => Ok(LeaseEvent::of(&lease, |_| Ok(Change::Deleted))),
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

/// The fields that say which Lease an event is of. They are empty if one has another type.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    metadata: NamedMetadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NamedMetadata {
    name: String,
    resource_version: Option<String>,
}

impl LeaseEvent {
    fn of(lease: &RawValue, change: impl FnOnce(&str) -> Result<Change, String>) -> Self {
        let Named { metadata } = serde_json::from_str(lease.get()).unwrap_or_default();
        let change = change(lease.get()).map_err(RequestError::Garbage);
        Self { version: metadata.resource_version, lease: Some(NamedChange { name: metadata.name, change }) }
    }
}

/// Reads an item of a list; `None` for one that cannot be read.
pub(crate) fn of_list(lease: &RawValue) -> Option<(String, Record)> {
    let Named { metadata } = serde_json::from_str(lease.get()).ok()?;
    Some((metadata.name, Record::of_event(lease.get()).ok()?))
}
