//! The definition and the answers are those that a kube-apiserver 1.36 was asked with and gave.

use serde_json::json;

use super::*;
use crate::{StructuralSchema, decode};

fn foos() -> StructuralSchema {
    let either = json!([{"required": ["x"]}, {"required": ["w"]}]);
    let numbers = json!({"x": {"type": "integer"}, "w": {"type": "integer"}});
    StructuralSchema::new(json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 10},
            "i32": {"type": "integer", "format": "int32"},
            "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5},
            "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "flag": {"type": "boolean"},
            "num": {"type": "number", "multipleOf": 2},
            "when": {"type": "string", "format": "date-time"},
            "uuid": {"type": "string", "format": "uuid"},
            "list": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "minItems": 1},
            "uniq": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "by": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "p"],
                "items": {"type": "object", "required": ["k"], "properties": {
                    "k": {"type": "string"}, "p": {"type": "string", "default": "TCP"}, "v": {"type": "integer", "maximum": 7},
                }},
            },
            "map": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "ip": {"type": "string", "format": "ipv4"},
            "all": {"type": "string", "allOf": [{"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}]},
            "lists": {"type": "object", "additionalProperties": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": {"type": "object", "properties": {"k": {"type": "string"}}},
            }},
            "nul": {"type": "string", "nullable": true},
            "nodef": {"type": "string", "nullable": true, "default": "x"},
            "emb": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
            "one": {"type": "object", "properties": numbers, "oneOf": either},
            "any": {"type": "object", "properties": numbers, "anyOf": either},
            "not": {"type": "object", "properties": numbers, "not": {"required": ["x"]}},
            "deep": {"type": "object", "default": {}, "properties": {"inner": {"type": "integer", "default": 7}}},
        }},
    }}))
}

/// The object as it is kept, and what is wrong with it.
fn judged(foo: Value) -> (Value, Vec<String>) {
    let declared = foos();
    let (object, errors) = decode(Some(declared.schema()), foo).expect("JSON");
    assert_eq!(errors.mistyped, None);
    let causes = declared.errors(&object, None);
    (object, causes.iter().map(FieldError::to_string).collect())
}

fn wrong(spec: impl Into<Value>) -> Vec<String> {
    judged(json!({"kind": "Foo", "spec": spec.into()})).1
}

/// ST-T1.
#[test]
fn what_is_right_is_completed_with_defaults() {
    let (foo, causes) = judged(json!({"spec": {"size": 1}}));
    assert_eq!(causes, [""; 0]);
    assert_eq!(foo["spec"], json!({"size": 1, "mode": "a", "nodef": "x", "deep": {"inner": 7}}));
    let (foo, causes) =
        judged(json!({"spec": {"size": 1, "nul": null, "nodef": null, "mode": null, "flag": null}}));
    assert_eq!(causes, [""; 0]);
    let expected = json!({"size": 1, "mode": "a", "nul": null, "nodef": null, "deep": {"inner": 7}});
    assert_eq!(foo["spec"], expected, "null stays where it may, and is nothing where it may not");
    assert_eq!(wrong(json!({"size": 1, "port": "http"})), [""; 0]);
}

/// ST-T2.
#[test]
fn each_mistake_is_told_in_upstream_s_words() {
    for (spec, because) in [
        (
            json!({"size": "x"}),
            "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
        ),
        (
            json!({"size": 11}),
            "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10",
        ),
        (
            json!({"size": 0}),
            "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
        ),
        (
            json!({"size": 1, "name": "A1"}),
            "spec.name: Invalid value: \"A1\": spec.name in body should match '^[a-z]+$'",
        ),
        (
            json!({"size": 1, "name": "a"}),
            "spec.name: Invalid value: \"a\": spec.name in body should be at least 2 chars long",
        ),
        // The length, and not the pattern, too.
        (
            json!({"size": 1, "name": "A"}),
            "spec.name: Invalid value: \"A\": spec.name in body should be at least 2 chars long",
        ),
        (json!({"size": 1, "name": "ABCDEFGH"}), "spec.name: Too long: may not be more than 5 bytes"),
        (json!({"size": 1, "name": "abcdefgh"}), "spec.name: Too long: may not be more than 5 bytes"),
        (
            json!({"size": 1, "mode": "c"}),
            "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"",
        ),
        (
            json!({"size": 1, "num": 3}),
            "spec.num: Invalid value: 3: spec.num in body should be a multiple of 2",
        ),
        (
            json!({"size": 1, "list": []}),
            "spec.list: Invalid value: 0: spec.list in body should have at least 1 items",
        ),
        (
            json!({"size": 1, "list": ["a", "b", "c", "d"]}),
            "spec.list: Too many: 4: must have at most 3 items",
        ),
        (
            json!({"size": 1, "list": ["a", null]}),
            "spec.list[1]: Invalid value: \"null\": spec.list[1] in body must be of type string: \"null\"",
        ),
        (
            json!({"size": 1, "map": {"a": "x"}}),
            "spec.map.a: Invalid value: \"string\": spec.map.a in body must be of type integer: \"string\"",
        ),
        (
            json!({"size": 1, "map": {"a": 1, "b": 2, "c": 3}}),
            "spec.map: Too many: 3: must have at most 2 items",
        ),
        (
            json!({"size": 1, "when": "x"}),
            "spec.when: Invalid value: \"x\": spec.when in body must be of type date-time: \"x\"",
        ),
        (
            json!({"size": 1, "uuid": "x"}),
            "spec.uuid: Invalid value: \"x\": spec.uuid in body must be of type uuid: \"x\"",
        ),
        (
            json!({"size": 1, "i32": 99_999_999_999_i64}),
            "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.i32",
        ),
        (json!({"size": 1, "by": [{"v": 1}]}), "spec.by[0].k: Required value"),
        (
            json!({"size": 1, "one": {"x": 1, "w": 1}}),
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
        ),
        (
            json!({"size": 1, "not": {"x": 1}}),
            "<nil>: Invalid value: \"\": \"spec.not\" must not validate the schema (not)",
        ),
        (json!([]), "spec: Invalid value: \"array\": spec in body must be of type object: \"array\""),
        (json!(null), "spec: Required value"),
    ] {
        assert_eq!(wrong(spec.clone()), [because], "{spec}");
    }
    let duplicates =
        wrong(json!({"size": 1, "uniq": ["a", "a", "b", "b"], "by": [{"k": "a"}, {"k": "a", "p": "TCP"}]}));
    let expected = [
        "spec.by[1]: Duplicate value: {\"k\":\"a\",\"p\":\"TCP\"}",
        "spec.uniq[1]: Duplicate value: \"a\"",
        "spec.uniq[3]: Duplicate value: \"b\"",
    ];
    assert_eq!(duplicates, expected);
    let none = wrong(json!({"size": 1, "any": {}, "one": {}}));
    let expected = [
        "<nil>: Invalid value: \"\": \"spec.any\" must validate at least one schema (anyOf)",
        "spec.any.x: Required value",
        "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found none valid",
        "spec.one.x: Required value",
    ];
    assert_eq!(none, expected);
    let embedded = wrong(json!({"size": 1, "emb": {"foo": 1}}));
    assert_eq!(embedded, ["spec.emb.apiVersion: Required value", "spec.emb.kind: Required value"]);
    let fraction = wrong(json!({"size": 1.5}));
    assert_eq!(
        fraction[1],
        "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec.size"
    );
}

