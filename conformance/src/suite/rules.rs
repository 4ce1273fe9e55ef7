//! CEL rules in definitions: compilation, costs, old values and refusals.

use super::definition::{Definition, Widgets};
use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_broken_rule_is_told)
            .rule("An object that keeps the rules is taken, one that breaks one is not.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(an_undefined_field)
            .rule("A rule that names a field which is not declared is refused with the definition.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(a_syntax_error)
            .rule("A rule that is no CEL is refused with the definition.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(a_wrong_type)
            .rule("A rule whose types do not go together is refused with the definition.")
            .source("KEP-2876: type checking"),
        case(an_expensive_rule)
            .rule("A rule that may cost too much is refused with the definition.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(an_expensive_object)
            .rule("An object whose rules cost too much is refused.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(a_transition_rule)
            .rule("A rule about the value before is asked of updates, and of nothing else.")
            .source("kubernetes/test/e2e/apimachinery/crd_validation_rules.go"),
        case(an_optional_old_self)
            .rule("A rule may do without a value before.")
            .source("KEP-4008: optionalOldSelf"),
        case(no_old_self_in_atomic_lists)
            .rule("Where parts of a list are not told apart, there is no value before.")
            .source("KEP-2876: uncorrelatable"),
        case(rules_at_every_place)
            .rule("A rule stands wherever a schema does: at items, at values of maps, at the root.")
            .source("KEP-2876: scope of rules"),
        case(what_a_refusal_says)
            .rule("The refusal's words, reason and field are the rule's.")
            .source("KEP-2876: message, messageExpression, reason, fieldPath"),
        case(a_field_path_that_is_none)
            .rule("A field that a rule is about is one of the schema's.")
            .source("KEP-2876: fieldPath"),
    ]
}

/// Definitions whose spec has this schema and these rules.
pub(super) fn ruled(site: &Site, properties: Value, rules: Value) -> Definition {
    let spec = json!({"type": "object", "properties": properties, "x-kubernetes-validations": rules});
    Definition::new(site).field("spec", spec)
}

pub(super) async fn numbers(site: &Site, rules: Value) -> Result<Widgets, Mismatch> {
    ruled(site, json!({"x": {"type": "integer"}, "y": {"type": "integer"}}), rules).make(site).await
}

/// The field `x`, an integer.
pub(super) fn x() -> Value {
    json!({"x": {"type": "integer"}})
}

/// Checks that a definition with one rule is refused, with these words.
pub(super) async fn refuses(
    site: &Site,
    properties: Value,
    rule: Value,
    because: &str,
) -> Result<Answer, Mismatch> {
    let body = ruled(site, properties, json!([rule])).body();
    site.post(Definition::PATH, body).await?.refused(422, "Invalid")?.mentions("/message", because)
}

async fn a_broken_rule_is_told(site: Site) -> Outcome {
    let widgets = numbers(&site, json!([{"rule": "self.x + self.y > 0"}])).await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1, "y": 0}})).await?;
    widgets
        .post(&site, "b", json!({"spec": {"x": 0, "y": 0}}), "")
        .await?
        .invalid("FieldValueInvalid", "spec")?
        .mentions("/message", "is invalid: spec: Invalid value: failed rule: self.x + self.y > 0")?;
    Ok(())
}

async fn an_undefined_field(site: Site) -> Outcome {
    let told = "compilation failed: ERROR: <input>:1:5: undefined field 'z'\n | self.z == 100\n | ....^";
    let others = r#""Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null"#;
    refuses(&site, x(), json!({"rule": "self.z == 100"}), told)
        .await?
        .mentions("/message", &format!(r#"Invalid value: {{"Rule":"self.z == 100",{others}}}: "#))?;
    Ok(())
}

async fn a_syntax_error(site: Site) -> Outcome {
    let told = "compilation failed: ERROR: <input>:1:6: Syntax error";
    refuses(&site, x(), json!({"rule": "self = 42"}), told).await?;
    Ok(())
}

async fn a_wrong_type(site: Site) -> Outcome {
    let told = "found no matching overload for '_==_' applied to '(int, string)'";
    refuses(&site, x(), json!({"rule": "self.x == 'a'"}), told).await?;
    refuses(&site, x(), json!({"rule": "self.x"}), "cel expression must evaluate to a bool").await?;
    let rule = json!({"rule": "true", "messageExpression": "self.x"});
    refuses(&site, x(), rule, "messageExpression must evaluate to a string").await?;
    Ok(())
}

async fn an_expensive_rule(site: Site) -> Outcome {
    let lists = json!({"x": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}});
    let rule = json!({"rule": "self.x.all(l, l.all(s, s == 'string constant'))"});
    refuses(&site, lists, rule, "exceeds budget by factor of more than 100x").await?;
    let bounded = json!({"x": {"type": "array", "maxItems": 5, "items": {
        "type": "array",
        "maxItems": 5,
        "items": {"type": "string", "maxLength": 20},
    }}});
    ruled(&site, bounded, json!([{"rule": "self.x.all(l, l.all(s, s == 'string constant'))"}]))
        .make(&site)
        .await?;
    Ok(())
}

async fn an_expensive_object(site: Site) -> Outcome {
    let list = json!({"x": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}}});
    let widgets =
        ruled(&site, list, json!([{"rule": "self.x.all(a, self.x.all(b, a == b))"}])).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"x": [1, 1, 1]}})).await?;
    let many: Vec<u32> = vec![1; 1_000];
    widgets.post(&site, "b", json!({"spec": {"x": many}}), "").await?.refused(422, "Invalid")?.mentions(
        "/message",
        "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further \
         validation rules will be run due to call cost exceeds limit for rule: self.x.all(",
    )?;
    Ok(())
}

