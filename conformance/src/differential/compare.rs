//! Compares two replies, and names the kind of their difference.

use super::reply::Reply;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// How many parts of a difference its name has.
const PARTS: usize = 3;

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\\?"[^"]*"|'[^']*'"#).expect("the pattern is valid"));
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"-?\d+(\.\d+)?").expect("the pattern is valid"));
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(Invalid value|Unsupported value|Duplicate value): .*?: ").expect("the pattern is valid")
});

/// The kind of the difference between two replies; `None` if they are the same.
pub(crate) fn difference(real: &Reply, ours: &Reply) -> Option<String> {
    if real.code != ours.code {
        let refused = if real.code >= 400 { real } else { ours };
        return Some(format!("{} here {}: {}", real.code, ours.code, shape(refused)));
    }
    let is_order = || match (real.refusal(), ours.refusal()) {
        (Some(theirs), Some(mine)) => differ_in_order(theirs, mine),
        _ => false,
    };
    if real.body != ours.body && !is_order() && by_manager(&real.body) != by_manager(&ours.body) {
        return Some(match (real.refusal(), ours.refusal()) {
            (Some(theirs), Some(mine)) => refusals(theirs, mine),
            _ if real.body.is_string() || ours.body.is_string() => {
                format!("text: {}", cut(&normal(&real.body.to_string()), 60))
            }
            _ => {
                let mut places = Vec::new();
                collect(&by_manager(&real.body), &by_manager(&ours.body), "", &mut places);
                places.dedup();
                format!("{} object: {}", real.code, some(&places))
            }
        });
    }
    if real.warnings != ours.warnings {
        let texts = |reply: &Reply| reply.warnings.iter().map(|header| warning(header)).collect::<Vec<_>>();
        return Some(format!("warnings: {}", lists(&texts(real), &texts(ours))));
    }
    None
}

/// Returns the kind of a refusal: its causes or its message, without values.
fn shape(reply: &Reply) -> String {
    let Some(status) = reply.refusal() else {
        return cut(&normal(&reply.body.to_string()), 80);
    };
    let causes = causes(status);
    if causes.is_empty() {
        cut(&normal(status["message"].as_str().unwrap_or_default()), 140)
    } else {
        some(&causes)
    }
}

/// Returns a body whose field managers are in an order that does not depend on the second in which each has
/// written. The lines of a YAML answer are sorted.
fn by_manager(body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            let sorted = fields.iter().map(|(name, value)| {
                let mut value = by_manager(value);
                if let ("managedFields", Some(entries)) = (name.as_str(), value.as_array_mut()) {
                    entries.sort_by_key(Value::to_string);
                }
                (name.clone(), value)
            });
            Value::Object(sorted.collect())
        }
        Value::Array(items) => items.iter().map(by_manager).collect(),
        other => other.clone(),
    }
}

/// Whether two refusals differ in the order of their causes alone: in maps, Go's is random.
fn differ_in_order(theirs: &Value, mine: &Value) -> bool {
    let parts = |status: &Value| {
        let mut status = status.clone();
        let mut causes =
            status.pointer("/details/causes").and_then(Value::as_array).cloned().unwrap_or_default();
        causes.sort_by_key(Value::to_string);
        let message = status["message"].as_str().unwrap_or_default();
        let begin = message.split(" is invalid: ").next().unwrap_or_default().to_owned();
        let whole = message.len();
        status["message"] = Value::Null;
        status["details"]["causes"] = Value::Null;
        (status, causes, begin, whole)
    };
    let (one, other) = (parts(theirs), parts(mine));
    !one.1.is_empty() && one == other
}

fn refusals(theirs: &Value, mine: &Value) -> String {
    let (their_causes, my_causes) = (causes(theirs), causes(mine));
    if their_causes != my_causes {
        return format!("causes: {}", lists(&their_causes, &my_causes));
    }
    if theirs["message"] != mine["message"] {
        let text = |status: &Value| cut(&normal(status["message"].as_str().unwrap_or_default()), 100);
        return format!("message: upstream {}, here {}", text(theirs), text(mine));
    }
    let mut places = Vec::new();
    collect(theirs, mine, "", &mut places);
    format!("Status: {}", some(&places))
}

