//! Values of a type, and changes of a value: plausible ones, and those at the edges of the type.

use super::dice::Dice;
use super::words;
use serde_json::{Map, Value, json};
use trimtab_schema::{Form, Scalar, Schema};

/// Below this depth nothing optional is added.
const DEPTH: usize = 4;

/// Fields that no request sets at random: names are drawn by their own family, and the others would need
/// masks.
const LEFT_ALONE: [&str; 6] = ["apiVersion", "kind", "name", "status", "nodePort", "globalDefault"];

/// Changes one place of an object of the kind with this type.
pub(crate) fn change_object(dice: &mut Dice, schema: Schema<'_>, object: &mut Value) {
    if dice.one_in(10) {
        if let Some(metadata) = schema.field("metadata") {
            change(dice, metadata, "metadata", &mut object["metadata"], 1);
        }
        return;
    }
    let fields = fields(schema, true);
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "metadata").collect();
    match fields.is_empty() {
        true => object["other"] = json!(1),
        false => {
            let (name, field) = dice.pick(&fields);
            change(dice, field, name, entry(object, name), 1);
        }
    }
}

/// The fields that may be changed, in the order of their names.
fn fields(schema: Schema<'_>, top: bool) -> Vec<(&str, Schema<'_>)> {
    let alone = |name: &str| {
        LEFT_ALONE.contains(&name) && (top || matches!(name, "status" | "nodePort" | "globalDefault"))
    };
    let mut fields: Vec<_> = schema.fields().filter(|(name, _)| !alone(name)).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

/// The field of an object; whatever else was there makes way for one.
fn entry<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[name]
}

/// Sets what is at a pointer of keys; whatever else was on the way makes way for objects.
pub(crate) fn set(object: &mut Value, pointer: &str, value: Value) {
    let place = pointer.split('/').skip(1).fold(object, entry);
    *place = value;
}

/// Changes one place of a value.
pub(crate) fn change(dice: &mut Dice, schema: Schema<'_>, name: &str, value: &mut Value, depth: usize) {
    if value.is_null() {
        *value = made(dice, schema, name, depth);
        return;
    }
    match schema.kind() {
        Form::Struct => change_struct(dice, schema, value, depth),
        Form::List => change_list(dice, schema, name, value, depth),
        Form::Map => {
            let key = dice.pick(&words::KEYS);
            let inner = schema.field(key).map(|inner| made(dice, inner, key, depth + 1));
            entry(value, key);
            value[key] = inner.unwrap_or_default();
        }
        Form::Scalar(scalar) => *value = edge(dice, scalar, name, schema),
        Form::Any => *value = anything(dice),
    }
}

fn change_struct(dice: &mut Dice, schema: Schema<'_>, value: &mut Value, depth: usize) {
    let is_metadata = schema.type_name() == "ObjectMeta";
    let mut fields = fields(schema, is_metadata);
    // A value changes where it has something more often than where it has nothing.
    if dice.one_in(2) {
        let there: Vec<_> = fields.iter().copied().filter(|(name, _)| value.get(name).is_some()).collect();
        if !there.is_empty() {
            fields = there;
        }
    }
    if fields.is_empty() {
        return;
    }
    let (name, field) = dice.pick(&fields);
    match dice.below(24) {
        0 => *value = wrong(dice),
        1 => *entry(value, "unknown") = json!("x"),
        2 => *entry(value, name) = Value::Null,
        3 => {
            if let Some(object) = value.as_object_mut() {
                object.remove(name);
            }
        }
        _ => change(dice, field, name, entry(value, name), depth + 1),
    }
}

fn change_list(dice: &mut Dice, schema: Schema<'_>, name: &str, value: &mut Value, depth: usize) {
    let (Some(items), Some(list)) = (schema.items(), value.as_array_mut()) else {
        *value = wrong(dice);
        return;
    };
    let at = dice.below(list.len());
    match (dice.below(10), list.get(at).cloned()) {
        (0, Some(item)) => list.push(item),
        (1, _) => list.clear(),
        (2, _) => list.push(Value::Null),
        (3..=4, _) | (_, None) => list.push(made(dice, items, name, depth + 1)),
        _ => change(dice, items, name, &mut list[at], depth + 1),
    }
}

