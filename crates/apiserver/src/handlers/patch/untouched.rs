//! [`Untouched`]: the parts of an object that a patch says nothing of. They are as they were stored, so that nobody has
//! to read them again.

use serde_json::{Map, Value};

use super::strategic::listed;

/// Fields that were taken out of an object, each where it was.
#[derive(Debug, Default)]
pub(crate) struct Untouched(Map<String, Value>);

impl Untouched {
    /// Takes out of `object`, which `patch` made, what the patch does not name.
    pub(super) fn take(object: &mut Value, patch: &Value) -> Self {
        let (Value::Object(object), Value::Object(patch)) = (object, patch) else { return Self::default() };
        let mut untouched = std::mem::take(object);
        for (name, change) in patch {
            for field in [Some(name.as_str()), listed(name)].into_iter().flatten() {
                if let Some((field, mut value)) = untouched.remove_entry(field) {
                    let Self(within) = Self::take(&mut value, change);
                    if !within.is_empty() {
                        untouched.insert(field.clone(), Value::Object(within));
                    }
                    object.insert(field, value);
                }
            }
        }
        Self(untouched)
    }

    /// Puts them back into what was made of the rest.
    pub(crate) fn put_back(self, object: &mut Value) {
        let Value::Object(object) = object else { return };
        for (field, value) in self.0 {
            match (object.get_mut(&field), value) {
                (Some(rest), Value::Object(within)) => Self(within).put_back(rest),
                (_, value) => drop(object.insert(field, value)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_patch_does_not_name_is_taken_out_and_comes_back() {
        let whole = json!({
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"a": "1", "b": "2"}, "finalizers": ["x"]},
            "spec": {"containers": [{"name": "main"}]},
        });
        for (patch, touched) in [
            (json!({"metadata": {"labels": {"b": "2"}}}), json!({"metadata": {"labels": {"b": "2"}}})),
            (json!({"metadata": {"labels": null}}), json!({"metadata": {"labels": {"a": "1", "b": "2"}}})),
            (json!({"metadata": {"labels": {"gone": null}}}), json!({"metadata": {"labels": {}}})),
            (
                json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["y"]}}),
                json!({"metadata": {"finalizers": ["x"]}}),
            ),
            (
                json!({"spec": {"$setElementOrder/containers": [{"name": "main"}]}}),
                json!({"spec": {"containers": [{"name": "main"}]}}),
            ),
            (json!({}), json!({})),
        ] {
            let mut object = whole.clone();
            let untouched = Untouched::take(&mut object, &patch);
            assert_eq!(object, touched, "{patch}");
            untouched.put_back(&mut object);
            assert_eq!(object, whole, "{patch}");
        }
    }

    #[test]
    fn what_was_dropped_because_it_was_empty_comes_back_with_what_was_in_it() {
        let mut object = json!({"metadata": {"labels": {"a": "1"}, "annotations": {}}});
        let patch = json!({"metadata": {"labels": {"b": null}, "annotations": {"c": null}}});
        let untouched = Untouched::take(&mut object, &patch);
        let mut read = json!({"metadata": {}}); // as reading leaves out maps with nothing in them
        untouched.put_back(&mut read);
        assert_eq!(read, json!({"metadata": {"labels": {"a": "1"}}}));
    }
}
