//! Patches against models that are too simple to be wrong: what RFC 6902 and RFC 7386 say, written down.

use http::{HeaderMap, header};
use proptest::{collection::btree_map, option, prelude::*};
use serde_json::{Map, Value, json};

use super::*;

fn patched(form: &str, current: &Value, patch: &Value) -> Option<Value> {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form.parse().expect("a header"))]);
    let kind = Kind::plain("", "v1", "ConfigMap", "configmaps");
    let patch = Patch::read(&kind, &headers, patch.to_string().as_bytes(), FieldValidation::Warn)
        .expect("it is a patch");
    patch.apply(None, current).ok()
}

/// A value whose objects have no fields that are null.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(pruned).collect(),
        Value::Object(_) => merge_model(json!({}), value),
        scalar => scalar.clone(),
    }
}

/// RFC 7386, section 2, and upstream's habit of taking nulls out of lists that replace no object.
fn merge_model(target: Value, patch: &Value) -> Value {
    let is_object = target.is_object();
    let Value::Object(patch) = patch else {
        return if is_object { patch.clone() } else { pruned(patch) };
    };
    let mut merged = match target {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        let before = merged.remove(name).unwrap_or(Value::Null);
        if !value.is_null() {
            merged.insert(name.clone(), merge_model(before, value));
        }
    }
    merged.into()
}

/// RFC 6902, section 4; `None` if an operation cannot be carried out.
fn json_model(mut document: Value, operations: &[Value]) -> Option<Value> {
    for operation in operations {
        let path = |name: &str| operation[name].as_str().unwrap_or_default();
        let value = &operation["value"];
        match path("op") {
            "add" => add(&mut document, path("path"), value.clone())?,
            "remove" => drop(remove(&mut document, path("path"))?),
            "replace" if document.pointer(path("path")).is_none() && is_key(&document, path("path")) => {
                add(&mut document, path("path"), value.clone())?;
            }
            "replace" => *document.pointer_mut(path("path"))? = value.clone(),
            "move" => {
                if path("path").starts_with(&format!("{}/", path("from"))) {
                    return None; // into itself
                }
                let moved = remove(&mut document, path("from"))?;
                add(&mut document, path("path"), moved)?;
            }
            "copy" => {
                let from = path("from");
                let copied = match document.pointer(from) {
                    Some(copied) => copied.clone(),
                    None if is_key(&document, from) => Value::Null,
                    None => return None,
                };
                add(&mut document, path("path"), copied)?;
            }
            _ => {
                let found = document.pointer(path("path"));
                let found = found.or_else(|| is_key(&document, path("path")).then_some(&Value::Null))?;
                if found != value || has_null_items(found) {
                    return None;
                }
            }
        }
    }
    document.is_object().then_some(document)
}

/// Returns whether the value has a list that upstream cannot compare.
fn has_null_items(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| item.is_null() || has_null_items(item)),
        Value::Object(fields) => fields.values().any(has_null_items),
        _ => false,
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    let (parent, last) = path.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let place = last.parse().ok().filter(|place| *place <= items.len())?;
            items.insert(place, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(document: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = path.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(last),
        Value::Array(items) => {
            let place = last.parse().ok().filter(|place| *place < items.len())?;
            Some(items.remove(place))
        }
        _ => None,
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

fn document() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), name().prop_map(Value::from)];
    let value = leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            btree_map(name(), inner, 0..3).prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    });
    btree_map(name(), value, 0..3).prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()).boxed()
}

/// A path that may lead somewhere.
fn path() -> impl Strategy<Value = String> {
    let step = prop::sample::select(vec!["/a", "/b", "/c", "/0", "/1", "/-"]);
    proptest::collection::vec(step, 1..4).prop_map(|steps| steps.concat())
}

/// Whether an object could have a field at `path`.
fn is_key(document: &Value, path: &str) -> bool {
    path.rsplit_once('/').and_then(|(parent, _)| document.pointer(parent)).is_some_and(Value::is_object)
}

fn operations() -> impl Strategy<Value = Vec<Value>> {
    let word = prop::sample::select(vec!["add", "add", "remove", "replace", "move", "copy", "test"]);
    let operation = (word, path(), path(), option::of(document())).prop_map(|(op, path, from, value)| {
        let value = value.unwrap_or_else(|| json!(1));
        match op {
            "remove" => json!({"op": op, "path": path}),
            "move" | "copy" => json!({"op": op, "path": path, "from": from}),
            _ => json!({"op": op, "path": path, "value": value}),
        }
    });
    proptest::collection::vec(operation, 0..4)
}

proptest! {
    #[test]
    fn a_merge_patch_does_what_the_rfc_says(current in document(), patch in document()) {
        let expected = merge_model(current.clone(), &patch);
        prop_assert_eq!(patched(MERGE, &current, &patch), Some(expected));
    }

    #[test]
    fn a_json_patch_does_what_the_rfc_says_and_upstream_makes_of_it(current in document(), operations in operations()) {
        let expected = json_model(current.clone(), &operations);
        prop_assert_eq!(patched(JSON, &current, &Value::Array(operations)), expected);
    }

    /// Whatever is sent is answered.
    #[test]
    fn no_strategic_patch_panics(current in document(), patch in document()) {
        let directive = json!({"$patch": patch["a"], "$retainKeys": patch["b"], "$setElementOrder/a": patch["c"]});
        for patch in [patch, directive] {
            let patched = patched(STRATEGIC, &current, &patch);
            prop_assert!(patched.is_none_or(|object| object.is_object()));
        }
    }
}
