//! Functions that examine lists.

use std::cmp::Ordering;

use super::{count, operators};
use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
    meter::{Failure, Meter},
    value::{List, Value},
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "isSorted",
        &[
            "list<int>.() bool",
            "list<uint>.() bool",
            "list<double>.() bool",
            "list<bool>.() bool",
            "list<string>.() bool",
            "list<bytes>.() bool",
            "list<duration>.() bool",
            "list<timestamp>.() bool",
        ],
        each_item,
        |arguments, meter| match arguments {
            [Value::List(list)] => {
                charge_items(list, meter)?;
                is_sorted(list).map(Value::Bool)
            }
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "sum",
        &["list<int>.() int", "list<uint>.() uint", "list<double>.() double", "list<duration>.() duration"],
        each_item,
        |arguments, meter| match arguments {
            [Value::List(list)] => {
                charge_items(list, meter)?;
                sum(list, meter)
            }
            _ => Err(Failure::NoOverload),
        },
    )
    .with_default(|overload| match overload {
        1 => Value::Uint(0),
        2 => Value::Double(0.0),
        3 => Value::Duration(0),
        _ => Value::Int(0),
    }),
    Function::new("min", EXTREMES, each_item, |arguments, meter| match arguments {
        [Value::List(list)] => {
            charge_items(list, meter)?;
            extreme(list, "min", Ordering::Less)
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("max", EXTREMES, each_item, |arguments, meter| match arguments {
        [Value::List(list)] => {
            charge_items(list, meter)?;
            extreme(list, "max", Ordering::Greater)
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("indexOf", &["list<A>.(A) int"], each_item, |arguments, meter| match arguments {
        [Value::List(list), wanted] => {
            charge_items(list, meter)?;
            for (position, item) in list.iter().enumerate() {
                if item.is(wanted, meter)? {
                    return Ok(Value::Int(count(position)));
                }
            }
            Ok(Value::Int(-1))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("lastIndexOf", &["list<A>.(A) int"], each_item, |arguments, meter| match arguments {
        [Value::List(list), wanted] => {
            charge_items(list, meter)?;
            let mut found = -1;
            for (position, item) in list.iter().enumerate() {
                if item.is(wanted, meter)? {
                    found = count(position);
                }
            }
            Ok(Value::Int(found))
        }
        _ => Err(Failure::NoOverload),
    }),
];

const EXTREMES: &[&str] = &[
    "list<int>.() int",
    "list<uint>.() uint",
    "list<double>.() double",
    "list<bool>.() bool",
    "list<string>.() string",
    "list<bytes>.() bytes",
    "list<duration>.() duration",
    "list<timestamp>.() timestamp",
];

/// The estimate of a function that compares every item once.
fn each_item(arguments: &Arguments<'_, '_>) -> Estimated {
    let size = arguments.size(0);
    Estimated::cost(if arguments.is_list_of_texts(0) {
        size.times(Range::ONE.plus(arguments.items(0).tenth()))
    } else if arguments.is_list(0) {
        size
    } else {
        size.tenth()
    })
}

/// Charges for traversing a list once.
fn charge_items(list: &List<'_>, meter: &mut Meter) -> Result<(), Failure> {
    list.iter().try_for_each(|item| charge_traversal(&item, meter))
}

/// Charges for traversing a value with all its parts. Texts cost a tenth of their bytes, rounded down.
pub(super) fn charge_traversal(value: &Value<'_>, meter: &mut Meter) -> Result<(), Failure> {
    let tenth = |length: usize| u64::try_from(length / 10).unwrap_or(u64::MAX);
    meter.work(1)?;
    match value {
        Value::String(text) => meter.charge(tenth(text.as_str().len())),
        Value::Bytes(bytes) => meter.charge(tenth(bytes.len())),
        Value::List(list) => charge_items(list, meter),
        Value::Map(_) | Value::Object(..) => value.entries().try_for_each(|(key, value)| {
            charge_traversal(&key, meter)?;
            charge_traversal(&value, meter)
        }),
        _ => meter.charge(1),
    }
}

/// Compares two items; `None` if they have different types.
fn order(one: &Value<'_>, other: &Value<'_>) -> Result<Option<Ordering>, Failure> {
    if one.is_ordered() && other.is_ordered() { Ok(one.compare(other)) } else { Err(Failure::NoOverload) }
}

fn is_sorted(list: &List<'_>) -> Result<bool, Failure> {
    let mut before: Option<Value<'_>> = None;
    for item in list.iter() {
        if let Some(before) = &before
            && order(before, &item)? == Some(Ordering::Greater)
        {
            return Ok(false);
        }
        before = Some(item);
    }
    Ok(true)
}

/// Adds up all items of a list that is not empty.
fn sum<'a>(list: &List<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let cost = meter.cost();
    let mut items = list.iter();
    let Some(mut sum) = items.next() else { return Ok(Value::Int(0)) };
    for item in items {
        sum = operators::add(&sum, &item, meter)?;
    }
    meter.refund_to(cost); // the additions are no calls of the expression
    Ok(sum)
}

fn extreme<'a>(list: &List<'a>, name: &str, wanted: Ordering) -> Result<Value<'a>, Failure> {
    let mut found: Option<Value<'a>> = None;
    for item in list.iter() {
        let is_better = match &found {
            None => true,
            Some(found) => order(&item, found)? == Some(wanted),
        };
        if is_better {
            found = Some(item);
        }
    }
    found.ok_or_else(|| Failure::error(format!("{name} called on empty list")))
}
