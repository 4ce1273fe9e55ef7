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
    if let Some(made) = make(name, takes, meter)? {
        return Ok(Some(made));
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

/// Functions that give lists, or an item of one.
fn make<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let outside = |from: i64, to: i64, length: usize| {
        Failure::error(format!("cannot slice({from}, {to}), list is length {length}"))
    };
    let items = match (name, takes) {
        ("first", [Value::List(list)]) => {
            meter.charge(1)?;
            return Ok(Some(Value::optional(list.get(0))));
        }
        ("last", [Value::List(list)]) => {
            meter.charge(1)?;
            return Ok(Some(Value::optional(list.len().checked_sub(1).and_then(|last| list.get(last)))));
        }
        ("reverse", [Value::List(list)]) => {
            let mut items: Vec<_> = list.iter().collect();
            items.reverse();
            items
        }
        ("slice", [Value::List(list), Value::Int(from), Value::Int(to)]) => {
            let length = list.len();
            if *from < 0 || *to < 0 {
                return Err(Failure::error(format!(
                    "cannot slice({from}, {to}), negative indexes not supported"
                )));
            }
            if from > to {
                return Err(Failure::error(format!(
                    "cannot slice({from}, {to}), start index must be less than or equal to end index"
                )));
            }
            let [start, end] = [*from, *to].map(|place| usize::try_from(place).unwrap_or(usize::MAX));
            if end > length {
                return Err(outside(*from, *to, length));
            }
            list.iter().skip(start).take(end - start).collect()
        }
        ("flatten", [Value::List(list)]) => {
            let inner = |item: Value<'a>| match item {
                Value::List(inner) => inner.iter().collect::<Vec<_>>(),
                other => vec![other],
            };
            list.iter().flat_map(inner).collect()
        }
        ("distinct", [Value::List(list)]) => {
            square(list, meter)?;
            let mut kept: Vec<Value<'a>> = Vec::new();
            for item in list.iter() {
                let mut is_new = true;
                for known in &kept {
                    if known.is(&item, meter)? {
                        is_new = false;
                        break;
                    }
                }
                if is_new {
                    kept.push(item);
                }
            }
            kept
        }
        ("sort", [Value::List(list)]) => {
            square(list, meter)?;
            sorted(list, list)?
        }
        ("@sortByAssociatedKeys", [Value::List(list), Value::List(keys)]) => {
            square(keys, meter)?;
            sorted(list, keys)?
        }
        ("lists.range", [Value::Int(count)]) => {
            meter.charge(u64::try_from(*count).unwrap_or(0))?;
            (0..*count).map(Value::Int).collect()
        }
        ("optional.unwrap" | "unwrapOpt", [Value::List(list)]) => {
            let inner = |item| match item {
                Value::Optional(inner) => inner.as_deref().cloned(),
                other => Some(other),
            };
            list.iter().filter_map(inner).collect()
        }
        _ => return Ok(None),
    };
    meter.charge(u64::try_from(items.len()).unwrap_or(u64::MAX).saturating_add(11))?;
    meter.make(items.len())?;
    Ok(Some(Value::list(items)))
}

/// Charges what it costs to compare each item with each other.
fn square(list: &List<'_>, meter: &mut Meter) -> Result<(), Failure> {
    let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
    meter.charge(count.saturating_mul(count).saturating_mul(2))
}

/// The items in the order of their keys.
fn sorted<'a>(list: &List<'a>, keys: &List<'a>) -> Result<Vec<Value<'a>>, Failure> {
    let mut pairs: Vec<(Value<'a>, Value<'a>)> = keys.iter().zip(list.iter()).collect();
    if pairs.iter().any(|(key, _)| key.compare(key).is_none()) {
        return Err(Failure::error("list elements must be comparable"));
    }
    let first = pairs.first().map(|(key, _)| key.type_name());
    if pairs.iter().any(|(key, _)| Some(key.type_name()) != first) {
        return Err(Failure::error("list elements must have the same type"));
    }
    pairs.sort_by(|(one, _), (other, _)| one.compare(other).unwrap_or(Ordering::Equal));
    Ok(pairs.into_iter().map(|(_, item)| item).collect())
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
