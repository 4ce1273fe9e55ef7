//! Validation of changes of a Pod's spec, most of which never changes.

use serde_json::{Value, json};

use super::gated;
use crate::{
    api::{path::Path, status::Cause},
    registry::validation::{items, text},
};

/// Validates that only the mutable fields of a Pod's spec change.
pub(super) fn validate(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (old, new, path) = (&old["spec"], &new["spec"], Path::Root("spec"));
    for field in ["containers", "initContainers"] {
        let (containers, list) = (items(new, field), path.child(field));
        if items(old, field).len() != containers.len() {
            let because = "pod updates may not add or remove containers";
            causes.push(Cause::forbidden(list, because));
            return;
        }
        for (position, container) in containers.iter().enumerate() {
            let (image, path) = (text(container, "image"), list.index(position));
            if image.is_empty() {
                causes.push(Cause::required(path.child("image"), ""));
            }
            if image.trim() != image {
                let because = "must not have leading or trailing whitespace";
                causes.push(Cause::invalid(path.child("image"), &json!(image), because));
            }
        }
    }
    if !deadline(old, new, causes) {
        return;
    }
    tolerations(old, new, causes);
    gates(old, new, causes);
    if !items(old, "schedulingGates").is_empty() {
        gated::validate(old, new, causes);
    }
    if old != new && fixed(old, old) != fixed(new, old) {
        let because = "pod updates may not change fields other than `spec.containers[*].image`,\
            `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
            existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
            previously negative)";
        causes.push(Cause::forbidden("spec", because));
    }
}

/// Validates that a deadline only comes nearer; false if nothing else is looked at.
fn deadline(old: &Value, new: &Value, causes: &mut Vec<Cause>) -> bool {
    let field = "spec.activeDeadlineSeconds";
    let because = match (old["activeDeadlineSeconds"].as_i64(), new["activeDeadlineSeconds"].as_i64()) {
        (_, Some(after)) if !(0..=i64::from(i32::MAX)).contains(&after) => {
            "must be between 0 and 2147483647, inclusive"
        }
        (Some(before), Some(after)) if before < after => "must be less than or equal to previous value",
        (Some(_), None) => {
            let because = "must not update from a positive integer to nil value";
            causes.push(Cause::invalid(field, &Value::Null, because));
            return true;
        }
        _ => return true,
    };
    causes.push(Cause::invalid(field, &new["activeDeadlineSeconds"], because));
    false
}

/// Validates that tolerations are only added, or change in their time.
fn tolerations(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let without_time = |toleration: &Value| {
        let mut toleration = toleration.clone();
        toleration.as_object_mut().map(|fields| fields.remove("tolerationSeconds"));
        toleration
    };
    let (before, after) = (items(old, "tolerations"), items(new, "tolerations"));
    if before == after {
        return;
    }
    let kept: Vec<Value> = after.iter().map(without_time).collect();
    if !before.iter().all(|toleration| kept.contains(&without_time(toleration))) {
        let because = "existing toleration can not be modified except its tolerationSeconds";
        causes.push(Cause::forbidden("spec.tolerations", because));
    }
}

/// Validates that scheduling gates are only removed.
fn gates(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let known = |gate: &Value| items(old, "schedulingGates").iter().any(|one| one["name"] == gate["name"]);
    for (position, gate) in items(new, "schedulingGates").iter().enumerate().filter(|(_, gate)| !known(gate))
    {
        let because =
            format!("only deletion is allowed, but found new scheduling gate '{}'", text(gate, "name"));
        let list = Path::Root("spec.schedulingGates");
        causes.push(Cause::forbidden(list.index(position).child("name"), because));
    }
}

/// Returns the fields of a spec that do not change from `old`.
fn fixed(spec: &Value, old: &Value) -> Value {
    let mut spec = spec.clone();
    for field in ["containers", "initContainers"] {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                container.remove("image");
            }
        }
    }
    let is_gated = !items(old, "schedulingGates").is_empty();
    if let Some(spec) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
            spec.remove(field);
        }
        let grace = "terminationGracePeriodSeconds";
        if old[grace].as_i64().is_some_and(|before| before < 0)
            && spec.get(grace).is_some_and(|after| *after == 1 || *after == old[grace])
        {
            spec.remove(grace);
        }
        if is_gated {
            gated::without_places(spec);
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &Value, new: &Value) -> Vec<String> {
        let mut causes = Vec::new();
        validate(&json!({ "spec": old }), &json!({ "spec": new }), &mut causes);
        causes.iter().map(|cause| cause.field().to_owned()).collect()
    }

    #[test]
    fn gates_go_and_never_come() {
        let gated = |names: &[&str]| {
            let gates: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            json!({ "schedulingGates": gates })
        };
        assert!(changed(&gated(&["a", "b"]), &gated(&["b"])).is_empty());
        assert_eq!(changed(&gated(&["a"]), &gated(&["a", "b"])), ["spec.schedulingGates[1].name"]);
        let moved = json!({"schedulingGates": [{"name": "a"}], "nodeSelector": {"zone": "a"}});
        assert!(changed(&gated(&["a"]), &moved).is_empty());
        assert_eq!(changed(&gated(&[]), &json!({"nodeSelector": {"zone": "a"}})), ["spec"]);
    }

    #[test]
    fn a_deadline_only_comes_nearer() {
        let at = |seconds: i64| json!({ "activeDeadlineSeconds": seconds });
        assert!(changed(&at(5), &at(4)).is_empty() && changed(&json!({}), &at(4)).is_empty());
        assert_eq!(changed(&at(5), &at(6)), ["spec.activeDeadlineSeconds"]);
        assert_eq!(changed(&at(5), &json!({})), ["spec.activeDeadlineSeconds"]);
    }
}
