//! Functions that make lists of lists, or return one item of them.

use std::cmp::Ordering;

use super::{basic::charged, convert::written, one};
use crate::{
    estimate::{Arguments, Estimated, Range, TENTH},
    function::{Function, Mismatch},
    meter::{Failure, Meter},
    typed::Type,
    value::{List, Value},
};

pub(crate) const FUNCTIONS: &[Function] =
    &[
        Function::new("first", &["list<A>.() optional<A>"], one, |arguments, meter| match arguments {
            [Value::List(list)] => charged(Value::optional(list.get(0)), meter),
            _ => Err(Failure::NoOverload),
        }),
        Function::new("last", &["list<A>.() optional<A>"], one, |arguments, meter| match arguments {
            [Value::List(list)] => {
                let last = list.len().checked_sub(1).and_then(|last| list.get(last));
                charged(Value::optional(last), meter)
            }
            _ => Err(Failure::NoOverload),
        }),
        Function::new("reverse", &["list<A>.() list<A>"], copied, |arguments, meter| match arguments {
            [Value::List(list)] => {
                let mut items: Vec<_> = list.iter().collect();
                items.reverse();
                made(items, meter)
            }
            _ => Err(Failure::NoOverload),
        }),
        Function::new(
            "flatten",
            &["list<list<A>>.() list<A>", "list<dyn>.(int) list<dyn>"],
            |arguments| {
                let depth = if arguments.count() == 1 { 1 } else { arguments.literal(1).unwrap_or(u64::MAX) };
                #[allow(clippy::cast_precision_loss, reason = "upstream rounds the same way")]
                Estimated::list(arguments.size(0), depth as f64)
            },
            |arguments, meter| {
                let (list, depth) = match arguments {
                    [Value::List(list)] => (list, 1),
                    [Value::List(list), Value::Int(depth)] => (list, *depth),
                    _ => return Err(Failure::NoOverload),
                };
                let cost = i128::from(depth)
                    .saturating_mul(i128::from(size(list)))
                    .saturating_add(ALLOCATION.into());
                meter.charge(u64::try_from(cost.max(0)).unwrap_or(u64::MAX))?;
                if depth < 0 {
                    return Err(Failure::error("level must be non-negative"));
                }
                let mut items = Vec::new();
                flatten(list, depth, &mut items, meter)?;
                Ok(Value::list(items))
            },
        ),
        Function::new("slice", &["list<A>.(int, int) list<A>"], slice_estimate, |arguments, meter| {
            match arguments {
                [Value::List(list), Value::Int(from), Value::Int(to)] => match slice(list, *from, *to) {
                    Ok(items) => made(items, meter),
                    Err(failure) => {
                        meter.charge(ALLOCATION + 1)?;
                        Err(failure)
                    }
                },
                _ => Err(Failure::NoOverload),
            }
        }),
        Function::new(
            "distinct",
            &["list<A>.() list<A>"],
            |arguments| Estimated::list(arguments.size(0).times(arguments.size(0)), 2.0),
            |arguments, meter| match arguments {
                [Value::List(list)] => {
                    compare_all(list, meter)?;
                    distinct(list, meter).map(Value::list)
                }
                _ => Err(Failure::NoOverload),
            },
        ),
        Function::new(
            "sort",
            &[
                "list<int>.() list<int>",
                "list<uint>.() list<uint>",
                "list<double>.() list<double>",
                "list<bool>.() list<bool>",
                "list<duration>.() list<duration>",
                "list<timestamp>.() list<timestamp>",
                "list<string>.() list<string>",
                "list<bytes>.() list<bytes>",
            ],
            |arguments| sort_estimate(arguments, 0),
            |arguments, meter| match arguments {
                [Value::List(list)] => sort(list, list, meter),
                _ => Err(Failure::NoOverload),
            },
        )
        .flat_if_dynamic()
        .with_mismatch(Mismatch::Name),
        Function::new(
            "@sortByAssociatedKeys",
            &[
                "list<A>.(list<int>) list<A>",
                "list<A>.(list<uint>) list<A>",
                "list<A>.(list<double>) list<A>",
                "list<A>.(list<bool>) list<A>",
                "list<A>.(list<duration>) list<A>",
                "list<A>.(list<timestamp>) list<A>",
                "list<A>.(list<string>) list<A>",
                "list<A>.(list<bytes>) list<A>",
            ],
            |arguments| sort_estimate(arguments, 1),
            |arguments, meter| match arguments {
                [Value::List(list), Value::List(keys)] => sort(list, keys, meter),
                _ => Err(Failure::NoOverload),
            },
        )
        .flat_if_dynamic()
        .with_mismatch(Mismatch::Name),
        Function::new(
            "lists.range",
            &["(int) list<int>"],
            |arguments| Estimated::list(Range::exactly(arguments.literal(0).unwrap_or(u64::MAX)), 1.0),
            |arguments, meter| match arguments {
                [Value::Int(count)] => {
                    meter.charge(u64::try_from(*count).unwrap_or(0).saturating_add(ALLOCATION))?;
                    meter.make(usize::try_from(*count).unwrap_or(0))?;
                    Ok(Value::list((0..*count).map(Value::Int).collect()))
                }
                _ => Err(Failure::NoOverload),
            },
        ),
    ];

