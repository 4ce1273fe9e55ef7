//! [`Draft`]: a random request. Four in five are requests that a client might send, the others are malformed.

use std::fmt;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rand::{Rng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::Value;

use crate::{bodies, plausible};

/// Paths outside of the collections; the server serves most of them.
const PATHS: [&str; 20] = [
    "/",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/apps",
    "/apis/apps/v1",
    "/apis/fuzz.example.com/v1/namespaces/default/widgets",
    "/apis/fuzz.example.com/v1/namespaces/default/widgets/a",
    "/healthz",
    "/livez?verbose",
    "/readyz/ping",
    "/version",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/apis/apps/v1",
    "/api/v1/pods",
    "/api/v1/namespaces",
    "/api/v1/nodes",
    "/api/v1/watch/namespaces/default/secrets",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
];

const METHODS: [&str; 12] =
    ["GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"];
pub(crate) const NAMES: [&str; 8] =
    ["a", "b", "c", "d", "A", "%ff", "..", "a-very-long-name-that-is-none-the-less-valid"];
const SUBRESOURCES: [&str; 9] =
    ["status", "scale", "binding", "eviction", "finalize", "log", "token", "ephemeralcontainers", "x/y"];

const CONTENT_TYPES: [&str; 12] = [
    "application/json",
    "application/json",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "text/plain",
    "application/json; charset=\"",
    "",
    ";",
];

const ACCEPTS: [&str; 10] = [
    "*/*",
    "application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    ";q=2,,application/",
    "text/html;q=0.9, application/json;q=0.1",
];

/// Query parameters and their values, valid and invalid.
const PARAMETERS: [(&str, &[&str]); 18] = [
    ("watch", &["true", "1", "false", "maybe"]),
    (
        "resourceVersion",
        &["0", "0", "0", "1", "1", "5", "5", "20", "99999999999", "-1", "blue", "18446744073709551616"],
    ),
    ("resourceVersionMatch", &["Exact", "NotOlderThan", "About"]),
    ("sendInitialEvents", &["true", "false", "x"]),
    ("allowWatchBookmarks", &["true", "false"]),
    ("timeoutSeconds", &["0", "1", "-5", "x", "99999999999999999999"]),
    ("limit", &["1", "2", "0", "-1", "x", "9223372036854775807"]),
    ("continue", &["x", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9", "%00", "e30"]),
    ("labelSelector", &["a=b", "a in (b,c)", "!a", "a notin (", ",", "a=b=c", "x>5", "((", "a%00"]),
    ("fieldSelector", &["metadata.name=a", "status.phase!=x", "a", "=", "metadata.name=a,spec.nodeName=\\,"]),
    ("dryRun", &["All", "None", ""]),
    ("fieldManager", &["one", "two", "", "%0A"]),
    ("fieldValidation", &["Strict", "Warn", "Ignore", "x"]),
    ("force", &["true", "false", "x"]),
    ("gracePeriodSeconds", &["0", "5", "-1", "x"]),
    ("propagationPolicy", &["Orphan", "Foreground", "Background", "x"]),
    ("includeObject", &["None", "Object", "Metadata", "x"]),
    ("pretty", &["true", "x"]),
];

/// The parts of a request before they are put together.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// The values that a client remembers from earlier responses.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The continue token of the last list.
    pub(crate) token: String,
    /// The resource version of the last response.
    pub(crate) version: String,
}

impl Memory {
    /// Remembers the token and the version of a response body.
    pub(crate) fn keep(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| body["metadata"][field].as_str().unwrap_or_default().to_owned();
        if body["items"].is_array() {
            self.token = text("continue");
        }
        let version = text("resourceVersion");
        if !version.is_empty() {
            self.version = version;
        }
    }
}

impl Draft {
    /// Draws a request of a client that remembers `memory`.
    pub(crate) fn random(random: &mut SmallRng, memory: &Memory) -> Self {
        if random.random_ratio(4, 5) { plausible::draft(random, memory) } else { Self::malformed(random) }
    }

    fn malformed(random: &mut SmallRng) -> Self {
        let method = pick(random, &METHODS);
        let mut uri = path(random);
        let mut separator = if uri.contains('?') { '&' } else { '?' };
        for _ in 0..random.random_range(0..3) {
            let (name, values) = pick(random, &PARAMETERS);
            let value = pick(random, values).replace(' ', "+");
            uri += &format!("{separator}{name}={value}");
            separator = '&';
        }
        let fitting = if method == "PATCH" { &CONTENT_TYPES[2..6] } else { &CONTENT_TYPES[..1] };
        let types = if random.random_ratio(5, 6) { fitting } else { &CONTENT_TYPES };
        let content_type = pick(random, types);
        let mut headers = vec![("content-type", content_type.to_owned())];
        if random.random_ratio(1, 2) {
            headers.push(("accept", pick(random, &ACCEPTS).to_owned()));
        }
        if random.random_ratio(1, 4) {
            headers.push(("accept-encoding", "gzip".to_owned()));
        }
        if random.random_ratio(1, 20) {
            headers.push(("authorization", "Bearer nonsense".to_owned()));
        }
        let body = if matches!(method, "GET" | "HEAD") {
            Vec::new()
        } else {
            bodies::any(random, content_type, &uri)
        };
        Self { method, uri, headers, body }
    }

    /// Builds the HTTP request; `None` if the parts are no valid HTTP.
    pub(crate) fn request(&self) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(self.method).uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::new(Bytes::from(self.body.clone()))).ok()
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2_000).collect();
        write!(f, "{} {} {:?} {body}", self.method, self.uri, self.headers)
    }
}

fn path(random: &mut SmallRng) -> String {
    match random.random_range(0..20) {
        0..4 => pick(random, &PATHS).to_owned(),
        4..8 => pick(random, &bodies::COLLECTIONS).to_owned(),
        8..16 => format!("{}/{}", pick(random, &bodies::COLLECTIONS), pick(random, &NAMES[..5])),
        16..19 => {
            let (collection, name) = (pick(random, &bodies::COLLECTIONS), pick(random, &NAMES));
            format!("{collection}/{name}/{}", pick(random, &SUBRESOURCES))
        }
        _ => {
            let segments =
                ["api", "apis", "v1", "apps", "namespaces", "default", "pods", "a", "", "%2F", "é"];
            let words: Vec<_> =
                (0..random.random_range(1..9)).map(|_| pick(random, &segments).to_owned()).collect();
            format!("/{}", words.join("/"))
        }
    }
}

pub(crate) fn pick<T: Copy>(random: &mut SmallRng, of: &[T]) -> T {
    *of.choose(random).expect("the table has entries")
}