/// Makes a value of a type, mostly a valid one.
pub(crate) fn made(dice: &mut Dice, schema: Schema<'_>, name: &str, depth: usize) -> Value {
    match schema.kind() {
        Form::Struct => {
            let mut object = Map::new();
            let all = fields(schema, schema.type_name() == "ObjectMeta");
            let (required, optional): (Vec<_>, Vec<_>) =
                all.into_iter().partition(|(_, field)| field.is_required());
            for (name, field) in required {
                if depth < 12 {
                    object.insert(name.to_owned(), made(dice, field, name, depth + 1));
                }
            }
            let more = if depth < DEPTH || object.is_empty() { 1 + dice.below(2) } else { 0 };
            for _ in 0..more.min(optional.len()) {
                let (name, field) = dice.pick(&optional);
                if depth < 12 {
                    object.insert(name.to_owned(), made(dice, field, name, depth + 1));
                }
            }
            Value::Object(object)
        }
        Form::List => {
            let count = if dice.one_in(5) { 2 } else { 1 };
            let items = schema.items();
            (0..count).filter_map(|_| items.map(|items| made(dice, items, name, depth + 1))).collect()
        }
        Form::Map => {
            let keys: &[&str] = if matches!(name, "limits" | "requests" | "capacity" | "hard" | "max" | "min")
            {
                &words::RESOURCES
            } else {
                &words::KEYS
            };
            let key = dice.pick(keys);
            let value = schema.field(key).map(|inner| made(dice, inner, key, depth + 1));
            json!({key: value})
        }
        Form::Scalar(scalar) if dice.one_in(4) => edge(dice, scalar, name, schema),
        Form::Scalar(scalar) => plausible(dice, scalar, name, schema),
        Form::Any => anything(dice),
    }
}

fn plausible(dice: &mut Dice, scalar: Scalar, name: &str, schema: Schema<'_>) -> Value {
    match scalar {
        Scalar::String if !schema.choices().is_empty() => json!(dice.pick(schema.choices())),
        Scalar::String => json!(words::text(dice, name)),
        Scalar::Bytes => json!("YQ=="),
        Scalar::Time => json!("2020-01-02T03:04:05Z"),
        Scalar::MicroTime => json!("2020-01-02T03:04:05.000006Z"),
        Scalar::Int32 | Scalar::Int64 => json!(dice.pick(&[0, 1, 2, 5, 30, 80, 420])),
        Scalar::Number => json!(1.5),
        Scalar::Boolean => json!(dice.one_in(2)),
        Scalar::IntOrString => dice.pick(&[json!(1), json!("50%"), json!(80), json!("http")]).clone(),
        Scalar::Quantity => json!(dice.pick(&["1", "100m", "1Gi", "0.5", "2k"])),
    }
}

/// Draws a value at the edge of a type, on either side of it.
pub(crate) fn edge(dice: &mut Dice, scalar: Scalar, name: &str, schema: Schema<'_>) -> Value {
    let text = match scalar {
        Scalar::String if !schema.choices().is_empty() && !dice.one_in(3) => {
            return json!(dice.pick(schema.choices()));
        }
        Scalar::String if !dice.one_in(6) => return json!(words::text(dice, name)),
        Scalar::String => dice.pick(&words::STRINGS),
        Scalar::Bytes => dice.pick(&words::BYTES),
        Scalar::Time => dice.pick(&words::TIMES),
        Scalar::MicroTime => dice.pick(&words::MICRO_TIMES),
        Scalar::Int32 | Scalar::Int64 => dice.pick(&words::INTEGERS),
        Scalar::Number => dice.pick(&["1", "1.5", "-1", "\"x\"", "1e400", "0"]),
        Scalar::Boolean => dice.pick(&["true", "false", "\"true\"", "0", "null", "[]"]),
        Scalar::IntOrString => dice.pick(&words::INT_OR_STRINGS),
        Scalar::Quantity => dice.pick(&words::QUANTITIES),
    };
    literal(text)
}

/// The value of a JSON text. A number with a fraction or an exponent keeps
/// its spelling until [`text_of`] writes it.
fn literal(text: &str) -> Value {
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['.', 'e']) {
        return json!(format!("{MARK}{text}{MARK}"));
    }
    serde_json::from_str(text).unwrap_or_default()
}

/// Around a number that keeps its spelling.
const MARK: &str = "@@";

/// Writes a value as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    value.to_string().replace(&format!("\"{MARK}"), "").replace(&format!("{MARK}\""), "")
}

/// A value that fits almost nowhere.
fn wrong(dice: &mut Dice) -> Value {
    dice.pick(&[json!(null), json!([]), json!({}), json!("x"), json!(5), json!(true), json!([{}])]).clone()
}

fn anything(dice: &mut Dice) -> Value {
    let values = [json!({"a": 1}), json!([1, "b", null]), json!("x"), json!(1.5), json!(null), json!(true)];
    dice.pick(&values).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::kinds::KINDS;

    #[test]
    fn numbers_keep_their_spelling() {
        assert_eq!(
            text_of(&json!({"a": [literal("1e3"), literal("1.0"), literal("\"1.0\""), literal("7")]})),
            r#"{"a":[1e3,1.0,"1.0",7]}"#
        );
    }

    #[test]
    fn changes_of_every_kind_are_requests() {
        let mut dice = Dice::new(1);
        for kind in KINDS {
            let mut changed = false;
            for _ in 0..20 {
                let mut object = kind.plain("a");
                change_object(&mut dice, kind.schema().expect("it has a type"), &mut object);
                changed |= object != kind.plain("a");
                assert!(serde_json::from_str::<Value>(&text_of(&object)).is_ok());
            }
            assert!(changed, "{}", kind.kind);
        }
    }
}
