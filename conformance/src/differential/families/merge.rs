//! Merge patches and strategic merge patches of objects that exist.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::{create, with_query};
use serde_json::{Value, json};

pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let valid = kind.valid(dice, name);
    let form = dice.pick(&[MERGE, STRATEGIC, STRATEGIC]);
    let mut patch = difference(&valid, &create::successor(dice, kind, &valid, name));
    if form == STRATEGIC && dice.one_in(3) {
        directive(dice, &mut patch, &valid);
    }
    if dice.one_in(12) {
        patch["metadata"] = dice
            .pick(&[
                json!({"uid": "u-1"}),
                json!({"resourceVersion": "1"}),
                json!({"uid": "u-1", "resourceVersion": "1"}),
                json!({"name": "other"}),
                json!({"namespace": "other"}),
                json!({"deletionTimestamp": "2020-01-02T03:04:05Z"}),
                json!({"labels": null}),
                json!({"generation": 7, "selfLink": "/a", "creationTimestamp": "2020-01-02T03:04:05Z"}),
                json!({"managedFields": []}),
                json!({"managedFields": [{}]}),
            ])
            .clone();
    }
    let status = if kind.has_status() && dice.one_in(8) { "/status" } else { "" };
    let options =
        dice.pick(&["", "", "", "", "fieldValidation=Strict", "fieldValidation=Ignore", "fieldManager=one"]);
    let path = with_query(format!("{}{status}", kind.object(name)), &[options]);
    let given = vec![Ask::create(kind.collection(), &valid)];
    (given, Ask::sent("PATCH", path, form, values::text_of(&patch)))
}

/// The merge patch from one value to another.
pub(super) fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (from, to) else {
        return to.clone();
    };
    let mut patch = serde_json::Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) if before.is_object() => {
                patch.insert(key.clone(), difference(before, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// Adds a directive of strategic patches somewhere in the patch.
fn directive(dice: &mut Dice, patch: &mut Value, valid: &Value) {
    let containers = valid.pointer("/spec/template/spec/containers").map(|_| "/spec/template/spec");
    let containers = containers.or_else(|| valid.pointer("/spec/containers").map(|_| "/spec"));
    let made = match (dice.below(10), containers) {
        (0, Some(at)) => at_path(
            at,
            json!({"containers": [{"name": "main", "$patch": "delete"}, {"name": "b", "image": "i"}]}),
        ),
        (1, Some(at)) => {
            at_path(at, json!({"containers": [{"$patch": "replace"}, {"name": "b", "image": "i"}]}))
        }
        (2, Some(at)) => at_path(
            at,
            json!({
                "$setElementOrder/containers": [{"name": "b"}, {"name": "main"}],
                "containers": [{"name": "b", "image": "i"}],
            }),
        ),
        (3, Some(at)) => at_path(
            at,
            json!({
                "$setElementOrder/containers": [{"name": "main"}],
                "containers": [{"name": "b", "image": "i"}],
            }),
        ),
        (4, Some(at)) => at_path(at, json!({"containers": [{"image": "i"}]})),
        (5, Some(at)) => at_path(
            at,
            json!({"containers": [{
                "name": "main",
                "env": [{"name": "A", "value": "1"}],
                "ports": [{"containerPort": 80}],
            }]}),
        ),
        (6, _) => {
            json!({"metadata": {
                "$deleteFromPrimitiveList/finalizers": ["example.com/a"],
                "finalizers": ["example.com/b"],
            }})
        }
        (7, _) => json!({"metadata": {"labels": {"$patch": "replace", "b": "c"}}}),
        (8, _) => json!({"metadata": {"$retainKeys": ["name"], "labels": {"x": "y"}}}),
        _ => {
            json!({
                "$patch": dice.pick(&["delete", "replace", "merge", "bad"]),
                "metadata": {"labels": {"x": "y"}},
            })
        }
    };
    *patch = made;
}

fn at_path(path: &str, value: Value) -> Value {
    path.rsplit('/').filter(|key| !key.is_empty()).fold(value, |inner, key| json!({key: inner}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_leads_from_one_value_to_the_other() {
        let (from, to) = (json!({"a": {"b": 1, "c": 2}, "d": 3}), json!({"a": {"b": 1, "c": 4}, "e": [5]}));
        assert_eq!(difference(&from, &to), json!({"a": {"c": 4}, "d": null, "e": [5]}));
        assert_eq!(at_path("/spec/template", json!(1)), json!({"spec": {"template": 1}}));
    }
}
