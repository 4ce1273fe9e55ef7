//! Mutations of a sample: each has one part that is left out, of another type, or at an edge.

use crate::differential::dice::Dice;
use serde_json::{Value, json};

/// How many mutations a sample has.
const MUTATIONS: usize = 8;

/// Returns mutations of an object, always the same ones. Its type and its metadata stay.
pub(super) fn of(object: &Value) -> Vec<Value> {
    let mut places = Vec::new();
    for (field, inner) in object.as_object().into_iter().flatten() {
        if !["apiVersion", "kind", "metadata"].contains(&field.as_str()) {
            collect(inner, format!("/{}", escaped(field)), &mut places);
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    let seed =
        object.to_string().bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut dice = Dice::new(seed);
    (0..MUTATIONS).filter_map(|_| mutated(object, &dice.pick(&places), &mut dice)).collect()
}

/// The object with one change at the place of a pointer.
fn mutated(object: &Value, place: &str, dice: &mut Dice) -> Option<Value> {
    let mut object = object.clone();
    if dice.one_in(4) {
        let (parent, field) = place.rsplit_once('/')?;
        let parent = object.pointer_mut(parent)?;
        match parent {
            Value::Object(fields) => drop(fields.remove(&field.replace("~1", "/").replace("~0", "~"))),
            Value::Array(items) => drop(items.remove(field.parse().ok()?)),
            _ => return None,
        }
        return Some(object);
    }
    let found = object.pointer_mut(place)?;
    let values = [
        Value::Null,
        json!(""),
        json!("x y"),
        json!(0),
        json!(-1),
        json!(2_147_483_648_i64),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!("10Gi"),
        json!("a".repeat(300)),
        json!({"unknown": 1}),
    ];
    match found {
        Value::Object(fields) if dice.one_in(3) => drop(fields.insert("unknown".to_owned(), json!("x"))),
        Value::Array(items) if dice.one_in(3) && !items.is_empty() => items.push(items[0].clone()),
        found => *found = dice.pick(&values),
    }
    Some(object)
}

fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                collect(inner, format!("{at}/{}", escaped(field)), places);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect(inner, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

/// A field as a segment of a pointer.
fn escaped(field: &str) -> String {
    field.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_are_the_same_each_time_and_keep_the_type() {
        let object = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"b": [1, {"c/d": 2}]}});
        let mutations = of(&object);
        assert_eq!(mutations, of(&object));
        assert_eq!(mutations.len(), MUTATIONS);
        for mutation in &mutations {
            assert_eq!(mutation["metadata"], object["metadata"]);
            assert_ne!(*mutation, object);
        }
        assert_eq!(of(&json!({"kind": "A", "metadata": {}})), Vec::<Value>::new());
    }
}
