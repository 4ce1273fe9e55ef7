//! The types of built-in and custom kinds.

use serde_json::json;

use super::*;
use crate::{Scalar, StructuralSchema};

fn built_in(group: &str, kind: &str) -> Schema<'static> {
    Schema::named(group, "v1", kind).expect("built in")
}

/// The type behind a path; `[]` are the items of a list.
fn at<'a>(schema: Schema<'a>, path: &str) -> Schema<'a> {
    path.split('.').fold(schema, |schema, part| {
        let next = if part == "[]" { schema.items() } else { schema.field(part) };
        next.unwrap_or_else(|| panic!("no {part} of {path}"))
    })
}

/// Returns whether an object is one unit for its owners.
fn is_atomic(schema: Schema<'_>) -> bool {
    schema.0.atomic.or(schema.body().atomic).unwrap_or(false)
}

#[test]
fn a_pod_s_lists_maps_and_scalars_are_known() {
    let pod = built_in("", "Pod");
    let containers = at(pod, "spec.containers");
    assert_eq!((containers.kind(), containers.list()), (Form::List, ListType::Map(&["name".to_owned()])));
    let rule = containers.patch().expect("a rule");
    assert!(rule.merges && !rule.retains_keys && rule.key.as_deref() == Some("name"));
    let ports = at(pod, "spec.containers.[].ports");
    assert_eq!(ports.list(), ListType::Map(&["containerPort".to_owned(), "protocol".to_owned()]));
    assert_eq!(ports.items().and_then(|port| port.field("protocol")?.default()), Some(&json!("TCP")));
    assert_eq!(at(pod, "metadata.finalizers").list(), ListType::Set);
    assert_eq!(at(pod, "spec.containers.[].args").list(), ListType::Atomic);
    assert!(is_atomic(at(pod, "spec.nodeSelector")));
    assert!(is_atomic(at(pod, "metadata.ownerReferences.[]")));
    assert!(!is_atomic(at(pod, "metadata.labels")));
    for (path, scalar) in [
        ("spec.nodeName", Scalar::String),
        ("spec.priority", Scalar::Int32),
        ("spec.terminationGracePeriodSeconds", Scalar::Int64),
        ("spec.hostNetwork", Scalar::Boolean),
        ("metadata.creationTimestamp", Scalar::Time),
        ("spec.containers.[].resources.limits.cpu", Scalar::Quantity),
        ("spec.containers.[].livenessProbe.httpGet.port", Scalar::IntOrString),
    ] {
        assert_eq!(at(pod, path).kind(), Form::Scalar(scalar), "{path}");
    }
    assert!(pod.field("nope").is_none());
    assert!(at(pod, "spec.volumes").patch().is_some_and(|rule| rule.retains_keys && rule.merges));
}

#[test]
fn a_use_of_an_atomic_type_may_say_that_it_is_not() {
    assert!(!is_atomic(at(built_in("", "PersistentVolume"), "spec.claimRef")));
}

#[test]
fn times_with_and_without_fractions_of_a_second_are_told_apart() {
    let lease = built_in("coordination.k8s.io", "Lease");
    assert_eq!(at(lease, "spec.renewTime").kind(), Form::Scalar(Scalar::MicroTime));
    assert_eq!(at(lease, "metadata.creationTimestamp").kind(), Form::Scalar(Scalar::Time));
}

#[test]
fn a_custom_kind_is_what_its_definition_declares() {
    let declared = StructuralSchema::new(json!({
        "type": "object",
        "properties": {
            "metadata": {"type": "object"},
            "spec": {"type": "object", "properties": {
                "port": {"x-kubernetes-int-or-string": true},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "by": {"type": "object", "additionalProperties": {"type": "integer", "format": "int32"}},
                "template": {"type": "object", "x-kubernetes-embedded-resource": true},
                "ports": {
                    "type": "array", "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {"type": "object", "properties": {
                        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"},
                    }},
                },
            }},
        },
    }));
    let schema = declared.schema();
    assert_eq!(at(schema, "metadata.labels").kind(), Form::Map);
    assert_eq!(at(schema, "spec.port").kind(), Form::Scalar(Scalar::IntOrString));
    assert_eq!(at(schema, "spec.by.x").kind(), Form::Scalar(Scalar::Int32));
    assert!(at(schema, "spec.open").preserves_unknown() && !at(schema, "spec").preserves_unknown());
    assert_eq!(at(schema, "spec.template.metadata.name").kind(), Form::Scalar(Scalar::String));
    assert!(
        matches!(at(schema, "spec.ports").list(), ListType::Map([first, second]) if first == "port" && second == "protocol")
    );
    assert_eq!(at(schema, "spec.ports.[].protocol").default(), Some(&json!("TCP")));
    assert_eq!(declared.source()["type"], "object");
}

#[test]
fn a_schema_without_sense_is_no_panic() {
    for nonsense in [json!(null), json!({"type": 3, "properties": []}), json!({"type": "array"}), json!([1])]
    {
        let declared = StructuralSchema::new(nonsense);
        assert_eq!(declared.schema().kind(), Form::Struct);
        assert!(declared.schema().field("metadata").is_some());
    }
}
