//! [`Patch`]: a change of an object, in one of the forms that clients send.

mod strategic;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    http::{
        negotiate::content_type,
        status::{Cause, Result, Status},
    },
    kinds::{Kind, rules},
};

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// How many operations a JSON patch may have: upstream's limit.
const MOST_OPERATIONS: usize = 10_000;

/// A change that was read, and can be applied as often as somebody else is faster.
#[derive(Debug)]
pub(crate) enum Patch {
    /// RFC 6902: a list of operations.
    Json(json_patch::Patch),
    /// RFC 7386: an object whose fields are set, or removed by null.
    Merge(Value),
    /// A merge patch that knows the lists of the built-in kinds.
    Strategic(Value),
}

impl Patch {
    /// Reads a request's body.
    pub(crate) fn read(kind: &Kind, headers: &HeaderMap, body: &[u8]) -> Result<Self> {
        match content_type(headers) {
            JSON => Self::json(body),
            MERGE => object(body).map(Self::Merge),
            STRATEGIC if !rules::is_custom(kind) => object(body).map(Self::Strategic),
            _ => Err(Status::unsupported_patch()),
        }
    }

    fn json(body: &[u8]) -> Result<Self> {
        let operations: Vec<Value> = serde_json::from_slice(body)
            .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
        if operations.len() > MOST_OPERATIONS {
            let found = operations.len();
            let message =
                format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {found}");
            return Err(Status::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
        }
        serde_json::from_value(Value::Array(operations)).map(Self::Json).map_err(|_| rejected())
    }

    /// What the patch makes of `current`.
    pub(crate) fn apply(&self, kind: &Kind, current: &Value) -> Result<Value> {
        let mut object = current.clone();
        match self {
            Self::Merge(patch) => json_patch::merge(&mut object, patch),
            Self::Strategic(patch) => strategic::merge(kind, &mut object, patch)
                .map_err(|error| Status::bad_request(error.to_string()))?,
            Self::Json(patch) => json_patch::patch(&mut object, patch).map_err(|_| rejected())?,
        }
        if object.is_object() { Ok(object) } else { Err(rejected()) }
    }
}

/// 422 with upstream's only explanation.
fn rejected() -> Status {
    let message = "the server rejected our request due to an error in our request";
    Status::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
}

/// 422: the patched object is no object of its kind.
pub(crate) fn malformed(object: &Value, because: &str) -> Status {
    let cause = Cause::invalid("patch", &Value::String(object.to_string()), because);
    let message = format!(" \"\" is invalid: {cause}");
    Status::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).causes(&[cause])
}

fn object(body: &[u8]) -> Result<Value> {
    let patch: Value = serde_json::from_slice(body)
        .map_err(|error| Status::bad_request(format!("error decoding patch: {error}")))?;
    if patch.is_object() {
        return Ok(patch);
    }
    let found = match patch {
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        _ => "value",
    };
    let because = format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}");
    Err(Status::bad_request(format!("error decoding patch: {because}")))
}
