//! Creations from JSON: valid objects with one to three changes.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::with_query;
use serde_json::{Value, json};

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let mut object = changed(dice, kind, name);
    let namespace = dice.pick(&["", "", "", "", "", "", "", "default"]);
    if !namespace.is_empty() && !kind.namespace().is_empty() {
        values::set(&mut object, "/metadata/namespace", json!(namespace));
    }
    let validation = dice.pick(&["", "", "", "fieldValidation=Strict", "fieldValidation=Ignore"]);
    let path = with_query(kind.collection(), &[validation]);
    (Vec::new(), Ask::sent("POST", path, "application/json", values::text_of(&object)))
}

/// An object with one to three changes; one in twenty has none.
pub(super) fn changed(dice: &mut Dice, kind: &Kind, name: &str) -> Value {
    let object = kind.valid(dice, name);
    changed_from(dice, kind, object)
}

/// A later state of an object: with one to three changes, or one that has little in common with it.
pub(super) fn successor(dice: &mut Dice, kind: &Kind, object: &Value, name: &str) -> Value {
    if dice.one_in(6) { changed(dice, kind, name) } else { changed_from(dice, kind, object.clone()) }
}

fn changed_from(dice: &mut Dice, kind: &Kind, mut object: Value) -> Value {
    let changes = dice.pick(&[1, 1, 1, 1, 1, 1, 2, 2, 3]);
    if !dice.one_in(20) {
        change(dice, kind, &mut object, changes);
    }
    object
}

/// Changes an object of the kind.
pub(super) fn change(dice: &mut Dice, kind: &Kind, object: &mut Value, changes: usize) {
    if let Some(schema) = kind.schema() {
        for _ in 0..changes {
            values::change_object(dice, schema, object);
        }
    }
}
