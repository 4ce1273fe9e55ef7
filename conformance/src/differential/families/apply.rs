//! Server-side apply: new objects, and objects of another manager.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values, yaml};
use super::{create, with_query};
use serde_json::{Value, json};

pub(super) const APPLY: &str = "application/apply-patch+yaml";

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let present = kind.valid(dice, name);
    let mut wanted = create::successor(dice, kind, &present, name);
    match dice.below(14) {
        0 => remove(&mut wanted, "apiVersion"),
        1 => remove(&mut wanted, "kind"),
        2 => values::set(&mut wanted, "/metadata/name", json!("other")),
        3 => values::set(&mut wanted, "/metadata/managedFields", json!([])),
        4 => values::set(&mut wanted, "/metadata/labels/app", json!("b")),
        5 => remove(&mut wanted, "spec"),
        _ => {}
    }
    let given = match dice.below(4) {
        0 => Vec::new(),
        1 => vec![Ask::create(kind.collection(), &present)],
        2 => vec![applied(kind, name, "first", values::text_of(&present))],
        _ => vec![applied(kind, name, "second", values::text_of(&labelled(present)))],
    };
    let manager = dice.pick(&[
        "fieldManager=first",
        "fieldManager=first",
        "fieldManager=first",
        "fieldManager=",
        "",
        "fieldManager=a%0Ab",
    ]);
    let force = dice.pick(&["", "", "force=true", "force=false", "force=x"]);
    let validation = dice.pick(&["", "", "", "fieldValidation=Strict", "fieldValidation=Ignore"]);
    let body = if dice.one_in(2) { yaml::document(dice, &wanted) } else { values::text_of(&wanted) };
    let path = with_query(kind.object(name), &[manager, force, validation]);
    (given, Ask::sent("PATCH", path, APPLY, body))
}

/// An apply that makes the object.
fn applied(kind: &Kind, name: &str, manager: &str, body: String) -> Ask {
    Ask::sent("PATCH", format!("{}?fieldManager={manager}", kind.object(name)), APPLY, body)
}

fn labelled(mut object: Value) -> Value {
    values::set(&mut object, "/metadata/labels/team", json!("blue"));
    object
}

fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}
