//! Changes of a Pod that the scheduler has not seen yet: where it may run is only narrowed down.

use serde_json::{Map, Value, json};

use crate::{
    api::{path::Path, status::Cause},
    registry::validation::items,
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

/// Validates the change of a spec that had scheduling gates.
pub(super) fn validate(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let labels = |spec: &Value| spec["nodeSelector"].as_object().cloned().unwrap_or_default();
    let (before, after) = (labels(old), labels(new));
    if !before.iter().all(|(key, value)| after.get(key) == Some(value)) {
        let because = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        let shown = if new["nodeSelector"].is_null() { Value::Null } else { after.into() };
        causes.push(Cause::invalid("spec.nodeSelector", &shown, because));
    }
    let affinity = |spec: &Value| spec["affinity"]["nodeAffinity"][REQUIRED].clone();
    let (before, after) = (affinity(old), affinity(new));
    terms(items(&before, "nodeSelectorTerms"), &after["nodeSelectorTerms"], causes);
}

/// Validates that alternatives are neither added nor removed, and that each only gets further conditions.
fn terms(before: &[Value], new: &Value, causes: &mut Vec<Cause>) {
    let after = new.as_array().map_or(&[][..], Vec::as_slice);
    let root = Path::Root("spec.affinity.nodeAffinity");
    let required = root.child(REQUIRED);
    let list = required.child("nodeSelectorTerms");
    if !before.is_empty() && before.len() != after.len() {
        let because = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let shown = match new {
            Value::Null => "null".to_owned(),
            _ => format!("[{}]", after.iter().map(shown).collect::<Vec<_>>().join(",")),
        };
        causes.push(Cause::invalid_json(list, &shown, because));
        return;
    }
    for (position, (before, after)) in before.iter().zip(after).enumerate() {
        if !has_only_additions(before, after) {
            let because = "only additions are allowed (no mutations or deletions)";
            causes.push(Cause::invalid_json(list.index(position), &shown(after), because));
        }
    }
}

fn has_only_additions(before: &Value, after: &Value) -> bool {
    let fields = ["matchExpressions", "matchFields"];
    let is_empty = |term: &Value| fields.iter().all(|field| items(term, field).is_empty());
    if is_empty(before) {
        return is_empty(after); // of no conditions, the alternative holds never: it stays so
    }
    fields.iter().all(|field| items(after, field).starts_with(items(before, field)))
}

/// Shows an alternative as upstream does: its Go struct, in its order.
fn shown(term: &Value) -> String {
    let requirement = |requirement: &Value| {
        let part = |field: &str| requirement.get(field).cloned().unwrap_or(Value::Null);
        let (key, operator, values) = (part("key"), part("operator"), part("values"));
        format!("{{\"Key\":{key},\"Operator\":{operator},\"Values\":{values}}}")
    };
    let list = |field: &str| match term[field].as_array() {
        None => "null".to_owned(),
        Some(all) => format!("[{}]", all.iter().map(requirement).collect::<Vec<_>>().join(",")),
    };
    format!("{{\"MatchExpressions\":{},\"MatchFields\":{}}}", list("matchExpressions"), list("matchFields"))
}

/// Takes the fields that may be narrowed down out of a spec.
pub(super) fn without_places(spec: &mut Map<String, Value>) {
    spec.remove("nodeSelector");
    if let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) {
        affinity.remove("nodeAffinity");
    }
    if spec.get("affinity").is_some_and(|affinity| *affinity == json!({})) {
        spec.remove("affinity");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(old: &Value, new: &Value) -> Vec<String> {
        let mut causes = Vec::new();
        validate(old, new, &mut causes);
        causes.iter().map(|cause| cause.field().to_owned()).collect()
    }

    #[test]
    fn labels_of_nodes_are_only_added() {
        let on = |labels: Value| json!({ "nodeSelector": labels });
        assert!(refused(&on(json!({"a": "1"})), &on(json!({"a": "1", "b": "2"}))).is_empty());
        assert_eq!(refused(&on(json!({"a": "1"})), &on(json!({"a": "2"}))), ["spec.nodeSelector"]);
        assert_eq!(refused(&on(json!({"a": "1"})), &json!({})), ["spec.nodeSelector"]);
    }

    #[test]
    fn alternatives_only_get_further_conditions() {
        let of =
            |terms: Value| json!({"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}});
        let zone = json!({"key": "zone", "operator": "In", "values": ["a"]});
        let exists = json!({"key": "disk", "operator": "Exists"});
        let one = of(json!([{"matchExpressions": [zone]}]));
        assert!(refused(&one, &of(json!([{"matchExpressions": [zone, exists]}]))).is_empty());
        assert!(refused(&json!({}), &one).is_empty());
        let field = format!("spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms");
        assert_eq!(refused(&one, &of(json!([{"matchExpressions": [exists]}]))), [format!("{field}[0]")]);
        assert_eq!(refused(&one, &json!({})), [field]);
    }
}
