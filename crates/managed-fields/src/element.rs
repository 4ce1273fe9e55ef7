//! [`Element`]: one step of a path, as `fieldsV1` writes it: `f:spec`, `k:{"name":"web"}`, `v:"a"`, `i:0`.

use std::{cmp::Ordering, fmt};

use serde_json::{Map, Value};

/// A step from a value to a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Element<'a> {
    /// A field of an object.
    Field(&'a str),
    /// The item of a list whose key fields have these values.
    Key(Map<String, Value>),
    /// The item of a set with this value.
    Value(Value),
    /// The item at a position.
    Index(i64),
}

/// The error of managed fields that are in no known form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the managed fields are in no known form: an entry needs an apiVersion, the operation Apply or Update, and FieldsV1")
    }
}

impl std::error::Error for Malformed {}

impl<'a> Element<'a> {
    /// Parses a step; `None` for one of an unknown kind, which upstream leaves out.
    pub(crate) fn parse(text: &'a str) -> Result<Option<Self>, Malformed> {
        let (kind, rest) = text.split_once(':').ok_or(Malformed)?;
        Ok(Some(match kind {
            "f" => Self::Field(rest),
            "k" => Self::Key(serde_json::from_str(rest).map_err(|_| Malformed)?),
            "v" => Self::Value(serde_json::from_str(rest).map_err(|_| Malformed)?),
            "i" => Self::Index(rest.parse().map_err(|_| Malformed)?),
            _ if kind.len() == 1 => return Ok(None),
            _ => return Err(Malformed),
        }))
    }

    /// Writes the step. Equal steps have equal texts, so that the text stands for the step.
    pub(crate) fn write(&self) -> String {
        match self {
            Self::Field(name) => field(name),
            Self::Key(fields) => key(fields.iter().map(|(name, value)| (name.as_str(), value))),
            Self::Value(value) => self::value(value),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// Compares steps in upstream's order: fields, keys, values, positions.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(one), Self::Field(other)) => one.cmp(other),
            (Self::Key(one), Self::Key(other)) => {
                let mut pairs = one.iter().zip(other);
                let first = pairs.find_map(|((name, value), (other_name, other))| {
                    Some(name.cmp(other_name).then_with(|| order(value, other))).filter(|order| order.is_ne())
                });
                first.unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            (Self::Value(one), Self::Value(other)) => order(one, other),
            (Self::Index(one), Self::Index(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

/// As upstream prints paths in conflicts: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.
impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Returns the step to a field.
pub(crate) fn field(name: &str) -> String {
    ["f:", name].concat()
}

/// Returns the step to the item of a list whose key fields, ordered by name, have these values.
pub(crate) fn key<'a>(fields: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut text = String::with_capacity(64); // most keys fit
    text.push_str("k:{");
    for (position, (name, value)) in fields.into_iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_text(&mut text, name);
        text.push(':');
        write_json(&mut text, value);
    }
    text.push('}');
    text
}

/// Returns the step to the item of a set.
pub(crate) fn value(value: &Value) -> String {
    let mut text = String::from("v:");
    write_json(&mut text, value);
    text
}

/// Writes JSON as Go does: whole numbers without a fraction, and HTML's characters escaped.
fn write_json(text: &mut String, value: &Value) {
    if let Value::String(value) = value {
        return write_text(text, value);
    }
    if let Some(whole) = whole(value) {
        text.push_str(&whole.to_string());
        return;
    }
    write_escaped(text, &value.to_string());
}

/// Writes a text; those of names need no escapes.
fn write_text(text: &mut String, value: &str) {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b':' | b' ');
    if value.bytes().all(is_plain) {
        ["\"", value, "\""].iter().for_each(|part| text.push_str(part));
    } else {
        write_escaped(text, &Value::from(value).to_string());
    }
}

fn write_escaped(text: &mut String, json: &str) {
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            other => text.push(other),
        }
    }
}

/// Returns the integer of a number with a fraction of zero.
fn whole(value: &Value) -> Option<i64> {
    /// The largest power of two up to which every whole number has a form of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_f64().filter(|_| value.is_f64())?;
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number within the range")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

/// Returns whether two values are equal, where 1 equals 1.0.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let are_same = |((name, one), (other_name, other)): ((&String, &Value), (&String, &Value))| {
                name == other_name && same(one, other)
            };
            one.len() == other.len() && one.iter().zip(other).all(are_same) // both are sorted
        }
        _ => one == other,
    }
}

/// Compares plain values in upstream's order: numbers, texts, truth values.
fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) else {
                return Ordering::Equal;
            };
            one.total_cmp(&other)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)).then_with(|| one.to_string().cmp(&other.to_string())),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_is_read_and_written_in_one_form() {
        for (text, written, shown) in [
            ("f:spec", "f:spec", ".spec"),
            ("f:a/b:c", "f:a/b:c", ".a/b:c"),
            (r#"k:{"name":"web"}"#, r#"k:{"name":"web"}"#, r#"[name="web"]"#),
            (
                r#"k:{ "protocol": "TCP", "port": 80.0 }"#,
                r#"k:{"port":80,"protocol":"TCP"}"#,
                r#"[port=80.0,protocol="TCP"]"#,
            ),
            (r#"v:"a<b""#, r#"v:"a\u003cb""#, r#"[="a<b"]"#),
            ("v:1", "v:1", "[=1]"),
            ("i:7", "i:7", "[7]"),
        ] {
            let element = Element::parse(text).expect("well formed").expect("known");
            assert_eq!(element.write(), written);
            assert_eq!(element.to_string(), shown);
            assert_eq!(
                Element::parse(&element.write()).expect("well formed").expect("known").write(),
                written
            );
        }
        assert_eq!(Element::parse("x:whatever"), Ok(None), "a later version may know it");
        for malformed in ["", "spec", "k:{", "k:1", "v:", "i:x", "no:thing"] {
            assert_eq!(Element::parse(malformed), Err(Malformed), "{malformed}");
        }
    }

    #[test]
    fn steps_are_ordered_as_upstream_lists_them() {
        let texts = [
            "f:a",
            "f:b",
            r#"k:{"containerPort":80,"protocol":"TCP"}"#,
            r#"k:{"containerPort":443,"protocol":"TCP"}"#,
            r#"k:{"containerPort":443,"protocol":"UDP"}"#,
            r#"k:{"name":"a"}"#,
            "v:2",
            "v:10",
            r#"v:"a""#,
            "v:true",
            "i:2",
            "i:10",
        ];
        let elements = texts.map(|text| Element::parse(text).expect("well formed").expect("known"));
        assert!(elements.is_sorted_by(|one, other| one.order(other).is_lt()));
    }

    #[test]
    fn numbers_are_the_same_in_every_notation() {
        assert!(same(&json!({"a": [1, "x"]}), &json!({"a": [1.0, "x"]})));
        assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": null})));
        assert!(!same(&json!([1]), &json!([1, 2])));
        assert!(!same(&json!(0), &json!(false)));
    }
}
