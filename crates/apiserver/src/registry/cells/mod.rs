//! The computed cells of `kubectl get`. Apart from the columns, because these are
//! rules with cases, and they are tested case by case.

mod autoscaler;
mod control;
mod event;
mod network;
mod node;
mod pod;
mod service;
mod storage;
mod workload;

pub(super) use self::autoscaler::*;
pub(super) use self::control::*;
pub(super) use self::event::*;
pub(super) use self::network::*;
pub(super) use self::node::*;
pub(super) use self::pod::*;
pub(super) use self::service::*;
pub(super) use self::storage::*;
pub(super) use self::workload::*;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::Kind;

/// A cell's rule: the object and the present time in, the cell out.
pub(super) type Computed = fn(&Value, Timestamp) -> Value;

/// The text of an empty cell.
const NONE: &str = "<none>";
/// The text for a field that is not set, in the kinds that show it.
const UNSET: &str = "<unset>";
/// The text for a value that should be known, but is not.
const UNKNOWN: &str = "<unknown>";

/// Returns the `conditions` of the row of a completed object.
pub(crate) fn completed(kind: &Kind, object: &Value) -> Option<Value> {
    if kind.resource() != "pods" {
        return None;
    }
    let (reason, message) = pod_completed(object)?;
    Some(json!([{ "type": "Completed", "status": "True", "reason": reason, "message": message }]))
}

pub(super) fn config_map_data(map: &Value, _: Timestamp) -> Value {
    (entries(map, "/data") + entries(map, "/binaryData")).into()
}

pub(super) fn secret_data(secret: &Value, _: Timestamp) -> Value {
    entries(secret, "/data").into()
}

/// The controlling owner, as `statefulset.apps/web`.
pub(super) fn controller(object: &Value, _: Timestamp) -> Value {
    let owners = array(object, "/metadata/ownerReferences");
    let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) else {
        return NONE.into();
    };
    let group = text(owner, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", text(owner, "/kind").to_lowercase(), text(owner, "/name")).into()
}

pub(super) fn revision(revision: &Value, _: Timestamp) -> Value {
    number(revision, "/revision").into()
}

/// The usage of a quota, without limits.
pub(super) fn requests_of_quota(quota: &Value, _: Timestamp) -> Value {
    used(quota, |resource| !resource.starts_with("limits.")).into()
}

pub(super) fn limits_of_quota(quota: &Value, _: Timestamp) -> Value {
    used(quota, |resource| resource.starts_with("limits.")).into()
}

fn used(quota: &Value, shown: impl Fn(&str) -> bool) -> String {
    let hard = quota.pointer("/status/hard").and_then(Value::as_object).into_iter().flatten();
    let mut all: Vec<_> = hard
        .filter(|(resource, _)| shown(resource))
        .map(|(resource, hard)| {
            let used = quota["status"]["used"][resource].as_str().unwrap_or("0");
            format!("{resource}: {used}/{}", hard.as_str().unwrap_or("0"))
        })
        .collect();
    all.sort();
    all.join(", ")
}

/// Whether a component answered that it is healthy.
pub(super) fn component_health(component: &Value, _: Timestamp) -> Value {
    match array(component, "/conditions").iter().find(|condition| condition["type"] == "Healthy") {
        None => "Unknown".into(),
        Some(condition) if condition["status"] == "True" => "Healthy".into(),
        Some(_) => "Unhealthy".into(),
    }
}

pub(super) fn min_available(budget: &Value, _: Timestamp) -> Value {
    number_or_percent(&budget["spec"]["minAvailable"])
}

pub(super) fn max_unavailable(budget: &Value, _: Timestamp) -> Value {
    number_or_percent(&budget["spec"]["maxUnavailable"])
}

fn number_or_percent(value: &Value) -> Value {
    match value {
        Value::String(percent) => percent.as_str().into(),
        Value::Number(number) => number.to_string().into(),
        _ => "N/A".into(),
    }
}

/// The text behind `pointer`; empty if there is none.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The text behind `pointer`, or `default` where it is missing or empty.
fn text_or(value: &Value, pointer: &str, default: &str) -> Value {
    Some(text(value, pointer)).filter(|text| !text.is_empty()).unwrap_or(default).into()
}

/// The number behind `pointer`; 0 if there is none.
fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// The array behind `pointer`; empty if there is none.
fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// How many entries the map behind `pointer` has.
fn entries(value: &Value, pointer: &str) -> usize {
    value.pointer(pointer).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>, separator: &str) -> String {
    texts.collect::<Vec<_>>().join(separator)
}

/// `a=1,b=2`, or `<none>`.
fn labels(value: &Value, pointer: &str) -> String {
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
fn label_selector(selector: &Value) -> String {
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
fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    array(value, "/status/conditions").iter().find(|condition| condition["type"] == kind)
}

/// The time behind `pointer`; `None` if there is none or it is no time.
fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer).parse().ok()
}
