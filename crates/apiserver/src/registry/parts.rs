//! Writes to a part of an object, such as its status: the fields that they change.

use serde_json::{Value, json};

use super::Kind;
use crate::api::{clock::Clock, object};

/// Keeps the change at `pointer`, such as `/spec/parts`, and undoes all others.
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

/// Keeps the metadata of a written status, but for the fields that the kind resets.
pub(super) fn keep_metadata(kind: &Kind, metadata: &Value, new: &mut Value) {
    let reset = kind.strategy.status_reset_fields;
    if reset.contains(&&["metadata"][..]) {
        return;
    }
    let from = json!({"metadata": metadata});
    let kept = ["labels", "annotations", "finalizers", "ownerReferences"];
    for field in kept.into_iter().filter(|field| !reset.contains(&&["metadata", field][..])) {
        object::copy_metadata(&from, new, field);
    }
}

/// Keeps the quality of service of a Pod if its new status leaves it out.
pub(super) fn keep_class(old: &Value, new: &mut Value) {
    let class = &old["status"]["qosClass"];
    if let Some(status) = new["status"].as_object_mut()
        && !class.is_null()
    {
        status.entry("qosClass").or_insert_with(|| class.clone());
    }
}

/// Sets the missing times of the conditions of a signing request.
pub(super) fn date_decisions(clock: &Clock, old: &Value, new: &mut Value) {
    let now = clock.text();
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

/// Copies the resources of each container to the container of the same name.
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
