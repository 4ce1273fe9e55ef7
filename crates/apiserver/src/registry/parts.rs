//! Writes to a part of an object, such as its status: the fields that they change.

use serde_json::{Value, json};

use super::Context;
use crate::api::object;

/// Leaves of `new` what is at `pointer`, such as `/spec/parts`, alone; the rest becomes as it was.
pub(super) fn only(old: &Value, new: &mut Value, pointer: &str) {
    let changed = new.pointer(pointer).cloned();
    *new = old.clone();
    let mut path = pointer.split('/').skip(1);
    let (Some(part), Some(field)) = (path.next(), path.next()) else { return };
    if !new[part].is_object() {
        new[part] = json!({});
    }
    if let Some(changed) = changed {
        new[part][field] = changed;
    } else if let Some(part) = new[part].as_object_mut() {
        part.remove(field);
    }
}

/// The labels, annotations and finalizers of a built-in kind can be written with its status, too.
pub(super) fn keep_metadata(metadata: &Value, new: &mut Value) {
    let from = json!({"metadata": metadata});
    for field in ["labels", "annotations", "finalizers"] {
        object::copy_metadata(&from, new, field);
    }
}

/// A Pod's quality of service was decided when it was made: a status that does not tell it leaves it.
pub(super) fn keep_class(old: &Value, new: &mut Value) {
    let class = &old["status"]["qosClass"];
    if let Some(status) = new["status"].as_object_mut()
        && !class.is_null()
    {
        status.entry("qosClass").or_insert_with(|| class.clone());
    }
}

/// Says when something was decided about a signing request, where whoever decided it does not.
pub(super) fn date_decisions(context: &Context, old: &Value, new: &mut Value) {
    let now = context.clock.text();
    for condition in new["status"]["conditions"].as_array_mut().into_iter().flatten() {
        let before = old["status"]["conditions"].as_array().into_iter().flatten();
        let same =
            |before: &&Value| ["type", "status"].iter().all(|field| before[*field] == condition[*field]);
        let same = before.into_iter().rfind(same);
        let since = same.map(|before| before["lastTransitionTime"].clone()).filter(|since| !since.is_null());
        let Some(condition) = condition.as_object_mut() else { continue };
        for (field, time) in [("lastUpdateTime", None), ("lastTransitionTime", since)] {
            if condition.get(field).is_none_or(Value::is_null) {
                condition.insert(field.to_owned(), time.unwrap_or_else(|| now.clone()));
            }
        }
    }
}

/// Gives each container the resources of the container of its name.
pub(super) fn copy_resources(from: &Value, to: &mut Value) {
    let named = |name: &Value| from.as_array()?.iter().find(|container| container["name"] == *name);
    for container in to.as_array_mut().into_iter().flatten() {
        if let Some(found) = named(&container["name"]) {
            for field in ["resources", "resizePolicy"] {
                object::copy_field(found, container, field);
            }
        }
    }
}
