//! Deletions with their options and preconditions, and the options of writes.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::{create, with_query};
use serde_json::{Value, json};

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    match dice.below(4) {
        0 => options(dice, name),
        1 => collection(dice, name),
        _ => one(dice, name),
    }
}

/// A deletion of one object.
fn one(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let mut object = kind.valid(dice, name);
    if dice.one_in(3) {
        values::set(&mut object, "/metadata/finalizers", json!(["example.com/a"]));
    }
    if kind.kind == "Pod" && dice.one_in(2) {
        values::set(&mut object, "/spec/nodeName", json!("n"));
        values::set(&mut object, "/spec/schedulingGates", json!([])); // a gate forbids a node
    }
    let given = if dice.one_in(12) { Vec::new() } else { vec![Ask::create(kind.collection(), &object)] };
    let queries = [
        "",
        "",
        "",
        "",
        "propagationPolicy=Foreground",
        "propagationPolicy=Orphan",
        "propagationPolicy=Background",
        "propagationPolicy=x",
        "gracePeriodSeconds=0",
        "gracePeriodSeconds=5",
        "gracePeriodSeconds=-1",
        "gracePeriodSeconds=x",
        "dryRun=All",
        "dryRun=x",
        "orphanDependents=true",
        "orphanDependents=true&propagationPolicy=Orphan",
        "ignoreStoreReadErrorWithClusterBreakingPotential=true",
    ];
    let path = with_query(kind.object(name), &[dice.pick(&queries)]);
    if dice.one_in(2) {
        return (given, Ask::bare("DELETE", path));
    }
    (given, Ask::sent("DELETE", path, "application/json", body(dice).to_string()))
}

/// Draws `DeleteOptions`.
fn body(dice: &mut Dice) -> Value {
    let bodies = [
        json!({}),
        json!({"apiVersion": "v1", "kind": "DeleteOptions"}),
        json!({"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}),
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"}),
        json!({"apiVersion": "v1", "kind": "Pod"}),
        json!({"gracePeriodSeconds": 3}),
        json!({"gracePeriodSeconds": "3"}),
        json!({"gracePeriodSeconds": -5}),
        json!({"propagationPolicy": "Sideways"}),
        json!({"propagationPolicy": "Orphan", "orphanDependents": true}),
        json!({"preconditions": {"uid": "u-1"}}),
        json!({"preconditions": {"resourceVersion": "1"}}),
        json!({"preconditions": {"uid": "u-1", "resourceVersion": "1"}}),
        json!({"dryRun": ["All"]}),
        json!({"dryRun": ["x"]}),
        json!({"dryRun": "All"}),
        json!({"unknown": 1}),
        json!([]),
        json!("x"),
    ];
    dice.pick(&bodies).clone()
}

/// A deletion of those objects of a collection that have a label of their own.
fn collection(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let mut object = kind.valid(dice, name);
    values::set(&mut object, "/metadata/labels/probe", json!(name));
    let selector = format!("labelSelector=probe%3D{name}");
    let queries = [
        "",
        "",
        "limit=1",
        "dryRun=All",
        "propagationPolicy=Orphan",
        "gracePeriodSeconds=0",
        "gracePeriodSeconds=x",
        "fieldSelector=metadata.name%3Dnobody",
        "fieldSelector=bad%3Dx",
        "resourceVersion=0",
        "resourceVersionMatch=Exact",
        "continue=x",
    ];
    let path = with_query(kind.collection(), &[&selector, dice.pick(&queries)]);
    (vec![Ask::create(kind.collection(), &object)], Ask::bare("DELETE", path))
}

/// A creation with options, valid or not.
fn options(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let mut object = kind.valid(dice, name);
    if dice.one_in(2) {
        values::set(&mut object, "/spec/unknown", json!(1));
    }
    if dice.one_in(6) {
        object = create::changed(dice, kind, name);
    }
    let queries = [
        "dryRun=All",
        "dryRun=",
        "dryRun=all",
        "dryRun=All&dryRun=All",
        "fieldManager=one",
        "fieldManager=",
        "fieldManager=%C3%A9",
        "fieldManager=a%0Ab",
        "fieldValidation=Strict",
        "fieldValidation=Warn",
        "fieldValidation=Ignore",
        "fieldValidation=strict",
        "fieldValidation=",
        "pretty=true",
        "pretty=x",
        "unknown=1",
        "force=true",
        "resourceVersion=1",
        "timeoutSeconds=x",
        "fieldManager=01234567890123456789012345678901234567890123456789012345678901234567890123456789\
         01234567890123456789012345678901234567890123456789",
    ];
    let path = with_query(
        kind.collection(),
        &[dice.pick(&queries), dice.pick(&["", "", "dryRun=All", "fieldValidation=Strict"])],
    );
    let types = [
        "application/json",
        "application/json",
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "",
        "application/xml",
        "application/json;",
    ];
    (Vec::new(), Ask::sent("POST", path, dice.pick(&types), values::text_of(&object)))
}
