//! Custom kinds: generated definitions, sent with `dryRun`, and objects of some that exist.

use super::super::{
    dice::Dice,
    probe::{Ask, NAMESPACE},
    values, yaml,
};
use super::apply::APPLY;
use super::merge::MERGE;
use super::with_query;
use serde_json::{Map, Value, json};

const GROUP: &str = "differential.example.com";
/// How many definitions both servers have.
const DEFINED: usize = 8;
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The requests that make the definitions.
pub(crate) fn definitions() -> impl Iterator<Item = Ask> {
    (0..DEFINED).map(|number| {
        let words = format!("kind{number}s");
        Ask::create(
            DEFINITIONS,
            &definition(&words, &format!("Kind{number}"), &schema(&mut Dice::new(number as u64))),
        )
    })
}

/// The paths where the objects of the definitions are.
pub(crate) fn collections() -> impl Iterator<Item = String> {
    (0..DEFINED).map(|number| format!("/apis/{GROUP}/v1/namespaces/{NAMESPACE}/kind{number}s"))
}

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    if dice.one_in(3) {
        return (Vec::new(), new_definition(dice, name));
    }
    let number = dice.below(DEFINED);
    let schema = schema(&mut Dice::new(number as u64));
    let collection = format!("/apis/{GROUP}/v1/namespaces/{NAMESPACE}/kind{number}s");
    let object = |dice: &mut Dice| {
        let mut object = value(dice, &schema);
        object["apiVersion"] = json!(format!("{GROUP}/v1"));
        object["kind"] = json!(format!("Kind{number}"));
        object["metadata"] = json!({"name": name, "labels": {"app": "a"}});
        if dice.one_in(6) {
            values::set(&mut object, "/metadata/unknown", json!(1));
        }
        object
    };
    let body = object(dice);
    let validation = dice.pick(&["", "", "", "fieldValidation=Strict", "fieldValidation=Ignore"]);
    let of_it = format!("{collection}/{name}");
    let (api_version, kind) = (format!("{GROUP}/v1"), format!("Kind{number}"));
    let valid = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    let given = vec![Ask::sent("POST", &collection, "application/json", valid.to_string())];
    match dice.below(8) {
        0 => (given, Ask::sent("PATCH", with_query(of_it, &[validation]), MERGE, values::text_of(&body))),
        1 => (
            given,
            Ask::sent(
                "PATCH",
                with_query(of_it, &["fieldManager=one", validation]),
                APPLY,
                yaml::document(dice, &body),
            ),
        ),
        2 => (
            Vec::new(),
            Ask::sent(
                "POST",
                with_query(collection, &[validation]),
                "application/yaml",
                yaml::document(dice, &body),
            ),
        ),
        3 => (
            given,
            Ask::sent(
                "PATCH",
                format!("{of_it}/{}", dice.pick(&["status", "scale"])),
                MERGE,
                values::text_of(&json!({"status": body["spec"], "spec": {"replicas": 3}})),
            ),
        ),
        _ => (
            Vec::new(),
            Ask::sent(
                "POST",
                with_query(collection, &[validation]),
                "application/json",
                values::text_of(&body),
            ),
        ),
    }
}

