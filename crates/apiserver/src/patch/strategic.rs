//! Strategic merge patches: merge patches that know how the lists of the built-in kinds are merged, and
//! that carry directives.

use serde_json::{Map, Value};

use crate::schema::{PatchRule, Schema};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// What is wrong with a patch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StrategicError {
    #[error("Unknown patch type found: {0}")]
    UnknownDirective(String),
    #[error("map: {0} does not contain declared merge key: {1}")]
    NoMergeKey(String, String),
    #[error("{0} is not in the form that its directive asks for")]
    Malformed(String),
}

type Result<T> = std::result::Result<T, StrategicError>;

/// Changes `object`, of the type `schema`, as `patch` says.
pub(super) fn merge(schema: Option<Schema<'_>>, object: &mut Value, patch: &Value) -> Result<()> {
    let Some(patch) = patch.as_object() else {
        return Err(StrategicError::Malformed("the patch".to_owned()));
    };
    map(object, patch, schema)
}

/// What a patch does to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListRule<'a> {
    /// The patch's list takes its place.
    Atomic,
    /// Items with the same value of this property are merged.
    ByKey(&'a str),
    /// A set of plain values, to which the patch adds.
    Set,
}

impl<'a> ListRule<'a> {
    fn of(schema: Option<Schema<'a>>) -> Self {
        match schema.and_then(|schema| schema.patch()) {
            Some(PatchRule { merges: true, key: Some(key), .. }) => Self::ByKey(key),
            Some(PatchRule { merges: true, key: None, .. }) => Self::Set,
            _ => Self::Atomic,
        }
    }
}

