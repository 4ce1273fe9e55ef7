//! The applied fields of an object: extracted from a state of the object, and compared with another state.

use serde_json::{Map, Value, json};

/// The fields that identify an element of a list, in the order in which they are tried. They are the merge keys of
/// Kubernetes' own kinds.
const KEYS: [&str; 9] =
    ["name", "key", "type", "uid", "ip", "containerPort", "port", "mountPath", "devicePath"];

/// Returns the fields of `state` that `applied` names, with the values of `state`. An absent field is `null`.
///
/// Elements of a list are found by their merge key; without one, a list counts as a whole.
pub(crate) fn project(applied: &Value, state: &Value) -> Value {
    match (applied, state) {
        (Value::Object(applied), Value::Object(state)) => {
            let field = |(name, value): (&String, &Value)| {
                (name.clone(), state.get(name).map_or(Value::Null, |state| project(value, state)))
            };
            Value::Object(applied.iter().map(field).collect::<Map<_, _>>())
        }
        (Value::Array(applied), Value::Array(state)) => match merge_key(applied, state) {
            Some(key) => {
                let element = |element: &Value| {
                    let same = state.iter().find(|other| other.get(key) == element.get(key));
                    same.map_or(Value::Null, |same| project(element, same))
                };
                applied.iter().map(element).collect()
            }
            None => json!(state),
        },
        _ => state.clone(),
    }
}

/// Returns the path of the first field in which two projections differ.
pub(crate) fn first_difference(one: &Value, other: &Value) -> Option<String> {
    if one == other {
        return None;
    }
    let inner = match (one, other) {
        (Value::Object(one), Value::Object(other)) => one.iter().find_map(|(name, value)| {
            let inner = first_difference(value, other.get(name).unwrap_or(&Value::Null))?;
            Some(format!(".{name}{inner}"))
        }),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| {
                let inner = first_difference(one, other)?;
                let name = KEYS.iter().find_map(|key| Some((key, one.get(*key)?)));
                let index = name.map_or(index.to_string(), |(key, value)| format!("{key}={value}"));
                Some(format!("[{index}]{inner}"))
            })
        }
        _ => None,
    };
    Some(inner.unwrap_or_default())
}

/// Returns the field by which the elements of both lists can be told apart.
fn merge_key(applied: &[Value], state: &[Value]) -> Option<&'static str> {
    let distinguishes = |key: &&str| {
        let is_set = |list: &[Value]| {
            let values: Vec<_> = list.iter().map(|element| element.get(*key)).collect();
            values.iter().enumerate().all(|(at, value)| value.is_some() && !values[..at].contains(value))
        };
        is_set(applied) && is_set(state)
    };
    KEYS.iter().copied().find(|key| distinguishes(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(applied: &Value, reply: &Value, cached: &Value) -> Option<String> {
        first_difference(&project(applied, reply), &project(applied, cached))
    }

    /// The server adds defaults and other managers add fields: neither is a difference.
    #[test]
    fn fields_that_were_not_applied_are_no_difference() {
        let applied = json!({"spec": {"containers": [{"name": "web", "image": "a"}], "replicas": 3}});
        let reply = json!({"spec": {"containers": [{"name": "web", "image": "a", "policy": "Always"}], "replicas": 3},
            "status": {}});
        let cached = json!({"spec": {"replicas": 3, "containers": [
            {"name": "sidecar", "image": "s"}, {"name": "web", "image": "a", "policy": "Never"},
        ]}});
        assert_eq!(difference(&applied, &reply, &cached), None);
    }

    /// `1000m` becomes `1` at the server: the reply says so, and the cache agrees with the reply.
    #[test]
    fn values_that_the_server_has_normalized_stand() {
        let (applied, kept) = (json!({"cpu": "1000m"}), json!({"cpu": "1"}));
        assert_eq!(difference(&applied, &kept, &kept), None);
    }

    #[test]
    fn a_field_that_was_changed_or_removed_is_named() {
        let applied = json!({"spec": {"containers": [{"name": "web", "image": "a"}], "args": ["x"]}});
        for (cached, path) in [
            (
                json!({"spec": {"containers": [{"name": "web", "image": "b"}], "args": ["x"]}}),
                ".spec.containers[name=\"web\"].image",
            ),
            (json!({"spec": {"containers": [], "args": ["x"]}}), ".spec.containers[name=\"web\"]"),
            (
                json!({"spec": {"containers": [{"name": "web", "image": "a"}], "args": ["x", "y"]}}),
                ".spec.args",
            ),
            (json!({"spec": {"containers": [{"name": "web", "image": "a"}]}}), ".spec.args"),
            (json!({}), ".spec"),
        ] {
            assert_eq!(difference(&applied, &applied, &cached).as_deref(), Some(path), "{cached}");
        }
    }
}
