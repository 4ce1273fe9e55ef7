//! [`Source`]: requests for one collection of objects. They do not use `kube_client::Api`, which buffers whole
//! lists and hides the end of a watch.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use kube_client::{Client, Resource, client::Body};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{Duration, timeout};
use trimtab_cache::Object;

use self::{
    error::{SourceError, Status},
    incoming::Incoming,
};
use crate::{
    selection::Selection,
    state::{ListRequest, StreamRequest, WatchRequest},
};

pub(crate) mod error;
pub(crate) mod incoming;
pub(crate) mod items;
pub(crate) mod lines;
pub(crate) mod unreadable;
pub(crate) mod watch;

/// The timeout of a list's response headers: longer than the minute after which a server gives up.
const LIST_TIMEOUT: Duration = Duration::from_secs(75);
/// The timeout of a watch's response headers, which wait only for the server's cache. kube-client's default
/// client may retry within this time; without a timeout, it retries for up to a quarter of an hour.
const WATCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The timeout between two parts of a body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest error response that is read.
const LONGEST_STATUS: usize = 64 * 1024;

const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// One collection of objects on an API server.
pub(crate) struct Source {
    client: Client,
    path: String,
    /// The selectors as parameters of a query; each begins with `&`.
    selectors: String,
    list_type: &'static str,
    watch_type: &'static str,
    gzip_lists: bool,
    received: Arc<AtomicU64>,
}

impl Source {
    /// Creates a source of the selected objects of one namespace or of all namespaces.
    pub(crate) fn new<T: Object>(
        client: Client,
        resource: &<T::Kind as Resource>::DynamicType,
        selection: &Selection,
        namespace: Option<&str>,
        gzip_lists: bool,
    ) -> Self {
        let metadata_only = T::Kind::metadata_api();
        let mut selectors = String::new();
        if !selection.labels.is_everything() {
            parameter(&mut selectors, "labelSelector", &selection.labels.to_string());
        }
        if let Some(fields) = &selection.fields {
            parameter(&mut selectors, "fieldSelector", fields);
        }
        if let Some(shard) = &selection.shard {
            parameter(&mut selectors, "shardSelector", &shard.to_string());
        }
        Self {
            client,
            path: T::Kind::url_path(resource, namespace),
            selectors,
            list_type: if metadata_only { METADATA_LIST } else { "application/json" },
            watch_type: if metadata_only {
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
            } else {
                "application/json"
            },
            gzip_lists,
            received: Arc::default(),
        }
    }

    /// Returns the path and the selectors, which identify the collection.
    pub(crate) fn identity(&self) -> String {
        [self.path.as_str(), self.selectors.as_str()].concat()
    }

    /// Returns the number of bytes received in lists and watches.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Requests a list, or its page after `token`.
    pub(crate) async fn list(
        &self,
        list: &ListRequest,
        token: Option<&str>,
    ) -> Result<Incoming, SourceError> {
        let mut query = String::new();
        if let Some(limit) = list.limit {
            parameter(&mut query, "limit", &limit.to_string());
        }
        if let Some(token) = token {
            parameter(&mut query, "continue", token); // the token holds the other parameters
        } else if let Some(version) = &list.at_least {
            parameter(&mut query, "resourceVersion", version);
            parameter(&mut query, "resourceVersionMatch", "NotOlderThan");
        }
        self.send(self.list_request(&query, self.list_type), LIST_TIMEOUT).await
    }

    /// Requests the metadata of one object, of a state not older than `version`. Succeeds if the server answers
    /// and has the version.
    pub(crate) async fn probe(&self, version: &str) -> Result<(), SourceError> {
        let mut query = String::from("&limit=1&resourceVersionMatch=NotOlderThan");
        parameter(&mut query, "resourceVersion", version);
        let mut body = self.send(self.list_request(&query, METADATA_LIST), WATCH_TIMEOUT).await?;
        while body.next(BODY_TIMEOUT).await?.is_some() {} // completely, so that the connection can be reused
        Ok(())
    }

    /// Requests the metadata of all objects at exactly this version.
    pub(crate) async fn audit(&self, version: &str) -> Result<Incoming, SourceError> {
        let mut query = String::from("&resourceVersionMatch=Exact");
        parameter(&mut query, "resourceVersion", version);
        self.send(self.list_request(&query, METADATA_LIST), LIST_TIMEOUT).await
    }

    fn list_request(&self, query: &str, accept: &'static str) -> http::request::Builder {
        let encoding = if self.gzip_lists { "gzip" } else { "identity" };
        self.request(query).header(header::ACCEPT, accept).header(header::ACCEPT_ENCODING, encoding)
    }

    /// Requests a watch.
    pub(crate) async fn watch(&self, watch: &WatchRequest) -> Result<Incoming, SourceError> {
        let mut query = String::new();
        parameter(&mut query, "resourceVersion", &watch.from);
        self.follow(query, watch.timeout).await
    }

    /// Requests a streaming list: all objects as additions, then a bookmark, then the events of a watch.
    pub(crate) async fn stream(&self, stream: &StreamRequest) -> Result<Incoming, SourceError> {
        let mut query = String::from("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        if let Some(version) = &stream.at_least {
            parameter(&mut query, "resourceVersion", version);
        }
        self.follow(query, stream.timeout).await
    }

    async fn follow(&self, mut query: String, limit: Duration) -> Result<Incoming, SourceError> {
        query.push_str("&watch=true&allowWatchBookmarks=true");
        parameter(&mut query, "timeoutSeconds", &limit.as_secs().to_string());
        let request = self
            .request(&query)
            .header(header::ACCEPT, self.watch_type)
            // Compressed event by event, little is saved; servers since 1.37 make a gzip member of each event.
            .header(header::ACCEPT_ENCODING, "identity");
        self.send(request, WATCH_TIMEOUT).await
    }

    fn request(&self, query: &str) -> http::request::Builder {
        let both = [query, self.selectors.as_str()].concat();
        let mark = if both.is_empty() { "" } else { "?" };
        Request::get([self.path.as_str(), mark, both.trim_start_matches('&')].concat())
    }

    async fn send(&self, request: http::request::Builder, limit: Duration) -> Result<Incoming, SourceError> {
        let request = request.body(Body::empty()).map_err(SourceError::request)?;
        let response = timeout(limit, self.client.send(request)).await;
        let response =
            response.map_err(|_| SourceError::no_response(limit))?.map_err(SourceError::connection)?;
        if response.status() == StatusCode::OK {
            return Ok(Incoming::new(response, self.received.clone()));
        }
        let (head, body) = response.into_parts();
        let body = timeout(BODY_TIMEOUT, Limited::new(body, LONGEST_STATUS).collect()).await;
        let body =
            body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let retry_after =
            head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(SourceError::status(Status::of_response(head.status.as_u16(), retry_after, &body)))
    }
}

fn parameter(query: &mut String, name: &str, value: &str) {
    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
    write!(query, "&{name}={value}").expect("writing to a string does not fail");
}
