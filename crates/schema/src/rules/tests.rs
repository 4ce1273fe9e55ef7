//! Rules of a schema, asked of objects.

use serde_json::{Value as Json, json};

use super::*;

/// Returns the errors of an object, as `field: message`.
fn broken(schema: &Json, object: &Json, old: Option<&Json>) -> Vec<String> {
    Rules::new(schema).causes(object, old, &[]).iter().map(FieldError::to_string).collect()
}

/// Returns the errors of the rules of a schema.
fn refused(schema: &Json) -> Vec<String> {
    rule_causes(schema, "schema").iter().map(FieldError::to_string).collect()
}

fn with_rule(mut schema: Json, rule: &Json) -> Json {
    schema["x-kubernetes-validations"] = json!([rule]);
    schema
}

fn spec(schema: &Json) -> Json {
    json!({"type": "object", "properties": {"spec": schema}})
}

#[test]
fn a_rule_is_asked_wherever_its_value_is() {
    let number = with_rule(json!({"type": "integer"}), &json!({"rule": "self > 0"}));
    let schema = spec(&json!({"type": "object", "properties": {
        "list": {"type": "array", "items": number}, "map": {"type": "object", "additionalProperties": number},
    }}));
    let object = json!({"spec": {"list": [1, 0, -1], "map": {"a": 1, "b": 0}}});
    let expected = [("spec.list[1]", 0), ("spec.list[2]", -1), ("spec.map[b]", 0)]
        .map(|(field, value)| format!("{field}: Invalid value: {value}: failed rule: self > 0"));
    assert_eq!(broken(&schema, &object, None), expected);
    let rule = json!({"rule": "self.metadata.name != 'bad'", "message": "is bad"});
    let root = with_rule(json!({"type": "object"}), &rule);
    let object = json!({"metadata": {"name": "bad"}});
    assert_eq!(broken(&root, &object, None), ["<nil>: Invalid value: is bad"]);
}

#[test]
fn transition_rules_are_asked_of_updates() {
    let item = with_rule(
        json!({"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}),
        &json!({"rule": "self.size >= oldSelf.size"}),
    );
    let schema = spec(
        &json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item}),
    );
    let of = |items: Json| json!({ "spec": items });
    let old = of(json!([{"name": "a", "size": 2}, {"name": "b", "size": 2}]));
    let new = of(json!([{"name": "new", "size": 0}, {"name": "b", "size": 1}, {"name": "a", "size": 3}]));
    assert_eq!(broken(&schema, &new, None), Vec::<String>::new());
    let because = "spec[1]: Invalid value: failed rule: self.size >= oldSelf.size";
    assert_eq!(broken(&schema, &new, Some(&old)), [because]);
}

#[test]
fn a_rule_may_do_without_an_old_value() {
    let rule = json!({"rule": "!oldSelf.hasValue() || self == oldSelf.value()", "optionalOldSelf": true});
    let schema = spec(&with_rule(json!({"type": "string"}), &rule));
    assert!(broken(&schema, &json!({"spec": "a"}), None).is_empty());
    assert!(broken(&schema, &json!({"spec": "a"}), Some(&json!({}))).is_empty());
    assert_eq!(broken(&schema, &json!({"spec": "a"}), Some(&json!({"spec": "b"}))).len(), 1);
}

#[test]
fn an_update_is_not_held_to_what_it_leaves_as_it_was() {
    let schema = spec(&with_rule(
        json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
        &json!({"rule": "self.a > 0"}),
    ));
    let old = json!({"spec": {"a": 0}, "metadata": {"name": "x"}});
    let new = json!({"spec": {"a": 0}, "metadata": {"name": "y"}});
    assert!(broken(&schema, &new, Some(&old)).is_empty());
    assert_eq!(broken(&schema, &json!({"spec": {"a": -1}}), Some(&old)).len(), 1);
    // In a list without keys nothing is found again, but for the list as a whole.
    let item = with_rule(json!({"type": "integer"}), &json!({"rule": "self > 0"}));
    let schema = spec(&json!({"type": "array", "items": item}));
    let old = json!({"spec": [0, 1]});
    assert!(broken(&schema, &old, Some(&old)).is_empty());
    assert_eq!(broken(&schema, &json!({"spec": [0, 1, 2]}), Some(&old)).len(), 1);
}

#[test]
fn a_refusal_says_what_the_rule_wants_it_to_say() {
    let rule = |more: Json| {
        let mut rule = json!({"rule": "self.a > self.b"});
        rule.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        spec(&with_rule(
            json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}),
            &rule,
        ))
    };
    let object = json!({"spec": {"a": 1, "b": 2}});
    for (more, told) in [
        (json!({"message": " a is more "}), "spec: Invalid value: a is more"),
        (
            json!({"messageExpression": "'not %d'.format([self.a])", "message": "x"}),
            "spec: Invalid value: not 1",
        ),
        (json!({"messageExpression": "string(1 / (self.a - 1))", "message": "x"}), "spec: Invalid value: x"),
        (
            json!({"reason": "FieldValueForbidden", "fieldPath": ".b"}),
            "spec.b: Forbidden: failed rule: self.a > self.b",
        ),
        (json!({"reason": "FieldValueRequired"}), "spec: Required value: failed rule: self.a > self.b"),
    ] {
        assert!(refused(&rule(more.clone())).is_empty(), "{more}");
        assert_eq!(broken(&rule(more), &object, None), [told]);
    }
}

