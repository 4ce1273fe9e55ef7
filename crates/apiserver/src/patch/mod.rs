//! [`Patch`]: a change of an object, in one of the forms that clients send.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::{
    http::{
        negotiate::{content_type, decode_json},
        status::{Cause, Result, Status},
    },
    kinds::Kind,
    object,
};

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";

/// How many operations a JSON patch may have: upstream's limit.
const MOST_OPERATIONS: usize = 10_000;

/// A change that was read, and can be applied as often as somebody else is faster.
#[derive(Debug)]
pub(crate) enum Patch {
    /// RFC 6902: a list of operations.
    Json(json_patch::Patch),
    /// RFC 7386: an object whose fields are set, or removed by null.
    Merge(Value),
}

impl Patch {
    /// Reads a request's body.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self> {
        match content_type(headers) {
            JSON => Self::json(body),
            MERGE => {
                let patch = decode_json(body)?;
                if patch.is_object() {
                    return Ok(Self::Merge(patch));
                }
                Err(Status::bad_request(
                    "error decoding patch: a merge patch is a JSON object",
                ))
            }
            _ => Err(Status::unsupported_media_type(&[JSON, MERGE])),
        }
    }

    fn json(body: &[u8]) -> Result<Self> {
        let patch: json_patch::Patch = serde_json::from_slice(body)
            .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
        if patch.0.len() > MOST_OPERATIONS {
            let message = format!(
                "The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
                patch.0.len()
            );
            let code = http::StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Status::new(code, "RequestEntityTooLarge", message));
        }
        Ok(Self::Json(patch))
    }

    /// What the patch makes of `current`.
    pub(crate) fn apply(&self, kind: &Kind, current: &Value) -> Result<Value> {
        let mut object = current.clone();
        match self {
            Self::Merge(patch) => json_patch::merge(&mut object, patch),
            Self::Json(patch) => json_patch::patch(&mut object, patch).map_err(|error| {
                let message =
                    format!("the server rejected our request due to an error in our request: {error}");
                Status::new(http::StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
                    .about(kind, object::name(current))
            })?,
        }
        if object.is_object() {
            return Ok(object);
        }
        let cause = Cause::invalid("patch", &json!(null), "the patch leaves no object");
        Err(Status::invalid(kind, object::name(current), &[cause]))
    }
}