/// Returns the entries that only one of two lists has.
fn lists(theirs: &[String], mine: &[String]) -> String {
    let missing = theirs
        .iter()
        .filter(|one| !mine.contains(one))
        .map(|one| format!("missing {}", cut(&normal(one), 140)));
    let added = mine
        .iter()
        .filter(|one| !theirs.contains(one))
        .map(|one| format!("added {}", cut(&normal(one), 140)));
    let mut parts: Vec<_> = missing.chain(added).collect();
    parts.dedup();
    if parts.is_empty() { "another order".to_owned() } else { some(&parts) }
}

/// The causes of a refusal, without the values.
fn causes(status: &Value) -> Vec<String> {
    let causes = status.pointer("/details/causes").and_then(Value::as_array);
    let text = |cause: &Value| {
        let part = |name: &str| cause[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", part("field"), VALUES.replace(&part("message"), "$1: "))
    };
    causes.into_iter().flatten().map(text).map(|text| normal(&text)).collect()
}

/// Returns the text of a header such as `299 - "unknown field"`.
fn warning(header: &str) -> String {
    let text = header.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    text.map_or(header, |(text, _)| text).replace("\\\"", "\"")
}

/// A text without its values.
fn normal(text: &str) -> String {
    NUMBERS.replace_all(&QUOTED.replace_all(text, "…"), "N").replace("[N]", "[]")
}

fn cut(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

fn some(parts: &[String]) -> String {
    let more = if parts.len() > PARTS { "; …" } else { "" };
    format!("{}{more}", parts.iter().take(PARTS).cloned().collect::<Vec<_>>().join("; "))
}

/// The places where two values differ: `-` is missing here, `+` is added here.
fn collect(theirs: &Value, mine: &Value, at: &str, places: &mut Vec<String>) {
    match (theirs, mine) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let at = format!("{at}.{key}");
                match other.get(key) {
                    Some(found) => collect(value, found, &at, places),
                    None => places.push(format!("-{at}")),
                }
            }
            places
                .extend(other.keys().filter(|key| !one.contains_key(*key)).map(|key| format!("+{at}.{key}")));
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (value, found) in one.iter().zip(other) {
                collect(value, found, &format!("{at}[]"), places);
            }
        }
        _ if theirs != mine => places.push(format!("~{at}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply(code: u16, body: Value) -> Reply {
        Reply { code, warnings: Vec::new(), body }
    }

    #[test]
    fn the_kind_of_a_difference_has_no_values() {
        let refused = |value: &str| {
            reply(
                422,
                json!({
                    "kind": "Status",
                    "details": {"causes": [{
                        "field": "spec.ports[0].port",
                        "message": format!("Invalid value: {value}: must be between 1 and 65535"),
                    }]},
                }),
            )
        };
        let taken = reply(201, json!({}));
        let one = difference(&refused("0"), &taken);
        assert_eq!(one, difference(&refused("70000"), &taken));
        assert_eq!(
            one.expect("they differ"),
            "422 here 201: spec.ports[].port Invalid value: must be between N and N"
        );
        assert_eq!(difference(&taken, &taken), None);
    }

    #[test]
    fn places_of_an_object_are_named() {
        let (real, ours) =
            (reply(201, json!({"a": [{"b": 1, "c": 2}]})), reply(201, json!({"a": [{"b": 3, "d": 4}]})));
        assert_eq!(difference(&real, &ours).expect("they differ"), "201 object: ~.a[].b; -.a[].c; +.a[].d");
    }

    #[test]
    fn warnings_are_told_by_their_text() {
        let warned =
            |text: &str| Reply { warnings: vec![format!("299 - \"{text}\"")], ..reply(200, json!({})) };
        let kind = difference(&warned("unknown field \\\"spec.a\\\""), &warned("deprecated since v1.25"));
        assert_eq!(
            kind.expect("they differ"),
            "warnings: missing unknown field …; added deprecated since vN"
        );
    }

    #[test]
    fn the_order_of_field_managers_is_no_difference_and_their_fields_are() {
        let managed = |managers: [&str; 2]| {
            let entries = managers.map(|manager| json!({"manager": manager, "fieldsV1": {"f:a": {}}}));
            reply(200, json!({"metadata": {"managedFields": entries}}))
        };
        assert_eq!(difference(&managed(["one", "two"]), &managed(["two", "one"])), None);
        assert!(difference(&managed(["one", "two"]), &managed(["two", "three"])).is_some());
    }
}
