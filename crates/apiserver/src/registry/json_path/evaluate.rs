//! Following a path.

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;

use super::parse::{Node, Slice};

type Found<'v> = Vec<Cow<'v, Value>>;

/// Follows `nodes` from the values, one after the other; `None` if that is not possible.
pub(super) fn list<'v>(nodes: &[Node], values: Found<'v>) -> Option<Found<'v>> {
    nodes.iter().try_fold(values, |values, node| step(node, values))
}

fn step<'v>(node: &Node, values: Found<'v>) -> Option<Found<'v>> {
    let each = |value: Value| vec![Cow::Owned(value); values.len()];
    Some(match node {
        Node::Field(name) => values.into_iter().filter_map(|value| field(value, name)).collect(),
        Node::Wildcard => values.into_iter().flat_map(parts).collect(),
        Node::Recursive => values.into_iter().flat_map(with_parts).collect(),
        Node::Slice(slice) => {
            let mut found = Vec::new();
            for value in values.into_iter().filter(|value| !value.is_null()) {
                found.extend(sliced(value, *slice)?);
            }
            found
        }
        Node::Union(alternatives) => {
            let mut found = Vec::new();
            for nodes in alternatives {
                found.extend(list(nodes, values.clone())?);
            }
            found
        }
        Node::Filter { left, compared } => {
            let mut found = Vec::new();
            for value in values {
                value.as_array()?;
                for item in parts(value) {
                    if holds(&item, left, compared.as_ref())? {
                        found.push(item);
                    }
                }
            }
            found
        }
        Node::Text(text) => vec![Cow::Owned(text.as_str().into())],
        Node::Int(number) => each((*number).into()),
        Node::Float(number) => each((*number).into()),
        Node::Flag(flag) => each((*flag).into()),
        Node::Word => return None,
    })
}

fn field<'v>(value: Cow<'v, Value>, name: &str) -> Option<Cow<'v, Value>> {
    match value {
        Cow::Borrowed(value) => value.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Object(mut fields)) => fields.remove(name).map(Cow::Owned),
        Cow::Owned(_) => None,
    }
}

/// Returns the items or fields of a value; the bytes of a text.
fn parts(value: Cow<'_, Value>) -> Found<'_> {
    match value {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Object(fields)) => fields.values().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        Cow::Owned(Value::Object(fields)) => fields.into_values().map(Cow::Owned).collect(),
        value => match &*value {
            Value::String(text) => text.bytes().map(|byte| Cow::Owned(byte.into())).collect(),
            _ => Vec::new(),
        },
    }
}

/// A value and all in it that has parts, those around first.
fn with_parts(value: Cow<'_, Value>) -> Found<'_> {
    let parts = parts(value.clone());
    if parts.is_empty() {
        return Vec::new();
    }
    let within: Found<'_> = parts.into_iter().flat_map(with_parts).collect();
    [value].into_iter().chain(within).collect()
}

/// The items that a slice names; `None` if there are none at its places.
fn sliced(value: Cow<'_, Value>, slice: Slice) -> Option<Found<'_>> {
    let length = i64::try_from(value.as_array()?.len()).ok()?;
    let from_end = |place: i64| if place < 0 { place + length } else { place };
    let start = from_end(slice.start.unwrap_or(0));
    let end = match slice.end {
        None => length,
        // The place after the last item, which counts from the end as it does.
        Some(0) if slice.is_item => length,
        Some(end) => from_end(end),
    };
    if start == end {
        return Some(Vec::new());
    }
    let is_within = (0..length).contains(&start) && (0..=length).contains(&end) && start < end;
    let step = slice.step.unwrap_or(1);
    if !is_within || step <= 0 {
        return None;
    }
    let (start, count) = (usize::try_from(start).ok()?, usize::try_from(end - start).ok()?);
    let step = usize::try_from(step).ok()?;
    Some(parts(value).into_iter().skip(start).take(count).step_by(step).collect())
}

/// Returns whether a filter keeps an item; `None` if its operands cannot be compared.
fn holds(item: &Value, left: &[Node], compared: Option<&(String, Vec<Node>)>) -> Option<bool> {
    let find = |nodes: &[Node]| list(nodes, vec![Cow::Borrowed(item)]);
    let Some((operator, right)) = compared else {
        return Some(find(left).is_some_and(|found| !found.is_empty()));
    };
    let (left, right) = (find(left)?, find(right)?);
    let (left, right) = match (left.as_slice(), right.as_slice()) {
        ([], _) | (_, []) => return Some(false),
        ([left], [right]) => (left, right),
        _ => return None,
    };
    let is_equal = || match (&**left, &**right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        (left, right) => compare(left, right).map(Ordering::is_eq),
    };
    match operator.as_str() {
        "==" => is_equal(),
        "!=" => is_equal().map(|equal| !equal),
        "<" => compare(left, right).map(Ordering::is_lt),
        "<=" => compare(left, right).map(Ordering::is_le),
        ">" => compare(left, right).map(Ordering::is_gt),
        ">=" => compare(left, right).map(Ordering::is_ge),
        _ => None,
    }
}

/// The order of two values, which have to be of one type: an integer is no float.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
            _ => None,
        },
        _ => None,
    }
}
