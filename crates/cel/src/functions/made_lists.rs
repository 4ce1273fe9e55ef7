//! Functions that make lists of lists, or return one item of them.

use std::cmp::Ordering;

use super::{basic::charged, one};
use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
    meter::{Failure, Meter},
    value::{List, Value},
};

pub(crate) const FUNCTIONS: &[Function] = &[
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
    Function::new("flatten", &["list<list<A>>.() list<A>"], copied, |arguments, meter| match arguments {
        [Value::List(list)] => {
            let inner = |item| match item {
                Value::List(inner) => inner.iter().collect::<Vec<_>>(),
                other => vec![other],
            };
            made(list.iter().flat_map(inner).collect(), meter)
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "slice",
        &["list<A>.(int, int) list<A>"],
        slice_estimate,
        |arguments, meter| match arguments {
            [Value::List(list), Value::Int(from), Value::Int(to)] => made(slice(list, *from, *to)?, meter),
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "distinct",
        &["list<A>.() list<A>"],
        |arguments| Estimated::list(arguments.size(0).times(arguments.size(0)), 20),
        |arguments, meter| match arguments {
            [Value::List(list)] => {
                square(list, meter)?;
                let items = distinct(list, meter)?;
                made(items, meter)
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
    ),
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
    ),
    Function::new(
        "lists.range",
        &["(int) list<int>"],
        |arguments| Estimated::list(Range::exactly(arguments.literal(0).unwrap_or(u64::MAX)), 10),
        |arguments, meter| match arguments {
            [Value::Int(count)] => {
                meter.charge(u64::try_from(*count).unwrap_or(0))?;
                made((0..*count).map(Value::Int).collect(), meter)
            }
            _ => Err(Failure::NoOverload),
        },
    ),
];

/// Evaluates `optional.unwrap` and `unwrapOpt`: the values that are there.
pub(super) fn present_values<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let [Value::List(list)] = arguments else { return Err(Failure::NoOverload) };
    let inner = |item| match item {
        Value::Optional(inner) => inner.as_deref().cloned(),
        other => Some(other),
    };
    made(list.iter().filter_map(inner).collect(), meter)
}

/// Returns a list after charging for it.
fn made<'a>(items: Vec<Value<'a>>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    meter.charge(u64::try_from(items.len()).unwrap_or(u64::MAX).saturating_add(11))?;
    meter.make(items.len())?;
    Ok(Value::list(items))
}

/// The estimate of a list as long as the first argument.
fn copied(arguments: &Arguments<'_, '_>) -> Estimated {
    if arguments.is_list(0) { Estimated::list(arguments.size(0), 10) } else { one(arguments) }
}

fn slice_estimate(arguments: &Arguments<'_, '_>) -> Estimated {
    let end = arguments.literal(2).unwrap_or(arguments.size(0).max);
    Estimated::list(Range::exactly(end.saturating_sub(arguments.literal(1).unwrap_or(0))), 10)
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
    let tenths = if arguments.is_list_of_texts(keys) { 21 } else { 20 };
    Estimated::list(arguments.size(keys).times(arguments.size(keys)), tenths)
}

/// Sorts the items by their keys.
fn sort<'a>(list: &List<'a>, keys: &List<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    square(keys, meter)?;
    let mut pairs: Vec<(Value<'a>, Value<'a>)> = keys.iter().zip(list.iter()).collect();
    if pairs.iter().any(|(key, _)| key.compare(key).is_none()) {
        return Err(Failure::error("list elements must be comparable"));
    }
    let first = pairs.first().map(|(key, _)| key.type_name());
    if pairs.iter().any(|(key, _)| Some(key.type_name()) != first) {
        return Err(Failure::error("list elements must have the same type"));
    }
    pairs.sort_by(|(one, _), (other, _)| one.compare(other).unwrap_or(Ordering::Equal));
    made(pairs.into_iter().map(|(_, item)| item).collect(), meter)
}

/// Charges for comparing each item with each other.
fn square(list: &List<'_>, meter: &mut Meter) -> Result<(), Failure> {
    let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
    meter.charge(count.saturating_mul(count).saturating_mul(2))
}
