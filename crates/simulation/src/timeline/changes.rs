//! A short description of a commit's changes.

use serde_json::{Map, Value};
use trimtab_apiserver::{ChangeKind, Commit};

/// The number of changes of one commit that are described.
const TOLD: usize = 3;
/// Fields that every commit changes, and one that changes together with the deletion timestamp.
const UNTOLD: [&str; 4] = [
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.deletionGracePeriodSeconds",
];

/// Describes the changes of a commit, such as `(spec.replicas 3 -> 5)`.
pub(crate) fn changes(commit: &Commit) -> String {
    let Some(previous) = commit.previous.as_ref().filter(|_| commit.change == ChangeKind::Modified) else {
        return String::new();
    };
    of(previous, &commit.object)
}

fn of(before: &Value, after: &Value) -> String {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    let more = found.len().saturating_sub(TOLD);
    if more > 0 {
        found.sort_by_key(|change: &Change| !change.has_values); // changes with values come first
    }
    let text: Vec<String> = found.into_iter().take(TOLD).map(|change| change.text).collect();
    let text = text.join(", ");
    match (text.is_empty(), more) {
        (true, _) => String::new(),
        (_, 0) => format!("({text})"),
        _ => format!("({text} and {more} more)"),
    }
}

/// A change of one field.
struct Change {
    text: String,
    /// Whether the text has the old and the new value.
    has_values: bool,
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    if before == after || UNTOLD.contains(&path) {
        return;
    }
    if path == "metadata.deletionTimestamp" && before.is_null() {
        return found.push(Change { text: "deletion begins".to_owned(), has_values: true });
    }
    if let (Value::Object(before), Value::Object(after)) = (before, after) {
        let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let of = |object: &Map<String, Value>| object.get(key).cloned().unwrap_or_default();
            compare(&path, &of(before), &of(after), found);
        }
        return;
    }
    let (old, new) = (short(before), short(after));
    let has_values = old.is_some() && new.is_some();
    let text = match (old, new) {
        (Some(before), Some(after)) => format!("{path} {before} -> {after}"),
        (None, Some(after)) => format!("{path} {after}"),
        (_, None) if after.is_null() => format!("{path} gone"),
        _ => path.to_owned(),
    };
    found.push(Change { text, has_values });
}

/// Returns a value that fits into a line.
fn short(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Object(_) | Value::Array(_) => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (text.len() <= 40 && !is_time(&text)).then_some(text)
}

/// A time may be the machine's, which is another one in each run.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_changes_are_told_and_the_others_counted() {
        let before =
            json!({"spec": {"replicas": 3}, "metadata": {"resourceVersion": "5", "finalizers": ["a"]}});
        let after = json!({"spec": {"replicas": 5}, "metadata": {"resourceVersion": "6"}});
        assert_eq!(of(&before, &after), "(metadata.finalizers gone, spec.replicas 3 -> 5)");
        assert_eq!(of(&json!({}), &json!({"a": 1, "b": 2, "c": 3, "d": 4})), "(a 1, b 2, c 3 and 1 more)");
        let (before, after) = (json!({"a": 1, "c": 3}), json!({"a": 2, "b": [], "c": 4, "d": 5}));
        assert_eq!(of(&before, &after), "(a 1 -> 2, c 3 -> 4, b and 1 more)");
        assert_eq!(of(&after, &after), "");
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 3}});
        assert_eq!(of(&json!({"metadata": {}}), &going), "(deletion begins)");
        let time = |text: &str| json!({"renewTime": text});
        assert_eq!(of(&time("2026-01-01T00:00:00Z"), &time("2026-01-01T00:00:01Z")), "(renewTime)");
    }
}
