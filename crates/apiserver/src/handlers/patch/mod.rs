//! [`Patch`]: a change of an object, in one of the forms that clients send.

mod json_patch;
mod strategic;
mod untouched;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use trimtab_schema::{Schema, go_number};

use self::json_patch::JsonPatch;
pub(crate) use self::untouched::Untouched;
use crate::{
    api::{
        object::{self, MANAGED_FIELDS},
        query::FieldValidation,
        status::{Cause, Result, Status},
    },
    registry::Kind,
    wire::negotiate::{self, content_type, go_s_words, read_json},
};

pub(crate) const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
/// A configuration in YAML or JSON; in this form alone an object can be made by a patch.
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// The forms of patches that custom kinds take, as a refusal lists them.
const OF_CUSTOM: [&str; 3] = [JSON, MERGE, APPLY];

/// How many operations a JSON patch may have: upstream's limit.
const MOST_OPERATIONS: usize = 10_000;

/// A change that was read, and can be applied as often as somebody else is faster.
#[derive(Debug)]
pub(crate) struct Patch {
    change: Change,
    /// Duplicate and unknown fields of the patch, with their messages.
    twice: Vec<String>,
}

/// How much of an object a patch can change, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Nothing but its metadata, and of that not who manages it.
    Metadata,
    /// All of it but who manages it.
    Object,
    /// Anything.
    Managers,
}

#[derive(Debug)]
enum Change {
    /// A list of operations.
    Json(JsonPatch),
    /// RFC 7386: an object whose fields are set, or removed by null.
    Merge(Value),
    /// A merge patch that knows the lists of the built-in kinds.
    Strategic(Value),
}

impl Patch {
    /// Reads a request's body. Without validation of fields, a patch is only read as far as it is carried out.
    pub(crate) fn read(
        kind: &Kind,
        headers: &HeaderMap,
        body: &[u8],
        validation: FieldValidation,
    ) -> Result<Self> {
        let is_ignored = validation == FieldValidation::Ignore;
        match content_type(headers) {
            JSON => Self::json(body, is_ignored),
            MERGE if is_ignored => match read(body) {
                Ok((patch @ (Value::Object(_) | Value::Array(_)), twice)) => {
                    Ok(Self { change: Change::Merge(patch), twice })
                }
                _ => Err(Status::bad_request("Invalid JSON Patch")),
            },
            MERGE => match read(body).map_err(|because| undecodable(&because))? {
                (Value::Null, _) => Err(Status::bad_request("Invalid JSON Patch")),
                (patch, twice) => fields(patch)
                    .map_err(|because| undecodable(&because))
                    .map(|patch| Self { change: Change::Merge(patch), twice }),
            },
            STRATEGIC if !kind.is_custom() => {
                let (patch, twice) = read(body).map_err(Status::bad_request)?;
                let patch = if patch.is_null() { Value::Object(Map::new()) } else { patch };
                let mut patch = fields(patch).map_err(Status::bad_request)?;
                go_number::decode_within(&mut patch); // it becomes a map of Go's values
                Ok(Self { change: Change::Strategic(patch), twice })
            }
            _ if kind.is_custom() => Err(Status::unsupported_media_type(&OF_CUSTOM)),
            _ => Err(Status::unsupported_patch()),
        }
    }

