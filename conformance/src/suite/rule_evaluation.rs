//! Evaluation of CEL rules: the writes that they hold for, errors, functions and estimated costs.

use super::definition::Definition;
use super::rules::{numbers, refuses, ruled, x};
use crate::case::{Case, Outcome, case};
use crate::objects::applied;
use crate::site::{APPLY, JSON, MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(rules_of_all_writes)
            .rule("Rules are asked of statuses, of patches and of what is applied, too.")
            .source("apiextensions-apiserver: customresource strategy"),
        case(what_was_broken_may_stay)
            .rule("What an update leaves as it was is not held against it.")
            .source("KEP-4008: ratcheting"),
        case(a_default_keeps_the_rules)
            .rule("A default keeps the rules of its schema.")
            .source("KEP-2876: defaulting"),
        case(a_wrong_object_is_told_first)
            .rule("Of an object that is not what its schema says, no rules are asked.")
            .source("apiextensions-apiserver: hasBlockingErr"),
        case(a_rule_that_fails)
            .rule("What goes wrong while a rule is asked is a refusal.")
            .source("apiextensions-apiserver: validateExpressions"),
        case(kubernetes_functions)
            .rule("The functions of Kubernetes: lists, patterns, quantities, addresses.")
            .source("CEL in Kubernetes: Kubernetes CEL libraries"),
        case(a_rule_at_the_root)
            .rule("A rule at the root stands at no field.")
            .source("KEP-2876: scope of rules"),
        case(estimates)
            .rule("What a rule is estimated to cost depends on what the schema allows.")
            .source("apiserver: CEL cost estimates"),
        case(escaped_fields)
            .rule("Names of fields that are no names in CEL are escaped.")
            .source("CEL in Kubernetes: escaping"),
    ]
}

async fn rules_of_all_writes(site: Site) -> Outcome {
    let status = json!({
        "type": "object",
        "properties": {"phase": {"type": "string"}},
        "x-kubernetes-validations": [{"rule": "self.phase != 'Bad'"}],
    });
    let widgets = ruled(&site, x(), json!([{"rule": "!has(self.x) || self.x > 0"}]))
        .field("status", status)
        .version(json!({"subresources": {"status": {}}}))
        .make(&site)
        .await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?;
    let status = format!("{}/status", widgets.object("a"));
    site.patch(MERGE, &status, json!({"status": {"phase": "Good"}})).await?.code(200)?;
    site.patch(MERGE, &status, json!({"status": {"phase": "Bad"}}))
        .await?
        .invalid("FieldValueInvalid", "status")?;
    let patch = json!([{"op": "replace", "path": "/spec/x", "value": 0}]);
    site.patch(JSON, &widgets.object("a"), patch).await?.invalid("FieldValueInvalid", "spec")?;
    let config = applied(&widgets.api_version, "Widget", json!({"spec": {"x": -1}}));
    site.patch(APPLY, &format!("{}?fieldManager=m&force=true", widgets.object("a")), config)
        .await?
        .invalid("FieldValueInvalid", "spec")?;
    let mut object = site.get(&widgets.object("a")).await?.json;
    object["spec"]["x"] = json!(0);
    site.put(&widgets.object("a"), object).await?.invalid("FieldValueInvalid", "spec")?;
    Ok(())
}

async fn what_was_broken_may_stay(site: Site) -> Outcome {
    let widgets = numbers(&site, json!([])).await?;
    widgets.create(&site, "a", json!({"spec": {"x": 1}})).await?;
    let mut definition = site.get(&widgets.definition).await?.json;
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["x-kubernetes-validations"] = json!([{"rule": "self.x > 5"}]);
    site.put(&widgets.definition, definition).await?.code(200)?;
    widgets.until_refused(&site, json!({"spec": {"x": 1}})).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"metadata": {"labels": {"k": "v"}}})).await?.code(200)?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"x": 2}}))
        .await?
        .invalid("FieldValueInvalid", "spec")?;
    Ok(())
}

async fn a_default_keeps_the_rules(site: Site) -> Outcome {
    let x = json!({"type": "integer", "default": 0, "x-kubernetes-validations": [{"rule": "self > 0"}]});
    let body = ruled(&site, json!({"x": x}), json!([])).body();
    site.post(Definition::PATH, body)
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "failed rule: self > 0")?;
    Ok(())
}

