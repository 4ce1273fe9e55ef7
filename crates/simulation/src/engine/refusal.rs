//! [`refusal`]: the response of a fault that refuses a request.

use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::process::ReplyBody;

/// Returns a refusal in place of the server's response.
pub(super) fn refusal(code: u16) -> http::Response<ReplyBody> {
    let (code, reason) = match code {
        403 => (code, "Forbidden"),
        404 => (code, "NotFound"),
        409 => (code, "Conflict"),
        410 => (code, "Expired"),
        422 => (code, "Invalid"),
        429 => (code, "TooManyRequests"),
        503 => (code, "ServiceUnavailable"),
        504 => (code, "Timeout"),
        400..=599 => (code, "InternalError"),
        _ => (500, "InternalError"),
    };
    let mut status: Value = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("{reason}: an injected fault"), "reason": reason, "code": code,
    });
    let mut response = http::Response::builder()
        .status(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .header(header::CONTENT_TYPE, "application/json");
    if code == 429 {
        status["details"] = json!({"retryAfterSeconds": 1});
        response = response.header(header::RETRY_AFTER, "1");
    }
    let body = ReplyBody::Whole(Some(Bytes::from(status.to_string())));
    response.body(body).expect("the headers are valid")
}