    fn json(body: &[u8], is_ignored: bool) -> Result<Self> {
        let (of_all, of_one, introduction) = match is_ignored {
            true => ("jsonpatch.Patch", "jsonpatch.Operation", ""),
            false => ("[]handlers.jsonPatchOp", "handlers.jsonPatchOp", "error decoding patch: "),
        };
        let unfit = |because: &str| Status::bad_request(format!("{introduction}{because}"));
        let unmarshal = |found: &Value, into: &str| {
            unfit(&format!("json: cannot unmarshal {} into Go {into}", in_json(found)))
        };
        let (operations, told) = read(body).map_err(|because| unfit(&because))?;
        let operations = match operations {
            Value::Array(operations) => operations,
            Value::Null => Vec::new(),
            other => return Err(unmarshal(&other, &format!("value of type {of_all}"))),
        };
        for operation in &operations {
            let Value::Object(fields) = operation else {
                if operation.is_null() {
                    continue;
                }
                return Err(unmarshal(operation, &format!("value of type {of_one}")));
            };
            let of_text = ["op", "path", "from"].iter().filter_map(|name| fields.get_key_value(*name));
            let mistyped = of_text.into_iter().find(|(_, value)| !value.is_string() && !value.is_null());
            if let Some((name, value)) = mistyped.filter(|_| !is_ignored) {
                return Err(unmarshal(value, &format!("struct field jsonPatchOp.{name} of type string")));
            }
        }
        if operations.len() > MOST_OPERATIONS {
            let found = operations.len();
            let message =
                format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {found}");
            return Err(Status::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
        }
        let mut twice: Vec<String> = told.iter().map(|text| format!("json patch {text}")).collect();
        for (position, operation) in operations.iter().enumerate() {
            let fields = operation.as_object().into_iter().flat_map(|operation| operation.keys());
            let known = ["op", "path", "from", "value"];
            let unknown = fields.filter(|field| !known.contains(&field.as_str()));
            twice.extend(unknown.map(|field| format!("json patch unknown field \"[{position}].{field}\"")));
        }
        Ok(Self { change: Change::Json(JsonPatch::new(&operations, body)), twice })
    }

    /// Returns the errors of the patch's text.
    pub(crate) fn twice(&self) -> &[String] {
        &self.twice
    }

    /// Applies the patch to `current`, an object of the type `schema`.
    pub(crate) fn apply(&self, schema: Option<Schema<'_>>, current: &Value) -> Result<Value> {
        let mut object = current.clone();
        match &self.change {
            Change::Merge(patch) => json_patch::merge(&mut object, patch),
            Change::Strategic(patch) => {
                strategic::merge(schema, &mut object, patch).map_err(|error| error.status())?;
                // Upstream merges into a struct, which is of its kind whatever the patch says.
                ["apiVersion", "kind"]
                    .iter()
                    .for_each(|field| object::copy_field(current, &mut object, field));
            }
            Change::Json(patch) => patch.carry_out(&mut object).map_err(|_| rejected())?,
        }
        if object.is_object() { Ok(object) } else { Err(self.refused(&object, negotiate::AN_ARRAY)) }
    }

    /// Whether it is merged by the rules of the kind's fields.
    pub(in crate::handlers) fn is_strategic(&self) -> bool {
        matches!(self.change, Change::Strategic(_))
    }

    /// How much of an object it can change.
    pub(crate) fn reach(&self) -> Reach {
        match &self.change {
            Change::Merge(Value::Object(patch)) | Change::Strategic(Value::Object(patch)) => {
                let metadata = patch.get("metadata").and_then(Value::as_object);
                let names_managers = |field: &String| field.ends_with(MANAGED_FIELDS); // with a directive before it
                match metadata {
                    Some(metadata) if metadata.keys().any(names_managers) => Reach::Managers,
                    Some(_) if patch.len() == 1 => Reach::Metadata,
                    _ => Reach::Object,
                }
            }
            Change::Json(patch) => {
                let reach = |path: &str| match path.strip_prefix("/metadata/") {
                    Some(path) if path.starts_with(MANAGED_FIELDS) => Reach::Managers,
                    Some(_) => Reach::Metadata,
                    None if path.is_empty() || path == "/metadata" => Reach::Managers,
                    None => Reach::Object,
                };
                patch.paths().map(reach).max().unwrap_or(Reach::Object)
            }
            Change::Merge(_) | Change::Strategic(_) => Reach::Object,
        }
    }

    /// Takes out of `patched`, which the patch made of an object that was fine, what is as it was.
    pub(crate) fn take_untouched(&self, patched: &mut Value) -> Untouched {
        match &self.change {
            Change::Merge(patch) | Change::Strategic(patch) => Untouched::take(patched, patch),
            Change::Json(_) => Untouched::default(),
        }
    }

    /// 422: `patched`, which the patch made, is no object of its kind.
    pub(crate) fn refused(&self, patched: &Value, because: &str) -> Status {
        let shown = match &self.change {
            Change::Strategic(patch) => object::in_go(patch),
            Change::Json(_) | Change::Merge(_) => patched.to_string(),
        };
        let cause = Cause::invalid("patch", &Value::String(shown), because);
        let message = format!(" \"\" is invalid: {cause}");
        Status::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).causes(&[cause])
    }
}

/// 422 with upstream's only explanation.
fn rejected() -> Status {
    let message = "the server rejected our request due to an error in our request";
    Status::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_details()
}

fn undecodable(because: &str) -> Status {
    Status::bad_request(format!("error decoding patch: {because}"))
}

/// A JSON value, and what stands twice in it.
fn read(body: &[u8]) -> Result<(Value, Vec<String>), String> {
    let (value, complaints) = read_json(body, None).map_err(|error| go_s_words(&error, body))?;
    Ok((value, complaints.strict))
}

/// The same, if it is an object.
fn fields(patch: Value) -> Result<Value, String> {
    if patch.is_object() {
        return Ok(patch);
    }
    Err(format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", in_json(&patch)))
}

/// Returns the name that Go's decoder has for a value.
fn in_json(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
