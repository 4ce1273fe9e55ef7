//! Operators: comparison, membership, access, arithmetic.

use std::{cmp::Ordering, rc::Rc};

use super::{basic::charged, one, times};
use crate::{
    decl_type::ListKind,
    estimate::{Arguments, Estimated, Range},
    function::Function,
    meter::{Failure, Meter},
    typed::Type,
    value::{List, Value, field},
};

type Made<'a> = Result<Value<'a>, Failure>;

/// Types that `<`, `<=`, `>` and `>=` order, each among themselves; numbers also among each other.
const ORDERED: &[&str] = &[
    "(bool, bool) bool",
    "(int, int) bool",
    "(int, uint) bool",
    "(int, double) bool",
    "(uint, int) bool",
    "(uint, uint) bool",
    "(uint, double) bool",
    "(double, int) bool",
    "(double, uint) bool",
    "(double, double) bool",
    "(string, string) bool",
    "(bytes, bytes) bool",
    "(timestamp, timestamp) bool",
    "(duration, duration) bool",
];

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("_==_", &["(A, A) bool"], equality, |arguments, meter| match arguments {
        [one, other] => Ok(Value::Bool(equal(one, other, meter)?)),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("_!=_", &["(A, A) bool"], equality, |arguments, meter| match arguments {
        [one, other] => Ok(Value::Bool(!equal(one, other, meter)?)),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("_<_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? == Ordering::Less))
    }),
    Function::new("_<=_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? != Ordering::Greater))
    }),
    Function::new("_>_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? == Ordering::Greater))
    }),
    Function::new("_>=_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? != Ordering::Less))
    }),
    Function::new("@in", &["(A, list<A>) bool", "(A, map<A, B>) bool"], membership, |arguments, meter| {
        match arguments {
            [item, container] => Ok(Value::Bool(is_in(item, container, meter)?)),
            _ => Err(Failure::NoOverload),
        }
    }),
    Function::new("!_", &["(bool) bool"], one, |arguments, meter| match arguments {
        [Value::Bool(flag)] => charged(Value::Bool(!flag), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("-_", &["(int) int", "(double) double"], one, |arguments, meter| match arguments {
        [Value::Int(number)] => charged(Value::Int(number.checked_neg().ok_or_else(overflow)?), meter),
        [Value::Double(number)] => charged(Value::Double(-number), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "_[_]",
        &[
            "(list<A>, int) A",
            "(map<A, B>, A) B",
            "(optional<list<A>>, int) optional<A>",
            "(optional<map<A, B>>, A) optional<B>",
        ],
        |_| Estimated::element(),
        |arguments, meter| match arguments {
            [of, index] => {
                meter.charge(1)?;
                at(of, index, meter)
            }
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "_[?_]",
        &[
            "(list<A>, int) optional<A>",
            "(map<A, B>, A) optional<B>",
            "(optional<list<A>>, int) optional<A>",
            "(optional<map<A, B>>, A) optional<B>",
        ],
        one,
        |arguments, meter| match arguments {
            [of, index] => {
                meter.charge(1)?;
                Ok(Value::optional(find(of, index, meter)?))
            }
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "_+_",
        &[
            "(int, int) int",
            "(uint, uint) uint",
            "(double, double) double",
            "(string, string) string",
            "(bytes, bytes) bytes",
            "(list<A>, list<A>) list<A>",
            "(duration, duration) duration",
            "(duration, timestamp) timestamp",
            "(timestamp, duration) timestamp",
        ],
        addition,
        |arguments, meter| match arguments {
            [one, other] => add(one, other, meter),
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new(
        "_-_",
        &[
            "(int, int) int",
            "(uint, uint) uint",
            "(double, double) double",
            "(duration, duration) duration",
            "(timestamp, duration) timestamp",
            "(timestamp, timestamp) duration",
        ],
        one,
        |arguments, meter| arithmetic("_-_", arguments, meter),
    ),
    Function::new(
        "_*_",
        &["(int, int) int", "(uint, uint) uint", "(double, double) double"],
        one,
        |arguments, meter| arithmetic("_*_", arguments, meter),
    ),
    Function::new(
        "_/_",
        &["(int, int) int", "(uint, uint) uint", "(double, double) double"],
        one,
        |arguments, meter| arithmetic("_/_", arguments, meter),
    ),
    Function::new("_%_", &["(int, int) int", "(uint, uint) uint"], one, |arguments, meter| {
        arithmetic("_%_", arguments, meter)
    }),
];

fn equality(arguments: &Arguments<'_, '_>) -> Estimated {
    let is_named = arguments.is(0, |is| matches!(is, Type::Named(_)));
    Estimated::cost(if is_named { Range::ONE } else { arguments.comparison() })
}

fn comparison(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(if arguments.is_text(0) { arguments.comparison().or(Range::ONE) } else { Range::ONE })
}

fn membership(arguments: &Arguments<'_, '_>) -> Estimated {
    let is_map = arguments.is(1, |is| matches!(is, Type::Map(..)));
    Estimated::cost(if is_map { Range::ONE } else { arguments.size(1) })
}

fn addition(arguments: &Arguments<'_, '_>) -> Estimated {
    let sum = arguments.size(0).plus(arguments.size(1));
    let estimated = if arguments.is_list(0) {
        Estimated::sized(Range::ONE, sum)
    } else if arguments.is_text(0) {
        Estimated::sized(sum.tenth(), sum)
    } else {
        Estimated::cost(Range::ONE)
    };
    let both = arguments.entries(0).zip(arguments.entries(1));
    estimated.with_entries(both.map(|(one, other)| (one.0.or(other.0), one.1.or(other.1))))
}

fn arithmetic<'a>(operator: &str, operands: &[Value<'a>], meter: &mut Meter) -> Made<'a> {
    let [one, other] = operands else { return Err(Failure::NoOverload) };
    meter.charge(1)?;
    calculate(operator, one, other)
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

fn order(operands: &[Value<'_>], meter: &mut Meter) -> Result<Ordering, Failure> {
    let [one, other] = operands else { return Err(Failure::NoOverload) };
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

/// Returns the element at an index or a key, which must exist.
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

/// Returns the element at an index or a key, if it exists.
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

/// Adds two values: numbers, times, texts or lists.
pub(super) fn add<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Made<'a> {
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

/// Returns the position of the item that has the keys of `wanted`.
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
        _ => times::calculate(operator, one, other),
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
