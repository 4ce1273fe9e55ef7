//! Responses with a document about the server, and its version.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::Value;

/// The Kubernetes version that the server answers as.
pub(super) const GIT_VERSION: &str = "v1.36.3";

/// A finished JSON document.
pub(super) fn json_answer(document: &Value) -> Response<Bytes> {
    typed("application/json", document.to_string())
}

/// A finished document of the given content type.
pub(super) fn typed(content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::new(body.into());
    answer.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer
}

/// Upstream's answer where no group is served: not a `Status`.
pub(super) fn not_found() -> Response<Bytes> {
    let mut answer = typed("text/plain; charset=utf-8", "404 page not found\n");
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}
