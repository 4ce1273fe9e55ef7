//! Masks what must differ between two servers: UIDs, times, versions, addresses, tokens, generated names.

use super::probe::Probe;
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// A pattern, and what is written in its place.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        // Requests name no time after 2024.
        (r"20(2[5-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d{4} [A-Z]+( m=[+.\d]+)?)", "TIME"),
        (r"\b10\.0\.0\.\d+", "IP"),
        (r"in object meta: \d+", "in object meta: VERSION"),
        (r"eyJ[\w-]{20,}(\.[\w-]+)*", "TOKEN"),
        (r"-----BEGIN [^\x22]*", "PEM"),
        (r"(resourceVersion: \x22)\d{2,}", "${1}VERSION"),
    ]
    .into_iter()
    .map(|(pattern, mask)| (Regex::new(pattern).expect("the pattern is valid"), mask))
    .collect()
});

static SUFFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(NAME[^\x22 ]*?)[bcdfghjklmnpqrstvwxz2456789]{5}\b").expect("the pattern is valid")
});
static AGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d+[smh])+$|^<(unknown|invalid)>$").expect("the pattern is valid"));

/// Fields that depend on when and where a server was built.
const OF_THE_BUILD: [&str; 6] =
    ["buildDate", "goVersion", "platform", "gitCommit", "gitTreeState", "compiler"];

/// The body of an answer with masks: a value, or a string of any other text.
pub(crate) fn body(probe: &Probe, text: &str) -> Value {
    structured(self::text(probe, text))
}

/// The value that a text with masks writes as JSON, as the lines of a watch or as YAML; or the text.
pub(crate) fn structured(text: String) -> Value {
    let mut value = parsed(&text).unwrap_or(Value::String(text));
    fields(&mut value);
    value
}

fn parsed(text: &str) -> Option<Value> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(first)) = values.next() {
        let rest: Vec<Value> = values.collect::<Result<_, _>>().ok()?;
        return Some(if rest.is_empty() { first } else { std::iter::once(first).chain(rest).collect() });
    }
    serde_saphyr::from_str::<Value>(text).ok().filter(|value| value["kind"].is_string())
}

/// A text with masks.
pub(crate) fn text(probe: &Probe, text: &str) -> String {
    let name = &probe.name;
    let mut text = text.replace(name, "NAME").replace(&name.to_uppercase(), "UPPER-NAME");
    text = text.replace(&name.replace('-', ""), "NAME");
    for (pattern, mask) in PATTERNS.iter() {
        text = pattern.replace_all(&text, *mask).into_owned();
    }
    if probe.ask.body.contains("generateName") {
        text = SUFFIX.replace_all(&text, "${1}SUFFIX").into_owned();
    }
    text
}

/// Masks by the names of fields.
fn fields(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let mask = match (key.as_str(), &*inner) {
                    ("resourceVersion", Value::String(text)) if text.len() > 1 => "VERSION",
                    ("continue", Value::String(text)) if !text.is_empty() => "TOKEN",
                    ("nodePort" | "healthCheckNodePort", Value::Number(_)) => "PORT",
                    (key, Value::String(_)) if OF_THE_BUILD.contains(&key) => "BUILD",
                    ("serverAddress", Value::String(_)) => "ADDRESS",
                    ("cells", _) => {
                        ages(inner);
                        continue;
                    }
                    _ => {
                        fields(inner);
                        continue;
                    }
                };
                *inner = Value::from(mask);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(fields),
        _ => {}
    }
}

/// Masks the ages in the cells of a row.
fn ages(cells: &mut Value) {
    for cell in cells.as_array_mut().into_iter().flatten() {
        if cell.as_str().is_some_and(|text| AGE.is_match(text)) {
            *cell = Value::from("AGE");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::probe::Ask;
    use serde_json::json;

    fn probe(sent: &str) -> Probe {
        let ask = Ask::sent("POST", "/a", "application/json", sent);
        Probe { family: "x".into(), name: "d01-0042a".into(), given: Vec::new(), ask }
    }

    #[test]
    fn what_must_differ_is_masked() {
        let text = r#"{"metadata":{"name":"d01-0042a","uid":"01234567-89ab-cdef-0123-456789abcdef",
            "resourceVersion":"42","creationTimestamp":"2026-01-02T03:04:05Z"},
            "spec":{"clusterIP":"10.0.0.7","nodePort":30001,"since":"2020-01-02T03:04:05Z"}}"#;
        let masked = json!({
            "metadata": {
                "name": "NAME",
                "uid": "UUID",
                "resourceVersion": "VERSION",
                "creationTimestamp": "TIME",
            },
            "spec": {"clusterIP": "IP", "nodePort": "PORT", "since": "2020-01-02T03:04:05Z"},
        });
        assert_eq!(body(&probe(""), text), masked);
    }

    #[test]
    fn generated_names_and_ages_are_masked() {
        let masked = body(&probe("generateName"), r#"{"name": "d01-0042a-x7k2z"}"#);
        assert_eq!(masked, json!({"name": "NAME-SUFFIX"}));
        assert_eq!(
            body(&probe(""), r#"{"cells": ["a", "5s", "<unknown>", 1]}"#),
            json!({"cells": ["a", "AGE", "AGE", 1]})
        );
        assert_eq!(body(&probe(""), "no JSON"), json!("no JSON"));
    }

    #[test]
    fn yaml_and_the_lines_of_a_watch_are_values() {
        let yaml = "kind: A\nmetadata:\n  resourceVersion: \"42\"\nn: 1\n";
        let object = json!({"kind": "A", "metadata": {"resourceVersion": "VERSION"}, "n": 1});
        assert_eq!(body(&probe(""), yaml), object);
        assert_eq!(body(&probe(""), "{\"a\":1}\n{\"a\":2}\n"), json!([{"a": 1}, {"a": 2}]));
        assert_eq!(body(&probe(""), "ok: fine"), json!("ok: fine"));
    }
}
