//! What operators make of values.

use std::{cmp::Ordering, rc::Rc};

use super::{
    declared::ListKind,
    meter::{Failure, Meter},
    value::{List, Value, field},
};

type Made<'a> = Result<Value<'a>, Failure>;

/// What the operator `name` makes of its operands; `None` if it is none.
pub(super) fn apply<'a>(
    name: &str,
    operands: &[Value<'a>],
    meter: &mut Meter,
) -> Result<Option<Value<'a>>, Failure> {
    let made = match (name, operands) {
        ("_==_", [one, other]) => Value::Bool(equal(one, other, meter)?),
        ("_!=_", [one, other]) => Value::Bool(!equal(one, other, meter)?),
        ("_<_", [one, other]) => Value::Bool(order(one, other, meter)? == Ordering::Less),
        ("_<=_", [one, other]) => Value::Bool(order(one, other, meter)? != Ordering::Greater),
        ("_>_", [one, other]) => Value::Bool(order(one, other, meter)? == Ordering::Greater),
        ("_>=_", [one, other]) => Value::Bool(order(one, other, meter)? != Ordering::Less),
        ("@in", [item, container]) => Value::Bool(is_in(item, container, meter)?),
        ("!_", [Value::Bool(flag)]) => {
            meter.charge(1)?;
            Value::Bool(!flag)
        }
        ("-_", [Value::Int(number)]) => {
            meter.charge(1)?;
            number.checked_neg().map(Value::Int).ok_or_else(overflow)?
        }
        ("-_", [Value::Double(number)]) => {
            meter.charge(1)?;
            Value::Double(-number)
        }
        ("_[_]", [of, index]) => {
            meter.charge(1)?;
            at(of, index, meter)?
        }
        ("_[?_]", [of, index]) => {
            meter.charge(1)?;
            Value::optional(find(of, index, meter)?)
        }
        ("_+_", [one, other]) => add(one, other, meter)?,
        ("_-_" | "_*_" | "_/_" | "_%_", [one, other]) => {
            meter.charge(1)?;
            calculate(name, one, other)?
        }
        ("!_" | "-_", _) => return Err(Failure::NoOverload),
        _ => return Ok(None),
    };
    Ok(Some(made))
}

fn overflow() -> Failure {
    Failure::error("return error for overflow")
}

/// Comparing costs as much as going through the shorter of two texts.
fn charge_for_both(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<(), Failure> {
    meter.traverse(one.size().min(other.size()))
}

fn equal<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    charge_for_both(one, other, meter)?;
    one.is(other, meter)
}

fn order(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<Ordering, Failure> {
    charge_for_both(one, other, meter)?;
    match one.compare(other) {
        Some(order) => Ok(order),
        None if matches!((one, other), (Value::Double(_), _) | (_, Value::Double(_))) => {
            Err(Failure::error("NaN values cannot be ordered"))
        }
        None => Err(Failure::NoOverload),
    }
}

fn is_in<'a>(item: &Value<'a>, container: &Value<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    match container {
        Value::List(list) => {
            meter.charge(container.size())?;
            list.contains(item, meter)
        }
        Value::Map(entries) => {
            meter.charge(1)?;
            Ok(entries.get(item, meter)?.is_some())
        }
        _ => Err(Failure::NoOverload),
    }
}

/// What is at an index or a key, which has to be there.
fn at<'a>(of: &Value<'a>, index: &Value<'a>, meter: &mut Meter) -> Made<'a> {
    let found = find(of, index, meter)?;
    match (found, of, index) {
        (found, Value::Optional(_), _) => Ok(Value::optional(found)),
        (Some(found), ..) => Ok(found),
        (None, Value::List(_), Value::Int(index)) => {
            Err(Failure::error(format!("index out of bounds: {index}")))
        }
        (None, _, Value::String(key)) => Err(Failure::no_key(key.as_str())),
        (None, ..) => Err(Failure::error("no such key")),
    }
}

/// What is at an index or a key, if it is there.
fn find<'a>(of: &Value<'a>, index: &Value<'a>, meter: &mut Meter) -> Result<Option<Value<'a>>, Failure> {
    match (of, index) {
        (Value::List(list), Value::Int(index)) => {
            Ok(usize::try_from(*index).ok().and_then(|index| list.get(index)))
        }
        (Value::List(list), Value::Uint(index)) => {
            Ok(usize::try_from(*index).ok().and_then(|index| list.get(index)))
        }
        (Value::Map(entries), key) => entries.get(key, meter),
        (Value::Object(fields, object), Value::String(name)) => Ok(field(fields, object, name.as_str())),
        (Value::Optional(Some(inner)), index) => find(inner, index, meter),
        (Value::Optional(None), _) => Ok(None),
        _ => Err(Failure::NoOverload),
    }
}

