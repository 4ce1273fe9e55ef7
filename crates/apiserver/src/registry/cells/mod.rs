//! Cells of `kubectl get`: those that several kinds have, and what computes the others.

mod storage;
mod workload;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

pub(super) use self::{storage::*, workload::*};

/// A cell's rule: the object and the present time in, the cell out.
pub(super) type Computed = fn(&Value, Timestamp) -> Value;

/// The text of an empty cell.
pub(super) const NONE: &str = "<none>";
/// The text for a field that is not set, in the kinds that show it.
pub(super) const UNSET: &str = "<unset>";
/// The text for a value that should be known, but is not.
pub(super) const UNKNOWN: &str = "<unknown>";

/// The text behind `pointer`; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The text behind `pointer`, or `default` where it is missing or empty.
pub(super) fn text_or(value: &Value, pointer: &str, default: &str) -> Value {
    Some(text(value, pointer)).filter(|text| !text.is_empty()).unwrap_or(default).into()
}

/// The number behind `pointer`; 0 if there is none.
pub(super) fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The array behind `pointer`; empty if there is none.
pub(super) fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// How many entries the map behind `pointer` has.
pub(super) fn entries(value: &Value, pointer: &str) -> usize {
    value.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

pub(super) fn joined<'a>(texts: impl Iterator<Item = &'a str>, separator: &str) -> String {
    texts.collect::<Vec<_>>().join(separator)
}

/// `a=1,b=2`, or `<none>`.
pub(super) fn labels(value: &Value, pointer: &str) -> String {
    let map = value.pointer(pointer).and_then(Value::as_object);
    let mut pairs: Vec<_> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

/// A `LabelSelector` in the grammar of `kubectl -l`, ordered by key; `<none>` for all.
pub(super) fn label_selector(selector: &Value) -> String {
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut terms: Vec<(String, String)> = equal
        .map(|(key, value)| (key.clone(), format!("{key}={}", value.as_str().unwrap_or_default())))
        .chain(array(selector, "/matchExpressions").iter().map(|expression| {
            let key = text(expression, "/key");
            let mut values: Vec<_> = array(expression, "/values").iter().filter_map(Value::as_str).collect();
            values.sort_unstable();
            let values = values.join(",");
            let term = match text(expression, "/operator") {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "DoesNotExist" => format!("!{key}"),
                _ => key.to_owned(),
            };
            (key.to_owned(), term)
        }))
        .collect();
    terms.sort_by(|one, other| one.0.cmp(&other.0));
    let terms: Vec<_> = terms.into_iter().map(|(_, term)| term).collect();
    if terms.is_empty() { NONE.to_owned() } else { terms.join(",") }
}

/// The condition of type `kind`, if the object's status has it.
pub(super) fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    array(value, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// The time behind `pointer`; `None` if there is none or it is no time.
pub(super) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer).parse().ok()
}
