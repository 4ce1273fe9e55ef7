//! Definitions and objects, through the public API.

use serde_json::{Value, json};
use trimtab_schema::{Definition, DefinitionError, FieldError, ObjectError};

fn definition(schema: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "apps.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "App", "plural": "apps"}, "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
        ]},
    })
}

fn apps() -> Definition {
    let schema = json!({"type": "object", "properties": {"spec": {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "maximum": 10},
            "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "name": {"type": "string", "pattern": "^\\w+$"},
        },
        "x-kubernetes-validations": [{"rule": "self.size >= oldSelf.size", "message": "cannot shrink"}],
    }}});
    Definition::from_json(&definition(&schema)).expect("structural")
}

fn app(spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "App", "metadata": {"name": "a"}, "spec": spec})
}

#[test]
fn defaults_are_filled_in() {
    let completed = apps().complete(&app(&json!({"size": 1}))).expect("valid");
    assert_eq!(completed["spec"], json!({"size": 1, "mode": "a"}));
}

#[test]
fn errors_have_fields_and_upstream_s_messages() {
    let error =
        apps().validate(&app(&json!({"size": 11, "mode": "c", "name": "\u{e9}"}))).expect_err("invalid");
    assert_eq!(
        error.to_string(),
        "App.example.com \"a\" is invalid: [spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\", \
         spec.name: Invalid value: \"\u{e9}\": spec.name in body should match '^\\w+$', \
         spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10, \
         <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the \
         existing errors to complete validation]"
    );
    let fields: Vec<&str> = error.errors().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["spec.mode", "spec.name", "spec.size", "<nil>"]);
    assert_eq!(error.errors()[0].reason(), "FieldValueNotSupported");
}

#[test]
fn updates_are_compared_with_the_old_object() {
    let (small, large) = (app(&json!({"size": 1})), app(&json!({"size": 2})));
    apps().validate_update(&large, &small).expect("it grows");
    let error = apps().validate_update(&small, &large).expect_err("it shrinks");
    assert!(error.to_string().ends_with("spec: Invalid value: cannot shrink"), "{error}");
    let too_large = app(&json!({"size": 11}));
    apps().validate_update(&too_large, &too_large).expect("the error was there before");
}

#[test]
fn strict_decoding_names_unknown_fields_and_wrong_metadata() {
    let error = apps().validate(&app(&json!({"colour": 1}))).expect_err("unknown");
    assert_eq!(error, ObjectError::Decode("strict decoding error: unknown field \"spec.colour\"".to_owned()));
    let mut wrong = app(&json!({}));
    wrong["metadata"]["name"] = json!(3);
    let error = apps().validate(&wrong).expect_err("a name is a string").to_string();
    assert!(error.contains("cannot unmarshal number into Go struct field ObjectMeta.name"), "{error}");
}

#[test]
fn objects_of_other_kinds_are_named() {
    for (api_version, kind) in
        [("example.com/v2", "App"), ("example.com/v1", "Other"), ("v1", "App"), ("", "")]
    {
        let error =
            apps().validate(&json!({"apiVersion": api_version, "kind": kind})).expect_err("another kind");
        assert_eq!(error.to_string(), format!("no matches for kind {kind:?} in version {api_version:?}"));
    }
}

#[test]
fn definitions_without_sense_are_refused() {
    let refused = |text: &str| Definition::from_yaml(text).expect_err(text);
    assert!(matches!(refused("a: [1"), DefinitionError::Yaml(_)));
    assert_eq!(refused("kind: Pod"), DefinitionError::Form("apiVersion"));
    let empty = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}";
    assert_eq!(refused(empty), DefinitionError::Form("spec.group"));
    let rule = json!({"type": "object", "properties": {"spec": {
        "type": "object", "x-kubernetes-validations": [{"rule": "self.size > 0"}],
    }}});
    let error = Definition::from_json(&definition(&rule)).expect_err("no such field").to_string();
    assert!(error.contains("undefined field 'size'"), "{error}");
    let free = json!({"type": "object", "properties": {"spec": {}}});
    let error = Definition::from_json(&definition(&free)).expect_err("no type").to_string();
    let expected = "spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for \
                    specified object fields";
    assert_eq!(error, expected);
}
