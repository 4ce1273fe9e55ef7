//! Lists and sets.

use std::cmp::Ordering;

use super::{Given, count};
use crate::cel::{
    meter::{Failure, Meter},
    operators,
    value::{List, Value},
};

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    if let ("sets.contains" | "sets.equivalent" | "sets.intersects", [Value::List(one), Value::List(other)]) =
        (name, takes)
    {
        let cost = takes[0].size().saturating_mul(takes[1].size()).saturating_add(1);
        meter.charge(cost)?;
        return Ok(Some(Value::Bool(match name {
            "sets.contains" => has_all(one, other, meter)?,
            "sets.equivalent" => has_all(one, other, meter)? && has_all(other, one, meter)?,
            _ => has_any(one, other, meter)?,
        })));
    }
    let Some((Value::List(list), rest)) = takes.split_first() else { return Ok(None) };
    if !matches!(name, "isSorted" | "sum" | "min" | "max" | "indexOf" | "lastIndexOf") {
        return Ok(None);
    }
    for item in list.iter() {
        meter.charge(match item {
            Value::String(_) | Value::Bytes(_) => item.size() / 10,
            _ => 1,
        })?;
    }
    let given = match (name, rest) {
        ("isSorted", []) => Value::Bool(is_sorted(list)?),
        ("sum", []) => sum(list, meter)?,
        ("min", []) => extreme(list, name, Ordering::Less)?,
        ("max", []) => extreme(list, name, Ordering::Greater)?,
        ("indexOf" | "lastIndexOf", [wanted]) => {
            let mut found = -1;
            for (position, item) in list.iter().enumerate() {
                if item.is(wanted, meter)? {
                    found = count(position);
                    if name == "indexOf" {
                        break;
                    }
                }
            }
            Value::Int(found)
        }
        _ => return Ok(None),
    };
    Ok(Some(given))
}

fn has_all<'a>(one: &List<'a>, other: &List<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    for item in other.iter() {
        if !one.contains(&item, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_any<'a>(one: &List<'a>, other: &List<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    for item in other.iter() {
        if one.contains(&item, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_sorted(list: &List<'_>) -> Result<bool, Failure> {
    let mut before: Option<Value<'_>> = None;
    for item in list.iter() {
        if let Some(before) = &before
            && before.compare(&item).ok_or(Failure::NoOverload)? == Ordering::Greater
        {
            return Ok(false);
        }
        before = Some(item);
    }
    Ok(true)
}

/// All items added up; an empty list has the sum 0, whatever its items would be.
fn sum<'a>(list: &List<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let mut items = list.iter();
    let Some(mut sum) = items.next() else { return Ok(Value::Int(0)) };
    for item in items {
        sum = operators::apply("_+_", &[sum, item], meter)?.ok_or(Failure::NoOverload)?;
    }
    Ok(sum)
}

fn extreme<'a>(list: &List<'a>, name: &str, wanted: Ordering) -> Result<Value<'a>, Failure> {
    let mut found: Option<Value<'a>> = None;
    for item in list.iter() {
        let is_better = match &found {
            None => true,
            Some(found) => item.compare(found).ok_or(Failure::NoOverload)? == wanted,
        };
        if is_better {
            found = Some(item);
        }
    }
    found.ok_or_else(|| Failure::error(format!("{name} called on empty list")))
}