/// The cost of a call that makes a list, without the items.
const ALLOCATION: u64 = 11;

/// Evaluates `optional.unwrap` and `unwrapOpt`: the values that are there.
pub(super) fn present_values<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let [Value::List(list)] = arguments else { return Err(Failure::NoOverload) };
    meter.charge(1)?;
    meter.make(list.len())?;
    let mut items = Vec::new();
    for item in list.iter() {
        match item {
            Value::Optional(inner) => items.extend(inner.as_deref().cloned()),
            other => {
                let text = written(&other).unwrap_or_else(|| other.type_name().to_owned());
                return Err(Failure::error(format!("value {text} is not optional")));
            }
        }
    }
    Ok(Value::list(items))
}

fn size(list: &List<'_>) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// Returns a list after charging for it.
fn made<'a>(items: Vec<Value<'a>>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    meter.charge(u64::try_from(items.len()).unwrap_or(u64::MAX).saturating_add(ALLOCATION))?;
    meter.make(items.len())?;
    Ok(Value::list(items))
}

/// Adds the items of a list, and of the lists in it down to a depth.
fn flatten<'a>(
    list: &List<'a>,
    depth: i64,
    items: &mut Vec<Value<'a>>,
    meter: &mut Meter,
) -> Result<(), Failure> {
    for item in list.iter() {
        match item {
            Value::List(inner) if depth > 0 => flatten(&inner, depth - 1, items, meter)?,
            item => {
                meter.make(1)?;
                items.push(item);
            }
        }
    }
    Ok(())
}

/// The estimate of a list as long as the first argument.
fn copied(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::list(arguments.size(0), 1.0)
}

/// An end before the start is a negative length, which upstream takes for the largest of all.
fn slice_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let end = arguments.literal(2).unwrap_or(arguments.size(0).max);
    let start = arguments.literal(1).unwrap_or(0);
    Estimated::list(Range::exactly(end.wrapping_sub(start)), 1.0)
}

fn slice<'a>(list: &List<'a>, from: i64, to: i64) -> Result<Vec<Value<'a>>, Failure> {
    let refused = |because: &str| Err(Failure::error(format!("cannot slice({from}, {to}), {because}")));
    if from < 0 || to < 0 {
        return refused("negative indexes not supported");
    }
    if from > to {
        return refused("start index must be less than or equal to end index");
    }
    let [start, end] = [from, to].map(|place| usize::try_from(place).unwrap_or(usize::MAX));
    if end > list.len() {
        return refused(&format!("list is length {}", list.len()));
    }
    Ok(list.iter().skip(start).take(end - start).collect())
}

fn distinct<'a>(list: &List<'a>, meter: &mut Meter) -> Result<Vec<Value<'a>>, Failure> {
    let mut kept: Vec<Value<'a>> = Vec::new();
    'items: for item in list.iter() {
        for known in &kept {
            if known.is(&item, meter)? {
                continue 'items;
            }
        }
        kept.push(item);
    }
    Ok(kept)
}

fn sort_estimate(arguments: &Arguments<'_, '_>, keys: usize) -> Estimated {
    let is_dynamic = arguments.is(keys, |is| match is {
        Type::List(item) => item.is_dyn(),
        is => is.is_dyn(),
    });
    let each = if arguments.is_list_of_texts(keys) || is_dynamic { TEXTS } else { 2.0 };
    Estimated::list(arguments.size(keys).times(arguments.size(keys)), each)
}

/// The cost of comparing two texts with each other.
const TEXTS: f64 = 2.0 + TENTH;

/// Sorts the items by their keys.
fn sort<'a>(list: &List<'a>, keys: &List<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    compare_all(keys, meter)?;
    meter.make(list.len())?;
    let mut pairs: Vec<(Value<'a>, Value<'a>)> = keys.iter().zip(list.iter()).collect();
    if pairs.first().is_some_and(|(key, _)| !key.is_ordered()) {
        return Err(Failure::error("list elements must be comparable"));
    }
    let first = pairs.first().map(|(key, _)| key.type_name());
    if pairs.iter().any(|(key, _)| Some(key.type_name()) != first) {
        return Err(Failure::error("list elements must have the same type"));
    }
    pairs.sort_by(|(one, _), (other, _)| one.compare(other).unwrap_or(Ordering::Equal));
    Ok(Value::list(pairs.into_iter().map(|(_, item)| item).collect()))
}

/// Charges for comparing each item with each other. Texts cost a little more.
fn compare_all(list: &List<'_>, meter: &mut Meter) -> Result<(), Failure> {
    let pairs = size(list).saturating_mul(size(list));
    let texts = match list.get(0) {
        Some(Value::String(_) | Value::Bytes(_)) => pairs / 10,
        _ => 0,
    };
    meter.charge(pairs.saturating_mul(2).saturating_add(texts).saturating_add(ALLOCATION))
}