async fn a_wrong_object_is_told_first(site: Site) -> Outcome {
    let widgets = numbers(&site, json!([{"rule": "self.x > 0"}])).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": "one"}}), "")
        .await?
        .invalid("FieldValueTypeInvalid", "spec.x")?
        .mentions(
            "/message",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was \
             invalid",
        )?;
    Ok(())
}

async fn a_rule_that_fails(site: Site) -> Outcome {
    let widgets = numbers(&site, json!([{"rule": "self.x / self.y == 1"}])).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": 1, "y": 0}}), "")
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "division by zero evaluating rule: self.x / self.y == 1")?;
    widgets
        .post(&site, "b", json!({"spec": {"x": 1}}), "")
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "no such key: y evaluating rule")?;
    Ok(())
}

async fn kubernetes_functions(site: Site) -> Outcome {
    let text = json!({"type": "string", "maxLength": 100});
    let properties = json!({
        "list": {"type": "array", "maxItems": 9, "items": {"type": "integer"}},
        "text": text, "url": text, "cpu": text, "ip": text, "either": {"x-kubernetes-int-or-string": true},
        "time": {"type": "string", "format": "date-time"}, "span": {"type": "string", "format": "duration"},
    });
    let rules = [
        "self.list.isSorted() && self.list.sum() == 6 && self.list.max() == 3 && self.list.indexOf(2) == 1",
        "self.text.find('[0-9]+') == '12' && self.text.findAll('[a-z]').size() == 2 \
         && self.text.split('-').size() == 2",
        "url(self.url).getHost() == 'example.com:80' && isURL(self.url)",
        "quantity(self.cpu).compareTo(quantity('500m')) == 0 && !isQuantity('x')",
        "ip(self.ip).family() == 4 && cidr('10.0.0.0/8').containsIP(self.ip)",
        "type(self.either) == int ? self.either == 1 : self.either == '1%'",
        "self.time < timestamp('2030-01-01T00:00:00Z') && self.span == duration('1h')",
        "[1, 2].all(n, n > 0) && {'a': 1}.exists(k, k == 'a') && self.?text.orValue('') != ''",
    ];
    let rules: Vec<Value> = rules.iter().map(|rule| json!({"rule": rule})).collect();
    let widgets = ruled(&site, properties, json!(rules)).make(&site).await?;
    let mut spec = json!({
        "list": [1, 2, 3], "text": "a-b12", "url": "http://example.com:80/x", "cpu": "0.5", "ip": "10.1.2.3",
        "either": "1%", "time": "2024-05-06T07:08:09Z", "span": "60m",
    });
    widgets.create(&site, "a", json!({"spec": spec.clone()})).await?;
    (spec["either"], spec["list"]) = (json!(1), json!([3, 2, 1]));
    let answer = widgets.post(&site, "b", json!({"spec": spec}), "").await?.refused(422, "Invalid")?;
    let one = answer.list("/details/causes").len() == 1;
    answer.check(one, "one broken rule")?;
    Ok(())
}

async fn a_rule_at_the_root(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-validations"] =
        json!([{"rule": "self.metadata.name.startsWith('a')"}]);
    let widgets = Definition::new(&site).make_as(&site, body).await?;
    widgets.create(&site, "a", json!({})).await?;
    widgets
        .post(&site, "b", json!({}), "")
        .await?
        .invalid("FieldValueInvalid", "<nil>")?
        .mentions("/message", "<nil>: Invalid value: failed rule: self.metadata.name.startsWith('a')")?;
    Ok(())
}

async fn estimates(site: Site) -> Outcome {
    let list = |most: u32| {
        json!({"x": {"type": "array", "maxItems": most, "items": {
            "type": "string",
            "maxLength": 10,
        }}})
    };
    let rule = || json!({"rule": "self.x.all(a, self.x.all(b, a != b || a.contains(b)))"});
    refuses(&site, list(2_000), rule(), "estimated rule cost exceeds budget by factor of 10.8x").await?;
    ruled(&site, list(100), json!([rule()])).make(&site).await?;
    Ok(())
}

async fn escaped_fields(site: Site) -> Outcome {
    let number = json!({"type": "integer"});
    let properties = json!({"a-b": number, "namespace": number, "x.y/z": number});
    let rule = "self.a__dash__b + self.__namespace__ + self.x__dot__y__slash__z == 6";
    let widgets = ruled(&site, properties, json!([{"rule": rule}])).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"a-b": 1, "namespace": 2, "x.y/z": 3}})).await?;
    Ok(())
}