fn add<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Made<'a> {
    match (one, other) {
        (Value::String(one_text), Value::String(other_text)) => {
            meter.traverse(one.size().saturating_add(other.size()))?;
            Ok(Value::text([one_text.as_str(), other_text.as_str()].concat()))
        }
        (Value::Bytes(one_bytes), Value::Bytes(other_bytes)) => {
            meter.traverse(one.size().saturating_add(other.size()))?;
            Ok(Value::Bytes([&**one_bytes, other_bytes].concat().into()))
        }
        (Value::List(one), Value::List(other)) => {
            meter.charge(1)?;
            join(one, other, meter)
        }
        _ => {
            meter.charge(1)?;
            calculate("_+_", one, other)
        }
    }
}

/// Two lists in one: what is in both stands once, if the first says that its items stand once.
fn join<'a>(one: &List<'a>, other: &List<'a>, meter: &mut Meter) -> Made<'a> {
    meter.make(one.len() + other.len())?;
    let mut items: Vec<Value<'a>> = one.iter().collect();
    match one.kind() {
        ListKind::Plain => items.extend(other.iter()),
        ListKind::Set => {
            for item in other.iter() {
                if !one.contains(&item, meter)? {
                    items.push(item);
                }
            }
        }
        ListKind::Map(keys) => {
            for item in other.iter() {
                match same_keys(&items, &item, keys, meter)? {
                    Some(position) => items[position] = item,
                    None => items.push(item),
                }
            }
        }
    }
    Ok(Value::List(List::Made(Rc::new(items))))
}

/// Which of `items` has the keys of `wanted`.
fn same_keys<'a>(
    items: &[Value<'a>],
    wanted: &Value<'a>,
    keys: &[String],
    meter: &mut Meter,
) -> Result<Option<usize>, Failure> {
    let of = |item: &Value<'a>, key: &String| match item {
        Value::Object(fields, object) => object
            .fields
            .iter()
            .find(|(_, field)| field.name == *key)
            .and_then(|(name, _)| field(fields, object, name)),
        _ => None,
    };
    'items: for (position, item) in items.iter().enumerate() {
        for key in keys {
            match (of(item, key), of(wanted, key)) {
                (Some(one), Some(other)) if one.is(&other, meter)? => {}
                (None, None) => {}
                _ => continue 'items,
            }
        }
        return Ok(Some(position));
    }
    Ok(None)
}

fn calculate<'a>(operator: &str, one: &Value<'a>, other: &Value<'a>) -> Made<'a> {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => whole(operator, *other == 0, || match operator {
            "_+_" => one.checked_add(*other),
            "_-_" => one.checked_sub(*other),
            "_*_" => one.checked_mul(*other),
            "_/_" => one.checked_div(*other),
            _ => one.checked_rem(*other),
        })
        .map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => whole(operator, *other == 0, || match operator {
            "_+_" => one.checked_add(*other),
            "_-_" => one.checked_sub(*other),
            "_*_" => one.checked_mul(*other),
            "_/_" => one.checked_div(*other),
            _ => one.checked_rem(*other),
        })
        .map(Value::Uint),
        (Value::Double(one), Value::Double(other)) => match operator {
            "_+_" => Ok(Value::Double(one + other)),
            "_-_" => Ok(Value::Double(one - other)),
            "_*_" => Ok(Value::Double(one * other)),
            "_/_" => Ok(Value::Double(one / other)),
            _ => Err(Failure::NoOverload),
        },
        _ => super::functions::times::calculate(operator, one, other),
    }
}

/// Integers have no infinity: a result that does not fit is none.
fn whole<T>(operator: &str, is_by_zero: bool, result: impl Fn() -> Option<T>) -> Result<T, Failure> {
    match operator {
        "_/_" if is_by_zero => Err(Failure::error("division by zero")),
        "_%_" if is_by_zero => Err(Failure::error("modulus by zero")),
        _ => result().ok_or_else(overflow),
    }
}