/// Merges `patch` into an object of the type `schema`; where there is none, lists are replaced.
fn map(target: &mut Value, patch: &Map<String, Value>, schema: Option<Schema<'_>>) -> Result<()> {
    match directive(patch)? {
        Directive::Merge => {}
        Directive::Replace => {
            *target = without_directives(&Value::Object(patch.clone()));
            return Ok(());
        }
        Directive::Delete => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().expect("made an object above");
    if let Some(retained) = patch.get(RETAIN_KEYS) {
        let retained =
            retained.as_array().ok_or_else(|| StrategicError::Malformed(RETAIN_KEYS.to_owned()))?;
        target.retain(|key, _| retained.iter().any(|kept| kept == key));
    }
    for (field, gone) in patch.iter().filter_map(|(key, value)| Some((key.strip_prefix(DELETE)?, value))) {
        let gone = gone.as_array().ok_or_else(|| StrategicError::Malformed(format!("{DELETE}{field}")))?;
        if let Some(list) = target.get_mut(field).and_then(Value::as_array_mut) {
            list.retain(|value| !gone.contains(value));
        }
    }
    for (field, value) in patch.iter().filter(|(field, _)| !field.starts_with('$')) {
        let schema = schema.and_then(|schema| schema.field(field));
        let replaces = schema.and_then(|schema| schema.patch()).is_some_and(|rule| rule.replaces);
        match value {
            Value::Null => drop(target.remove(field)),
            value if replaces => drop(target.insert(field.clone(), without_directives(value))),
            Value::Object(patch) => {
                map(target.entry(field.as_str()).or_insert(Value::Null), patch, schema)?;
            }
            Value::Array(patch) => {
                list(target.entry(field.as_str()).or_insert(Value::Null), patch, schema)?;
            }
            scalar => drop(target.insert(field.clone(), scalar.clone())),
        }
    }
    for (field, order) in patch.iter().filter_map(|(key, value)| Some((key.strip_prefix(ORDER)?, value))) {
        let order = order.as_array().ok_or_else(|| StrategicError::Malformed(format!("{ORDER}{field}")))?;
        if let Some(list) = target.get_mut(field).and_then(Value::as_array_mut) {
            sort(list, order, ListRule::of(schema.and_then(|schema| schema.field(field))));
        }
    }
    Ok(())
}

fn list(target: &mut Value, patch: &[Value], schema: Option<Schema<'_>>) -> Result<()> {
    let rule = ListRule::of(schema);
    if !target.is_array() || rule == ListRule::Atomic {
        // Directives in the items still count, so what is new is merged into an empty list.
        *target = Value::Array(Vec::new());
    }
    let list = target.as_array_mut().expect("made a list above");
    match rule {
        ListRule::Atomic => list.extend(patch.iter().map(without_directives)),
        ListRule::Set => {
            for value in patch.iter().filter(|value| !value.is_object()) {
                if !list.contains(value) {
                    list.push(value.clone());
                }
            }
        }
        ListRule::ByKey(key) => keyed(list, patch, key, schema.and_then(|schema| schema.items()))?,
    }
    Ok(())
}

fn keyed(list: &mut Vec<Value>, patch: &[Value], key: &str, schema: Option<Schema<'_>>) -> Result<()> {
    let whole = patch.iter().any(|item| item[PATCH] == "replace" && item.get(key).is_none());
    if whole {
        list.clear();
    }
    for item in patch {
        let Some(fields) = item.as_object() else {
            return Err(StrategicError::Malformed(item.to_string()));
        };
        let Some(wanted) = fields.get(key) else {
            if whole && fields.contains_key(PATCH) {
                continue; // the directive itself
            }
            return Err(StrategicError::NoMergeKey(item.to_string(), key.to_owned()));
        };
        if let Directive::Delete = directive(fields)? {
            list.retain(|existing| existing.get(key) != Some(wanted));
            continue;
        }
        let position = list.iter().position(|existing| existing.get(key) == Some(wanted));
        let position = position.unwrap_or_else(|| {
            list.push(Value::Null);
            list.len() - 1
        });
        map(&mut list[position], fields, schema)?;
    }
    Ok(())
}

/// Puts the items that `order` names into that order. The others keep their places between them as
/// far as the order that they had before allows.
fn sort(list: &mut Vec<Value>, order: &[Value], rule: ListRule<'_>) {
    let key = match rule {
        ListRule::Atomic => return,
        ListRule::ByKey(key) => Some(key),
        ListRule::Set => None,
    };
    let same = |one: &Value, other: &Value| match key {
        Some(key) => one.get(key) == other.get(key),
        None => one == other,
    };
    let rank = |item: &Value| order.iter().position(|wanted| same(wanted, item));
    let items = std::mem::take(list).into_iter().enumerate();
    let (mut named, others): (Vec<_>, Vec<_>) = items.partition(|(_, item)| rank(item).is_some());
    named.sort_by_key(|(_, item)| rank(item));
    let mut others = others.into_iter().peekable();
    for (before, item) in named {
        while let Some((_, other)) = others.next_if(|(place, _)| *place < before) {
            list.push(other);
        }
        list.push(item);
    }
    list.extend(others.map(|(_, other)| other));
}

enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(patch: &Map<String, Value>) -> Result<Directive> {
    match patch.get(PATCH) {
        None => Ok(Directive::Merge),
        Some(Value::String(word)) if word == "merge" => Ok(Directive::Merge),
        Some(Value::String(word)) if word == "replace" => Ok(Directive::Replace),
        Some(Value::String(word)) if word == "delete" => Ok(Directive::Delete),
        Some(other) => Err(StrategicError::UnknownDirective(other.to_string())),
    }
}

/// What is left of a new value: no directives, and no nulls, which would only have removed something.
fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(field, value)| !field.starts_with('$') && !value.is_null());
            Value::Object(kept.map(|(field, value)| (field.clone(), without_directives(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_directives).collect()),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*, sample::subsequence};
    use serde_json::json;

    use super::*;
    use crate::kinds::Kinds;

    fn patched(kind: &str, object: Value, patch: &Value) -> Value {
        let (group, plural) = if kind == "Pod" { ("", "pods") } else { ("apps", "deployments") };
        let kind = Kinds::built_in().get(group, "v1", plural).expect("built in");
        let mut object = object;
        merge(Schema::of(&kind), &mut object, patch).expect("the patch applies");
        object
    }

    fn containers(object: &Value) -> Vec<&str> {
        object["spec"]["containers"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect()
    }

    fn pod(names: &[&str]) -> Value {
        let containers: Vec<_> = names.iter().map(|name| json!({"name": name, "image": "1"})).collect();
        json!({"spec": {"containers": containers}})
    }

    #[test]
    fn items_with_the_same_key_are_merged_and_new_ones_are_appended() {
        let patch = json!({"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]}});
        let object = patched("Pod", pod(&["a", "b"]), &patch);
        assert_eq!(containers(&object), ["a", "b", "c"]);
        assert_eq!(object["spec"]["containers"][1], json!({"name": "b", "image": "2"}));
    }

    #[test]
    fn lists_in_templates_and_within_containers_have_their_own_keys() {
        let object = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 80}], "args": ["x"]}
        ]}}}});
        let patch = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "env": [{"name": "Y", "value": "2"}], "ports": [{"containerPort": 80, "name": "http"}],
             "args": ["y"]}
        ]}}}});
        let object = patched("Deployment", object, &patch);
        let container = &object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["env"].as_array().unwrap().len(), 2);
        assert_eq!(container["ports"], json!([{"containerPort": 80, "name": "http"}]));
        assert_eq!(container["args"], json!(["y"]));
    }

    #[test]
    fn directives_delete_replace_retain_and_order() {
        let delete = json!({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}});
        assert_eq!(containers(&patched("Pod", pod(&["a", "b"]), &delete)), ["b"]);
        let replace = json!({"spec": {"containers": [{"$patch": "replace"}, {"name": "z"}]}});
        assert_eq!(containers(&patched("Pod", pod(&["a", "b"]), &replace)), ["z"]);
        let order = json!({"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "c"}],
        }});
        assert_eq!(containers(&patched("Pod", pod(&["a", "b", "c"]), &order)), ["b", "c", "a"]);
        let strategy =
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let retain = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        assert_eq!(patched("Deployment", strategy, &retain)["spec"]["strategy"], json!({"type": "Recreate"}));
    }

    #[test]
    fn finalizers_are_a_set_from_which_values_are_deleted_by_name() {
        let object = json!({"metadata": {"finalizers": ["a", "b"]}});
        let patch = json!({"metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "finalizers": ["c", "b"],
        }});
        assert_eq!(patched("Pod", object, &patch)["metadata"]["finalizers"], json!(["b", "c"]));
    }

    #[test]
    fn nulls_and_directives_never_reach_the_object() {
        let patch = json!({"metadata": {"labels": {"a": "b", "gone": null}}, "spec": {"nodeSelector": {"$patch": "replace", "x": "y"}}});
        let object = patched("Pod", json!({"spec": {"nodeSelector": {"old": "1"}}}), &patch);
        assert_eq!(object, json!({"metadata": {"labels": {"a": "b"}}, "spec": {"nodeSelector": {"x": "y"}}}));
    }

    /// Objects without lists: what a strategic and a plain merge patch treat alike.
    fn fields() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "[a-c]".prop_map(Value::from)
        ];
        let node = leaf.prop_recursive(3, 16, 3, |inner| {
            btree_map("[a-d]", inner, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
        });
        btree_map("[a-d]", node, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn without_lists_and_directives_it_is_a_merge_patch(object in fields(), patch in fields()) {
            let mut merged = object.clone();
            json_patch::merge(&mut merged, &patch);
            prop_assert_eq!(patched("Pod", object, &patch), merged);
        }

        #[test]
        fn a_patch_that_is_applied_again_changes_nothing(
            names in subsequence(vec!["a", "b", "c"], 0..=3),
            patched_names in subsequence(vec!["c", "b", "d"], 0..=3),
            ordered in any::<bool>(),
        ) {
            let mut patch = pod(&patched_names);
            if ordered {
                let order: Vec<Value> = patched_names.iter().rev().map(|name| json!({"name": name})).collect();
                patch["spec"]["$setElementOrder/containers"] = order.into();
            }
            let once = patched("Pod", pod(&names), &patch);
            prop_assert_eq!(patched("Pod", once.clone(), &patch), once);
        }
    }
}