async fn a_transition_rule(site: Site) -> Outcome {
    let x = json!({
        "type": "integer",
        "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "x may only grow"}],
    });
    let widgets = ruled(&site, json!({"x": x}), json!([])).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": 2}})).await?.code(200)?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": 1}}))
        .await?
        .invalid("FieldValueInvalid", "spec.x")?
        .mentions("/message", "x may only grow")?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": null}})).await?.code(200)?;
    Ok(())
}

async fn an_optional_old_self(site: Site) -> Outcome {
    let rule = json!({
        "rule": "oldSelf.hasValue() || self.x == 0",
        "optionalOldSelf": true,
        "message": "begins with 0",
    });
    let widgets = numbers(&site, json!([rule])).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": 1}}), "")
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "begins with 0")?;
    widgets.create(&site, "a", json!({"spec": {"x": 0}})).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": 1}})).await?.code(200)?;
    let rule = json!({"rule": "true", "optionalOldSelf": true});
    refuses(&site, x(), rule, "may not be set if oldSelf is not used in rule").await?;
    Ok(())
}

async fn no_old_self_in_atomic_lists(site: Site) -> Outcome {
    let item = json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]});
    let body = ruled(&site, json!({"x": {"type": "array", "items": item}}), json!([])).body();
    site.post(Definition::PATH, body)
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "oldSelf cannot be used on the uncorrelatable portion of the schema")?;
    Ok(())
}

async fn rules_at_every_place(site: Site) -> Outcome {
    let positive = json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 0"}]});
    let properties = json!({
        "list": {"type": "array", "maxItems": 9, "items": positive},
        "map": {"type": "object", "maxProperties": 9, "additionalProperties": positive},
    });
    let widgets = ruled(&site, properties, json!([])).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"list": [1, 2], "map": {"k": 1}}})).await?;
    widgets
        .post(&site, "b", json!({"spec": {"list": [1, 0], "map": {"k": 0}}}), "")
        .await?
        .invalid("FieldValueInvalid", "spec.list[1]")?
        .cause("FieldValueInvalid", "spec.map[k]")?
        .mentions("/message", "spec.list[1]: Invalid value: 0: failed rule: self > 0")?;
    Ok(())
}

async fn what_a_refusal_says(site: Site) -> Outcome {
    let rules = json!([
        {"rule": "self.x < 1", "messageExpression": "'x is %d'.format([self.x])"},
        {"rule": "self.x < 2", "reason": "FieldValueForbidden", "fieldPath": ".x", "message": "no more"},
        {"rule": "self.x < 3", "reason": "FieldValueRequired", "fieldPath": ".y"},
    ]);
    let widgets = numbers(&site, rules).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": 5}}), "")
        .await?
        .invalid("FieldValueInvalid", "spec")?
        .mentions("/message", "x is 5")?
        .cause("FieldValueForbidden", "spec.x")?
        .mentions("/message", "spec.x: Forbidden: no more")?
        .cause("FieldValueRequired", "spec.y")?
        .mentions("/message", "failed rule: self.x < 3")?;
    Ok(())
}

async fn a_field_path_that_is_none(site: Site) -> Outcome {
    refuses(&site, x(), json!({"rule": "true", "fieldPath": ".z"}), "must be a valid path").await?;
    Ok(())
}
