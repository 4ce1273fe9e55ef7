//! JSON patches of objects that exist.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::create;
use serde_json::{Value, json};

const OPERATIONS: [&str; 8] = ["add", "replace", "remove", "test", "move", "copy", "add", "replace"];

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let valid = kind.valid(dice, name);
    let wanted = create::successor(dice, kind, &valid, name);
    let count = dice.pick(&[1, 1, 1, 2, 3]);
    let mut operations: Vec<_> = (0..count).map(|_| operation(dice, &valid, &wanted)).collect();
    if dice.one_in(4) {
        let first = valid.as_object().into_iter().flatten().find(|(field, value)| wanted[*field] != **value);
        if let Some((field, _)) = first {
            operations.push(json!({"op": "replace", "path": format!("/{field}"), "value": wanted[field]}));
        }
    }
    let body = match dice.below(40) {
        0 => json!({"op": "remove", "path": "/metadata/labels"}),
        1 => json!(null),
        2 => json!([]),
        3 => json!(operations.first().map(|one| vec![one.clone(), json!(5)])),
        _ => json!(operations),
    };
    let given = vec![Ask::create(kind.collection(), &valid)];
    let ask = Ask::sent("PATCH", kind.object(name), "application/json-patch+json", values::text_of(&body));
    (given, ask)
}

fn operation(dice: &mut Dice, valid: &Value, wanted: &Value) -> Value {
    let op = dice.pick(&OPERATIONS);
    let path = path(dice, wanted);
    let mut operation = json!({"op": op, "path": path});
    match op {
        "move" | "copy" => operation["from"] = json!(self::path(dice, valid)),
        "remove" => {}
        _ => {
            let there = wanted.pointer(&path).or_else(|| valid.pointer(&path)).cloned();
            operation["value"] = match dice.below(6) {
                0 => dice
                    .pick(&[json!(null), json!(1), json!("x"), json!({}), json!([]), json!({"a": "b"})])
                    .clone(),
                _ => there.unwrap_or_else(|| json!("x")),
            };
        }
    }
    let broken = match dice.below(30) {
        0 => "op",
        1 => "path",
        2 => "value",
        3 => "from",
        _ => return operation,
    };
    if let Some(fields) = operation.as_object_mut() {
        fields.remove(broken);
    }
    operation
}

/// Draws a path to something in the object, or nearly.
fn path(dice: &mut Dice, object: &Value) -> String {
    let usual = [
        "/metadata/labels/a",
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/finalizers",
        "/metadata/finalizers/-",
        "/spec",
    ];
    if dice.one_in(4) {
        return dice.pick(&usual).to_owned();
    }
    let (mut path, mut at) = (String::new(), object);
    while !dice.one_in(4) {
        let key = match at {
            Value::Object(map) if !map.is_empty() => {
                map.keys().nth(dice.below(map.len())).cloned().unwrap_or_default()
            }
            Value::Array(list) if !list.is_empty() => dice.below(list.len()).to_string(),
            _ => break,
        };
        path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        at = object.pointer(&path).unwrap_or(&Value::Null);
    }
    let end = dice
        .pick(&["", "", "", "", "", "", "", "", "/-", "/-1", "/00", "/0", "/5", "/x", "/", "/~2", "/a~1b"]);
    match dice.below(40) {
        0 => path.trim_start_matches('/').to_owned(),
        1 => path.to_uppercase(),
        _ => format!("{path}{end}"),
    }
}
