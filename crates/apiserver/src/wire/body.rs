//! Bodies: reading a request's whole body, and what an answer's body is made of.

use std::{convert::Infallible, io};

use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody, combinators::UnsyncBoxBody};
use serde_json::Value;

use super::json::to_json;
use crate::api::status::{Result, Status};

/// The largest body that a request may have: upstream's limit, 3 MiB.
const LIMIT: usize = 3 * 1024 * 1024;

/// Why the body of a request does not come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body did not come in time")]
    TooSlow,
    #[error("too many requests with large bodies")]
    TooMany,
    #[error("the connection broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The body of an answer. An error means that the connection broke, as when a watch is cut.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// Reads a whole body.
pub(crate) async fn read<B>(body: B) -> Result<Bytes>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::too_large(LIMIT)),
        Err(error) => Err(match error.downcast_ref() {
            Some(BodyError::TooSlow) => Status::too_slow(),
            Some(BodyError::TooMany) => Status::too_many_requests(),
            Some(BodyError::Broken(_)) | None => Status::bad_request(format!("reading the body: {error}")),
        }),
    }
}

/// An answer with a JSON body.
pub(crate) fn json(code: StatusCode, body: Bytes) -> Response<ResponseBody> {
    full(Response::builder().status(code).header(header::CONTENT_TYPE, "application/json"), body)
}

/// An answer with a JSON value.
pub(crate) fn value(code: StatusCode, value: &Value) -> Response<ResponseBody> {
    json(code, to_json(value))
}

/// A JSON body that is written as fast as the client reads it; at once if it is one piece.
pub(crate) fn in_pieces<I>(mut pieces: I) -> Response<ResponseBody>
where
    I: Iterator<Item = Bytes> + Send + 'static,
{
    let first = pieces.next().unwrap_or_default();
    let Some(second) = pieces.next() else {
        return json(StatusCode::OK, first);
    };
    let frames = [first, second].into_iter().chain(pieces).map(|piece| Ok(Frame::data(piece)));
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/json");
    answer.body(body).expect("the header is valid")
}

/// A refusal.
pub(crate) fn refusal(status: &Status) -> Response<ResponseBody> {
    let mut answer = value(status.code(), &status.to_json());
    status.warnings().write(answer.headers_mut());
    if let Some(seconds) = status.retry_after_seconds() {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    answer
}

/// A finished answer of any kind.
pub(crate) fn from_bytes(answer: Response<Bytes>) -> Response<ResponseBody> {
    answer.map(|body| boxed(Full::new(body)))
}

fn full(builder: http::response::Builder, body: Bytes) -> Response<ResponseBody> {
    builder.body(boxed(Full::new(body))).expect("the header is valid")
}

pub(crate) fn boxed(body: Full<Bytes>) -> ResponseBody {
    body.map_err(|never: Infallible| match never {}).boxed_unsync()
}
