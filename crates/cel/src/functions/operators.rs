//! Operators: comparison, membership, access, arithmetic.

use std::{cmp::Ordering, rc::Rc};

use super::{access, basic::charged, one, times};
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
    Function::new("_!=_", &["(A, A) bool"], inequality, |arguments, meter| match arguments {
        [one, other] => {
            charge_for_both(one, other, meter)?;
            Ok(Value::Bool(!one.is(other, meter)?))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("_<_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? == Ordering::Less))
    })
    .flat_if_dynamic(),
    Function::new("_<=_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? != Ordering::Greater))
    })
    .flat_if_dynamic(),
    Function::new("_>_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? == Ordering::Greater))
    })
    .flat_if_dynamic(),
    Function::new("_>=_", ORDERED, comparison, |arguments, meter| {
        Ok(Value::Bool(order(arguments, meter)? != Ordering::Less))
    })
    .flat_if_dynamic(),
    Function::new("@in", &["(A, list<A>) bool", "(A, map<A, B>) bool"], membership, |arguments, meter| {
        match arguments {
            [item, container] => Ok(Value::Bool(is_in(item, container, meter)?)),
            _ => Err(Failure::NoOverload),
        }
    })
    .flat_if_dynamic(),
    Function::new("!_", &["(bool) bool"], one, |arguments, meter| match arguments {
        [Value::Bool(flag)] => charged(Value::Bool(!flag), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("-_", &["(int) int", "(double) double"], one, |arguments, meter| match arguments {
        [Value::Int(number)] => {
            meter.charge(1)?;
            number.checked_neg().map(Value::Int).ok_or_else(|| overflow("integer"))
        }
        [Value::Double(number)] => charged(Value::Double(-number), meter),
        _ => Err(Failure::NoOverload),
    }),
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
    )
    .flat_if_dynamic(),
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

/// The estimate of `==`. Upstream has costs of its own for Kubernetes' types, but not for `!=`.
fn equality(arguments: &Arguments<'_, '_>) -> Estimated {
    let is_same = |wanted: &str| {
        (0..2).all(|position| arguments.is(position, |is| matches!(is, Type::Named(name) if *name == wanted)))
    };
    let constant = [Type::IP, Type::CIDR, Type::QUANTITY, Type::SEMVER];
    Estimated::cost(if constant.into_iter().any(is_same) {
        Range::ONE
    } else if is_same(Type::FORMAT) {
        Range { min: 1, max: LONGEST_FORMAT }.tenth()
    } else if is_same(Type::URL) {
        let size = arguments.known_size(1).unwrap_or(Range::ONE);
        Range { min: 1, max: size.max }.tenth()
    } else {
        arguments.comparison()
    })
}

/// The longest name of a format, for which estimates of comparisons allow.
const LONGEST_FORMAT: u64 = 64;

fn inequality(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(arguments.comparison())
}

fn comparison(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(if arguments.is_text(0) { arguments.comparison().or(Range::ONE) } else { Range::ONE })
}

fn membership(arguments: &Arguments<'_, '_>) -> Estimated {
    let size = arguments.size(1);
    Estimated::cost(if arguments.is(1, |is| matches!(is, Type::Map(..))) {
        Range::ONE
    } else if arguments.is_list(1) {
        size
    } else {
        size.or(Range::ONE)
    })
}

fn addition(arguments: &Arguments<'_, '_>) -> Estimated {
    let sum = arguments.size(0).plus(arguments.size(1));
    let estimated = if arguments.is_list(0) {
        Estimated::sized(Range::ONE, sum)
    } else if arguments.is(0, |is| matches!(is, Type::String | Type::Bytes)) {
        Estimated::sized(sum.tenth(), sum)
    } else if arguments.is_text(0) {
        Estimated::sized(sum.tenth().or(Range::ONE), sum)
    } else {
        Estimated::cost(Range::ONE)
    };
    let both = arguments.entries(0).zip(arguments.entries(1));
    estimated.with_entries(both.map(|(one, other)| one.or(other)))
}

fn arithmetic<'a>(operator: &str, operands: &[Value<'a>], meter: &mut Meter) -> Made<'a> {
    let [one, other] = operands else { return Err(Failure::NoOverload) };
    meter.charge(1)?;
    calculate(operator, one, other)
}

fn overflow(of: &str) -> Failure {
    Failure::error(format!("{of} overflow"))
}

/// Comparing costs as much as going through the shorter of two texts.
fn charge_for_both(one: &Value<'_>, other: &Value<'_>, meter: &mut Meter) -> Result<(), Failure> {
    meter.traverse(one.size().min(other.size()))
}

fn equal<'a>(one: &Value<'a>, other: &Value<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    let is_constant = matches!(
        one,
        Value::Quantity(_)
            | Value::Ip(_)
            | Value::Cidr(_)
            | Value::Format(_)
            | Value::Url(_)
            | Value::Semver(_)
    );
    if is_constant {
        meter.charge(1)?;
    } else {
        charge_for_both(one, other, meter)?;
    }
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
        Value::Object(..) => {
            meter.charge(1)?;
            Ok(access::find(container, item, meter)?.is_some())
        }
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
        (Value::Int(one), Value::Int(other)) => whole("integer", operator, *other == 0, || match operator {
            "_+_" => one.checked_add(*other),
            "_-_" => one.checked_sub(*other),
            "_*_" => one.checked_mul(*other),
            "_/_" => one.checked_div(*other),
            _ => one.checked_rem(*other),
        })
        .map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => {
            whole("unsigned integer", operator, *other == 0, || match operator {
                "_+_" => one.checked_add(*other),
                "_-_" => one.checked_sub(*other),
                "_*_" => one.checked_mul(*other),
                "_/_" => one.checked_div(*other),
                _ => one.checked_rem(*other),
            })
            .map(Value::Uint)
        }
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
fn whole<T>(
    of: &str,
    operator: &str,
    is_by_zero: bool,
    result: impl Fn() -> Option<T>,
) -> Result<T, Failure> {
    match operator {
        "_/_" if is_by_zero => Err(Failure::error("division by zero")),
        "_%_" if is_by_zero => Err(Failure::error("modulus by zero")),
        _ => result().ok_or_else(|| overflow(of)),
    }
}