#[test]
fn what_goes_wrong_in_a_rule_is_a_refusal() {
    let of = |rule: &str| {
        spec(&with_rule(
            json!({"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true}}}),
            &json!({"rule": rule}),
        ))
    };
    let told = |rule: &str| broken(&of(rule), &json!({"spec": {"a": "x"}}), None);
    assert!(told("self.a / 0 == 1")[0].ends_with("'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.a / 0 == 1"));
    assert!(
        broken(&of("self.a == 1"), &json!({"spec": {}}), None)[0]
            .ends_with("no such key: a evaluating rule: self.a == 1")
    );
    let numbers = spec(&with_rule(
        json!({"type": "array", "items": {"type": "integer"}}),
        &json!({"rule": "self.all(x, self.all(y, x + y >= 0))"}),
    ));
    let many = json!({ "spec": (0..2_000).collect::<Vec<_>>() });
    assert!(
        broken(&numbers, &many, None)[0]
            .contains("no further validation rules will be run due to call cost exceeds limit")
    );
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let object = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    let list = json!({"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 3}});
    for (schema, rule, because) in [
        (
            &object,
            json!({"rule": "self.z == 100"}),
            "compilation failed: ERROR: <input>:1:5: undefined field 'z'",
        ),
        (&object, json!({"rule": "self = 1"}), "Syntax error"),
        (
            &object,
            json!({"rule": "int('x') == 1"}),
            "program instantiation failed: type conversion error from 'string' to 'int'",
        ),
        (&object, json!({"rule": "self.x"}), "cel expression must evaluate to a bool"),
        (&object, json!({"rule": " "}), "rule is not specified"),
        (&object, json!({"rule": "true", "message": "a\nb"}), "must not contain line breaks"),
        (&object, json!({"rule": "true\n"}), ""),
        (&object, json!({"rule": "true ||\ntrue"}), "message must be specified if rule contains line breaks"),
        (
            &object,
            json!({"rule": "true", "messageExpression": "1"}),
            "messageExpression must evaluate to a string",
        ),
        (
            &object,
            json!({"rule": "true", "messageExpression": "self.z"}),
            "messageExpression compilation failed: ERROR",
        ),
        (&object, json!({"rule": "true", "reason": "Because"}), "Unsupported value: \"Because\""),
        (&object, json!({"rule": "true", "fieldPath": ".z"}), "must be a valid path"),
        (
            &object,
            json!({"rule": "true", "optionalOldSelf": true}),
            "may not be set if oldSelf is not used in rule",
        ),
        (&list, json!({"rule": "self == oldSelf"}), ""),
    ] {
        let told = refused(&spec(&with_rule(schema.clone(), &rule)));
        match because {
            "" => assert!(told.is_empty(), "{rule}: {told:?}"),
            because => assert!(told.len() == 1 && told[0].contains(because), "{rule}: {told:?}"),
        }
    }
    let atomic = json!({"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
        "x": with_rule(json!({"type": "integer"}), &json!({"rule": "self == oldSelf"}))}});
    assert!(refused(&spec(&atomic)).is_empty(), "the fields of an atomic map have a past");
    let item = with_rule(json!({"type": "string", "maxLength": 3}), &json!({"rule": "self == oldSelf"}));
    let told = refused(&spec(&json!({"type": "array", "maxItems": 3, "items": item})));
    assert!(told[0].contains(
        "oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec]"
    ));
}

#[test]
fn rules_that_may_cost_too_much_are_refused() {
    let strings = |limits: bool| {
        let mut list = json!({"type": "array", "items": {"type": "string"}});
        if limits {
            (list["maxItems"], list["items"]["maxLength"]) = (json!(10), json!(10));
        }
        spec(&with_rule(list, &json!({"rule": "self.all(x, self.all(y, x == y))"})))
    };
    let told = refused(&strings(false));
    assert!(told[0].starts_with("schema.properties[spec].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x"));
    assert!(told.last().is_some_and(|told| told.contains("for entire OpenAPIv3 schema exceeds budget")));
    assert!(refused(&strings(true)).is_empty());
}

#[test]
fn defaults_keep_the_rules() {
    let schema = with_rule(json!({"type": "integer", "default": 0}), &json!({"rule": "self > 0"}));
    let told = default_causes(&schema, "x.default");
    assert_eq!(
        told.iter().map(FieldError::to_string).collect::<Vec<_>>(),
        ["x.default: Invalid value: 0: failed rule: self > 0"]
    );
}
