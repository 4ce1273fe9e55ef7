//! Definitions, right and wrong.

use super::*;
use crate::api::status::Cause;

/// A namespaced kind `Foo` of `example.com` in two versions.
fn foos() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "foos.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "foos", "kind": "Foo", "shortNames": ["fo"], "categories": ["all"]},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}},
                 "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                 "additionalPrinterColumns": [
                    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1}]},
                {"name": "v1beta1", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}},
                {"name": "v1alpha1", "served": false, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}},
            ],
        },
    })
}

fn accepted(mut definition: Value, kinds: &Kinds) -> Value {
    complete(&mut definition);
    assert_eq!(validate(&definition), []);
    accept(&mut definition, kinds, &"2026-01-02T03:04:05Z".into());
    definition
}

fn condition<'a>(definition: &'a Value, kind: &str) -> &'a Value {
    let conditions = definition["status"]["conditions"].as_array().expect("conditions");
    conditions.iter().find(|condition| condition["type"] == kind).expect("the condition")
}

#[test]
fn a_definition_becomes_one_kind_for_each_served_version() {
    let kinds = Kinds::built_in();
    let definition = accepted(foos(), &kinds);
    assert_eq!(condition(&definition, "NamesAccepted")["reason"], "NoConflicts");
    assert_eq!(condition(&definition, "Established")["status"], "True");
    assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(definition["status"]["acceptedNames"]["listKind"], "FooList");

    let served = served(&definition);
    assert_eq!(
        served.iter().map(Kind::api_version).collect::<Vec<_>>(),
        ["example.com/v1", "example.com/v1beta1"]
    );
    let [first, second] = &served[..] else { panic!("two versions are served") };
    assert_eq!((first.kind.as_str(), first.singular.as_str(), first.namespaced), ("Foo", "foo", true));
    assert_eq!(
        (&first.short_names[..], &first.categories[..]),
        (&["fo".to_owned()][..], &["all".to_owned()][..])
    );
    assert!(first.status && !second.status);
    assert_eq!(first.scale.as_ref().map(|scale| scale.spec.as_str()), Some("/spec/replicas"));
    assert_eq!(first.columns.iter().map(|column| column.priority).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(second.columns.iter().map(|column| &column.name[..]).collect::<Vec<_>>(), ["Name", "Age"]);
}

#[test]
fn a_definition_is_not_served_before_its_names_are_accepted() {
    assert!(served(&foos()).is_empty());
}

#[test]
fn names_that_another_kind_of_the_group_has_are_not_accepted() {
    let kinds = Kinds::built_in();
    served(&accepted(foos(), &kinds)).into_iter().for_each(|kind| kinds.insert(kind));

    let mut rival = foos();
    rival["metadata"]["name"] = "bars.example.com".into();
    rival["spec"]["names"]["plural"] = "bars".into();
    rival["spec"]["names"]["shortNames"] = json!([]);
    let rival = accepted(rival, &kinds);
    let refused = condition(&rival, "NamesAccepted");
    assert_eq!((&refused["status"], &refused["reason"]), (&json!("False"), &json!("ListKindConflict")));
    assert_eq!(refused["message"], "\"FooList\" is already in use");
    assert_eq!(condition(&rival, "Established")["reason"], "NotAccepted");
    assert!(served(&rival).is_empty());

    let again = accepted(foos(), &kinds);
    assert_eq!(condition(&again, "NamesAccepted")["status"], "True", "its own names are no conflict");
}

#[test]
fn a_wrong_definition_is_told_every_field_that_is_wrong() {
    let wrong = json!({
        "metadata": {"name": "wrong"},
        "spec": {
            "group": "example.com", "scope": "Bad", "names": {"plural": "Bars", "kind": "bar bar"},
            "versions": [
                {"name": "v1", "storage": false},
                {"name": "v1", "storage": false, "schema": {"openAPIV3Schema": {}},
                 "additionalPrinterColumns": [{"name": "", "type": "x", "jsonPath": "spec"}]},
            ],
        },
    });
    let causes: Vec<String> = validate(&wrong).iter().map(Cause::to_string).collect();
    let fields: Vec<&str> = causes.iter().map(|cause| cause.split(": ").next().unwrap_or_default()).collect();
    let expected = [
        "metadata.name",
        "spec.scope",
        "spec.versions[0].schema.openAPIV3Schema",
        "spec.versions[1].schema.openAPIV3Schema.type",
        "spec.versions[1].additionalPrinterColumns[0].name",
        "spec.versions[1].additionalPrinterColumns[0].type",
        "spec.versions[1].additionalPrinterColumns[0].JSONPath",
        "spec.versions",
        "spec.versions",
        "spec.names.plural",
        "spec.names.singular",
        "spec.names.kind",
        "spec.names.listKind",
        "status.storedVersions",
    ];
    assert_eq!(fields, expected);
    assert!(causes[1].contains("supported values: \"Cluster\", \"Namespaced\""), "{}", causes[1]);
}

#[test]
fn nothing_at_all_is_wrong_too_and_no_panic() {
    for nothing in [json!({}), json!({"spec": 3}), json!({"spec": {"names": [], "versions": {}}})] {
        let mut definition = nothing;
        complete(&mut definition);
        assert!(!validate(&definition).is_empty());
    }
}