/// A definition that nobody stores: it would take the server seconds to serve each.
fn new_definition(dice: &mut Dice, name: &str) -> Ask {
    let mut schema = schema(dice);
    if dice.one_in(2) {
        break_schema(dice, &mut schema);
    }
    let plural = format!("x{}", name.replace('-', ""));
    let mut made = definition(&plural, "Thing", &schema);
    if dice.one_in(2) {
        let version = "/spec/versions/0";
        let (at, value) = dice
            .pick(&[
                ("/spec/names/plural", json!("UPPER")),
                ("/spec/names/kind", json!("thing kind")),
                ("/spec/names/shortNames", json!(["a", "a", "A"])),
                ("/spec/names/categories", json!(["all", "B"])),
                ("/spec/scope", json!("Galaxy")),
                ("/spec/group", json!("other.example.com")),
                ("/spec/versions", json!([])),
                ("/spec/versions/0/name", json!("V1")),
                ("/spec/versions/0/storage", json!(false)),
                ("/spec/versions/0/served", json!(false)),
                ("/spec/versions/0/schema", json!(null)),
                (
                    "/spec/versions/0/additionalPrinterColumns",
                    json!([{"name": "A", "type": "string", "jsonPath": ".spec.a"}]),
                ),
                (
                    "/spec/versions/0/additionalPrinterColumns",
                    json!([
                        {"name": "A", "type": "number", "jsonPath": "spec"},
                        {"name": "", "type": "bad", "jsonPath": ""},
                    ]),
                ),
                (
                    "/spec/versions/0/additionalPrinterColumns",
                    json!([{"name": "A", "type": "date", "jsonPath": ".spec[?(@.a]"}]),
                ),
                (
                    "/spec/versions/0/subresources",
                    json!({"scale": {
                        "specReplicasPath": ".spec.a",
                        "statusReplicasPath": ".status.a",
                    }}),
                ),
                (
                    "/spec/versions/0/subresources",
                    json!({"scale": {
                        "specReplicasPath": "spec.a",
                        "statusReplicasPath": ".spec.a",
                        "labelSelectorPath": "x",
                    }}),
                ),
                (
                    "/spec/versions/0/selectableFields",
                    json!([{"jsonPath": ".spec.replicas"}, {"jsonPath": ".spec.none"}]),
                ),
                ("/spec/versions/0/deprecated", json!(true)),
                ("/spec/versions/0/deprecationWarning", json!("old")),
                ("/spec/preserveUnknownFields", json!(true)),
                ("/spec/conversion", json!({"strategy": "Webhook"})),
                (
                    "/spec/conversion",
                    json!({"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}),
                ),
                ("/metadata/name", json!("wrong.example.com")),
            ])
            .clone();
        let (parent, field) = at.rsplit_once('/').unwrap_or((version, "name"));
        if let Some(place) = made.pointer_mut(parent) {
            place[field] = value;
        }
    }
    Ask::sent("POST", format!("{DEFINITIONS}?dryRun=All"), "application/json", values::text_of(&made))
}

fn definition(plural: &str, kind: &str, schema: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.replicas",
                    "statusReplicasPath": ".status.replicas",
                }},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": schema,
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    })
}

/// Draws the schema of a `spec`.
fn schema(dice: &mut Dice) -> Value {
    let mut properties = Map::new();
    properties.insert("replicas".to_owned(), json!({"type": "integer", "format": "int32"}));
    for name in ["a", "b", "c", "d", "e"] {
        properties.insert(name.to_owned(), property(dice, 0));
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if dice.one_in(3) {
        schema["required"] = json!([dice.pick(&["a", "b"])]);
    }
    if dice.one_in(4) {
        schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
    }
    if dice.one_in(2) {
        let rules = [
            "!has(self.replicas) || self.replicas < 10",
            "has(self.a) || has(self.b)",
            "!has(self.replicas) || self.replicas % 2 == 0",
            "!has(oldSelf.replicas) || self.replicas >= oldSelf.replicas",
        ];
        schema["x-kubernetes-validations"] = json!([{"rule": dice.pick(&rules)}]);
    }
    schema
}

/// Draws the schema of one property.
fn property(dice: &mut Dice, depth: usize) -> Value {
    let kind = if depth < 2 { dice.below(15) } else { dice.below(11) };
    match kind {
        0 => json!({"type": "string", "maxLength": 5, "minLength": 1}),
        1 => json!({"type": "string", "enum": ["one", "two", ""], "default": "one"}),
        2 => json!({"type": "string", "pattern": "^[a-z]+$"}),
        3 => {
            let formats = "date-time ipv4 uuid duration byte hostname email uri cidr date mac k8s-short-name \
                           password made-up";
            let formats: Vec<_> = formats.split(' ').collect();
            json!({"type": "string", "format": dice.pick(&formats)})
        }
        4 => json!({"type": "integer", "minimum": 1, "maximum": 9, "exclusiveMaximum": true}),
        5 => json!({"type": "integer", "format": dice.pick(&["int32", "int64"]), "default": 3}),
        6 => json!({"type": "number", "multipleOf": 0.5, "nullable": true}),
        7 => json!({"type": "boolean", "default": true}),
        8 => json!({"x-kubernetes-int-or-string": true}),
        9 => json!({"type": "string", "nullable": true, "default": null}),
        10 => json!({"x-kubernetes-preserve-unknown-fields": true}),
        11 => {
            json!({
                "type": "array",
                "items": property(dice, depth + 1),
                "maxItems": 3,
                "x-kubernetes-list-type": "atomic",
            })
        }
        12 => {
            json!({
                "type": "array",
                "items": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string"},
                    "v": property(dice, depth + 1),
                }},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            })
        }
        13 => json!({"type": "object", "additionalProperties": property(dice, depth + 1)}),
        _ => {
            json!({
                "type": "object",
                "properties": {"x": property(dice, depth + 1), "y": property(dice, depth + 1)},
                "default": {},
            })
        }
    }
}

