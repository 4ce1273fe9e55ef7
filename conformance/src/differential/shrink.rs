//! Shrinks the request of a difference as long as the kind of the difference stays.

use super::probe::{Ask, Probe};
use serde_json::Value;

/// The requests that have one part less: of the query, of a JSON body, of the lines of another body.
pub(crate) fn smaller(probe: &Probe) -> Vec<Ask> {
    let ask = &probe.ask;
    let mut all = Vec::new();
    if let Some((path, query)) = ask.path.split_once('?') {
        let parts: Vec<_> = query.split('&').collect();
        all.extend((0..parts.len()).map(|without| {
            let rest = leave_out(&parts, without).join("&");
            Ask {
                path: if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") },
                ..ask.clone()
            }
        }));
    }
    if !ask.accept.is_empty() {
        all.push(Ask { accept: String::new(), ..ask.clone() });
    }
    match serde_json::from_str::<Value>(&ask.body) {
        Ok(body) => {
            let mut places = Vec::new();
            inside(&body, "", &mut places);
            // What contains more comes first.
            all.extend(
                places.iter().map(|place| Ask { body: without(&body, place).to_string(), ..ask.clone() }),
            );
        }
        Err(_) => {
            let lines: Vec<_> = ask.body.lines().collect();
            all.extend(
                (0..lines.len())
                    .map(|line| Ask { body: leave_out(&lines, line).join("\n") + "\n", ..ask.clone() }),
            );
        }
    }
    all
}

fn leave_out<'a>(parts: &[&'a str], without: usize) -> Vec<&'a str> {
    parts.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, part)| *part).collect()
}

/// The pointers of all parts of a value, the outer ones first.
fn inside(value: &Value, at: &str, places: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| (format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), inner))
            .collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(key, inner)| (format!("{at}/{key}"), inner)).collect()
        }
        _ => Vec::new(),
    };
    places.extend(children.iter().map(|(place, _)| place.clone()));
    for (place, inner) in children {
        inside(inner, &place, places);
    }
}

/// The value without the part at this pointer.
fn without(value: &Value, place: &str) -> Value {
    let mut value = value.clone();
    let (parent, key) = place.rsplit_once('/').unwrap_or_default();
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(list)) => {
            if let Some(at) = key.parse().ok().filter(|at| *at < list.len()) {
                list.remove(at);
            }
        }
        _ => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_smaller_request_has_one_part_less() {
        let ask = Ask::sent("POST", "/a?b=c&d=e", "application/json", r#"{"f":{"g":1},"h":[2]}"#);
        let probe = Probe { family: "x".into(), name: "d01-0042a".into(), given: Vec::new(), ask };
        let smaller = smaller(&probe);
        assert_eq!(smaller[0].path, "/a?d=e");
        let bodies: Vec<_> = smaller[2..].iter().map(|ask| ask.body.as_str()).collect();
        assert_eq!(
            bodies,
            [r#"{"h":[2]}"#, r#"{"f":{"g":1}}"#, r#"{"f":{},"h":[2]}"#, r#"{"f":{"g":1},"h":[]}"#]
        );
        assert_eq!(without(&json!({"a/b": 1}), "/a~1b"), json!({}));
    }
}
