//! [`Changes`]: a watch of one Lease.

use std::{future::ready, pin::Pin};

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
    Written(Record),
    /// The Lease was deleted.
    Deleted,
}

/// The changes of one Lease. The stream begins with the request, and ends with the watch.
pub(crate) type Changes = Pin<Box<dyn Stream<Item = Result<Change, RequestError>> + Send>>;

pub(super) fn changes(
    client: Client,
    request: Result<Request<Vec<u8>>, kube_client::core::request::Error>,
) -> Changes {
    let events = async move {
        let events = client.request_events::<Map<String, Value>>(request?).await?;
        Ok(StreamExt::map(events, |event| event.map_err(RequestError::from)))
    };
    let changes = events.boxed().try_flatten_stream().filter_map(|event| {
        ready(match event {
            Ok(WatchEvent::Added(lease) | WatchEvent::Modified(lease)) => Some(written(lease)),
            Ok(WatchEvent::Deleted(_)) => Some(Ok(Change::Deleted)),
            Ok(WatchEvent::Bookmark(_)) => None,
            Ok(WatchEvent::Error(status)) => {
                Some(Err(RequestError::Api(Box::new(kube_client::Error::Api(status)))))
            }
            Err(error) => Some(Err(error)),
        })
    });
    Box::pin(changes)
}

fn written(lease: Map<String, Value>) -> Result<Change, RequestError> {
    Record::of_event(lease).map(Change::Written).map_err(RequestError::Garbage)
}