/// Breaks one rule of structural schemas, or adds a rule that does not compile.
fn break_schema(dice: &mut Dice, schema: &mut Value) {
    let (field, value) = dice
        .pick(&[
            ("type", json!("")),
            ("type", json!("text")),
            ("default", json!({"replicas": "x"})),
            ("default", json!({"unknown": 1})),
            ("required", json!(["missing"])),
            ("additionalProperties", json!(true)),
            ("x-kubernetes-list-type", json!("set")),
            ("x-kubernetes-validations", json!([{"rule": "self.nothing > 1"}])),
            ("x-kubernetes-validations", json!([{"rule": "self.replicas"}])),
            ("x-kubernetes-validations", json!([{"rule": "true", "messageExpression": "1"}])),
            ("x-kubernetes-validations", json!([{"rule": "(", "message": "a\nb"}])),
            ("x-kubernetes-validations", json!([{"rule": "true", "reason": "Bad", "fieldPath": ".none"}])),
            ("x-kubernetes-embedded-resource", json!(true)),
            ("not", json!({"type": "object"})),
            ("oneOf", json!([{"required": ["a"]}, {"required": ["b"]}])),
            ("anyOf", json!([{"properties": {"zz": {"minimum": 1}}}])),
            ("maxProperties", json!(-1)),
            ("$ref", json!("#/definitions/a")),
            ("uniqueItems", json!(true)),
            ("nullable", json!("x")),
            ("unknown", json!(1)),
        ])
        .clone();
    if dice.one_in(2) {
        schema[field] = value;
    } else {
        schema["properties"]["a"][field] = value;
    }
}

/// Draws a value of a schema, or nearly.
fn value(dice: &mut Dice, schema: &Value) -> Value {
    let mut object = json!({"spec": of_schema(dice, schema)});
    match dice.below(14) {
        0 => values::set(&mut object, "/spec/unknown", json!(1)),
        1 => object["unknown"] = json!({"a": 1}),
        2 => object["spec"] = json!(null),
        3 => object["spec"] = json!([]),
        4 => object["status"] = json!({"replicas": 1}),
        _ => {}
    }
    object
}

fn of_schema(dice: &mut Dice, schema: &Value) -> Value {
    if dice.one_in(14) {
        return dice
            .pick(&[json!(null), json!("x"), json!(1), json!([]), json!({}), json!(true), json!("@@1.0@@")])
            .clone();
    }
    let strings = [
        "one",
        "two",
        "abc",
        "abcdef",
        "ABC",
        "",
        "é",
        "192.0.2.1",
        "1h",
        "2020-01-02T03:04:05Z",
        "YQ==",
        "a@b.c",
        "http://a/b",
        "2020-01-02",
    ];
    let numbers = [
        "@@1@@",
        "@@2@@",
        "@@8@@",
        "@@9@@",
        "@@10@@",
        "@@0@@",
        "@@-1@@",
        "@@1.0@@",
        "@@1.5@@",
        "@@1e3@@",
        "@@2147483648@@",
        "@@9223372036854775808@@",
        "@@1e21@@",
        "@@-0@@",
    ];
    match schema["type"].as_str().unwrap_or_default() {
        "string" => json!(dice.pick(&strings)),
        "integer" | "number" => json!(dice.pick(&numbers)),
        "boolean" => json!(dice.one_in(2)),
        "array" => (0..dice.below(5)).map(|_| of_schema(dice, &schema["items"])).collect(),
        "object" => {
            let mut object = Map::new();
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if !dice.one_in(3) {
                    object.insert(name.clone(), of_schema(dice, property));
                }
            }
            if schema["additionalProperties"].is_object() {
                object.insert("k".to_owned(), of_schema(dice, &schema["additionalProperties"]));
            }
            if dice.one_in(12) {
                object.insert("unknown".to_owned(), json!({"a": 1}));
            }
            Value::Object(object)
        }
        _ => dice.pick(&[json!(1), json!("50%"), json!({"a": [1]}), json!(1.5), json!(null)]).clone(),
    }
}