#[test]
fn alternatives_are_told_beside_the_type() {
    let none = wrong(json!({"size": 1, "port": {}}));
    let expected = [
        "spec.port: Invalid value: \"object\": spec.port in body must be of type integer,string: \"object\"",
        "<nil>: Invalid value: \"\": \"spec.port\" must validate at least one schema (anyOf)",
        "spec.port: Invalid value: \"object\": spec.port in body must be of type integer: \"object\"",
    ];
    assert_eq!(none, expected);
    let all = wrong(json!({"size": 1, "all": "d"}));
    let expected = [
        "spec.all: Unsupported value: \"d\": supported values: \"a\", \"b\"",
        "spec.all: Unsupported value: \"d\": supported values: \"a\", \"b\", \"c\"",
        "<nil>: Invalid value: \"\": \"spec.all\" must validate all the schemas (allOf). None validated",
    ];
    assert_eq!(all, expected);
    let some = wrong(json!({"size": 1, "all": "c"}));
    assert_eq!(some[1], "<nil>: Invalid value: \"\": \"spec.all\" must validate all the schemas (allOf)");
}

#[test]
fn keyed_lists_and_formats_take_what_upstream_takes() {
    assert_eq!(wrong(json!({"size": 1, "ip": ["x"]})), [""; 0]);
    assert_eq!(
        wrong(json!({"size": 1, "ip": {}})),
        ["spec.ip: Invalid value: \"\": spec.ip in body must be of type ipv4: \"\""]
    );
    let entries = wrong(json!({"size": 1, "lists": {"a": [{"k": "x"}, {"k": "x"}], "b": [1]}}));
    let expected = [
        "spec.lists.b[0]: Invalid value: \"integer\": spec.lists.b[0] in body must be of type object: \"integer\"",
        "spec.lists[a][1]: Duplicate value: {\"k\":\"x\"}",
        "spec.lists[b][0]: Invalid value: 1: must be an object for an array of list-type map",
    ];
    assert_eq!(entries, expected);
}

/// ST-T3.
#[test]
fn an_update_is_not_held_to_what_it_leaves_as_it_was() {
    let declared = foos();
    let stored = json!({"spec": {
        "size": 20, "name": "A1", "list": ["1", "2", "3", "4"], "by": [{"k": "a", "p": "TCP", "v": 8}, {"k": "b", "p": "TCP", "v": 9}],
    }});
    let update = |pointer: &str, value: Value| {
        let mut new = stored.clone();
        *new.pointer_mut(pointer).expect("there") = value;
        declared.errors(&new, Some(&stored)).iter().map(FieldError::to_string).collect::<Vec<_>>()
    };
    assert_eq!(declared.errors(&stored, None).len(), 5);
    assert_eq!(update("/spec/name", json!("abc")), [""; 0]);
    assert_eq!(update("/spec/size", json!(21)).len(), 1);
    assert_eq!(update("/spec/list/0", json!("x")), ["spec.list: Too many: 4: must have at most 3 items"]);
    let moved = json!([{"k": "b", "p": "TCP", "v": 9}, {"k": "a", "p": "TCP", "v": 10}]);
    let because = "spec.by[1].v: Invalid value: 10: spec.by[1].v in body should be less than or equal to 7";
    assert_eq!(update("/spec/by", moved), [because], "items are found again by their keys");
}

#[test]
fn a_schema_that_makes_no_sense_judges_nothing() {
    let declared =
        StructuralSchema::new(json!({"type": "nonsense", "properties": {"spec": {"pattern": "("}}}));
    assert!(declared.errors(&json!({"spec": "x"}), None).is_empty());
}
