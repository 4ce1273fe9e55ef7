//! Rules of definitions in CEL: what they may cost, and the functions that they have.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(costs_of_computed_lists)
            .rule("The sizes of what a computed list holds are those of the rule's own value.")
            .source("cel-go: checker/cost.go; apiextensions: sizeEstimator"),
        case(reserved_words_are_fields)
            .rule("Reserved words are fields' names behind a dot.")
            .source("cel-go: parser; apiserver: cel.DeclType"),
        case(libraries)
            .rule("The libraries of lists, versions and named formats.")
            .source("apiserver: cel/environment/base.go"),
    ]
}

/// A definition with a rule for its spec.
fn with_rule(site: &Site, rule: &str) -> Value {
    let text = |most: u32| json!({"type": "string", "maxLength": most});
    let spec = json!({"type": "object", "x-kubernetes-validations": [{"rule": rule}], "properties": {
        "namespace": {"type": "string"}, "package": {"type": "string"},
        "la": {"type": "array", "maxItems": 100, "items": text(100)},
        "lb": {"type": "array", "maxItems": 50, "items": text(50)},
        "s": text(100), "io": {"x-kubernetes-int-or-string": true},
        "iol": {"type": "array", "maxItems": 20, "items": {"x-kubernetes-int-or-string": true}},
        "m": {"type": "object", "maxProperties": 20, "additionalProperties": text(20)},
        "lo": {"type": "array", "maxItems": 10, "items": {"type": "object", "properties": {
            "name": text(50), "v": {"type": "array", "maxItems": 5, "items": text(7)},
        }}},
    }});
    Definition::new(site).field("spec", spec).body()
}

async fn costs_of_computed_lists(site: Site) -> Outcome {
    let path = format!("{}?dryRun=All", Definition::PATH);
    for rule in [
        "(has(self.la)?self.la:[]).exists(k,k.contains('/'))",
        "(self.la+self.lb).all(k,k.matches('^[a-z]+$'))",
        "self.s.split('/').all(k,k.matches('^[a-z]+$'))",
        "string(self.io).matches('^[0-9]+$')",
        "self.lo.map(x,x.v).all(v,v.all(n,n.contains('/')))",
        "(has(self.m)?self.m:{}).all(k,k.contains('/'))",
        "self.la.map(k, k.split('/')[0]).all(x, x.contains('a'))",
        "[self.la,self.lb].all(l,l.all(k,k.contains('/')))",
        "(has(self.iol)?self.iol:[]).all(k,string(k).contains('x'))",
    ] {
        site.post(&path, with_rule(&site, rule)).await?.code(201)?;
    }
    for rule in [
        "self.iol.all(k,string(k).contains('x'))",
        "self.lo.filter(x,x.name.contains('a')).all(v,v.name.contains('/'))",
        "self.?s.orValue('').contains('/')",
    ] {
        site.post(&path, with_rule(&site, rule))
            .await?
            .refused(422, "Invalid")?
            .mentions("/message", "estimated rule cost exceeds budget")?;
    }
    Ok(())
}

async fn reserved_words_are_fields(site: Site) -> Outcome {
    let path = format!("{}?dryRun=All", Definition::PATH);
    for rule in [
        "self.namespace == 'a'",
        "self.__namespace__ == 'a'",
        "self.package.size() > 0",
        "has(self.namespace)",
    ] {
        site.post(&path, with_rule(&site, rule)).await?.code(201)?;
    }
    Ok(())
}

async fn libraries(site: Site) -> Outcome {
    let rules = [
        "self.l.sort() == [1,2,2]",
        "self.l.distinct().size() == 2 && self.l.reverse()[0] == self.l.last().value()",
        "self.l.slice(0,2).size() == 2 && self.l.first().hasValue() && lists.range(3) == [0,1,2]",
        "[[1],[2]].flatten() == [1,2] && self.l.sortBy(x, -x)[0] == 2",
        "[optional.of(1), optional.none()].unwrapOpt().size() == optional.unwrap([optional.of(1)]).size()",
        "semver('1.2.3').major() == 1 && isSemver('v1.2', true) && !isSemver('v1.2')",
        "semver('1.0.0-rc').isLessThan(semver('1.0.0')) \
         && semver('v1.2', true).compareTo(semver('1.2.0')) == 0",
        "!format.dns1123Label().validate('a').hasValue() \
         && format.dns1123Label().validate('A').hasValue()",
        "format.named('uuid').hasValue() && !format.named('nothing').hasValue()",
    ];
    let spec = json!({
        "type": "object",
        "properties": {"l": {"type": "array", "maxItems": 9, "items": {"type": "integer"}}},
        "x-kubernetes-validations": rules.map(|rule| json!({"rule": rule})),
    });
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"l": [2, 1, 2]}})).await?;
    Ok(())
}
