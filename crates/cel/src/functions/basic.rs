//! Functions of every value: its size, its type, and optional values.

use super::one;
use crate::{
    estimate::{Arguments, Estimated},
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "size",
        &[
            "(string) int",
            "(bytes) int",
            "(list<A>) int",
            "(map<A, B>) int",
            "string.() int",
            "bytes.() int",
            "list<A>.() int",
            "map<A, B>.() int",
        ],
        one,
        |arguments, meter| match arguments {
            [value @ (Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_))] => {
                meter.charge(1)?;
                Ok(Value::Int(i64::try_from(value.size()).unwrap_or(i64::MAX)))
            }
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new("type", &["(A) type"], one, |arguments, meter| match arguments {
        [value] => charged(Value::Type(value.type_name()), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("dyn", &["(A) dyn"], same, |arguments, meter| match arguments {
        [value] => charged(value.clone(), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("optional.none", &["() optional<A>"], one, |arguments, meter| match arguments {
        [] => charged(Value::Optional(None), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("optional.of", &["(A) optional<A>"], one, |arguments, meter| match arguments {
        [value] => charged(Value::optional(Some(value.clone())), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("optional.ofNonZeroValue", &["(A) optional<A>"], one, |arguments, meter| match arguments {
        [value] => charged(Value::optional((!value.is_zero()).then(|| value.clone())), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("hasValue", &["optional<A>.() bool"], one, |arguments, meter| match arguments {
        [Value::Optional(inner)] => charged(Value::Bool(inner.is_some()), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("value", &["optional<A>.() A"], one, |arguments, meter| match arguments {
        [Value::Optional(Some(inner))] => charged(Value::clone(inner), meter),
        [Value::Optional(None)] => Err(Failure::error("optional.none() dereference")),
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "or",
        &["optional<A>.(optional<A>) optional<A>"],
        one,
        |arguments, meter| match arguments {
            [Value::Optional(None), other] => charged(other.clone(), meter),
            [one @ Value::Optional(Some(_)), _] => charged(one.clone(), meter),
            _ => Err(Failure::NoOverload),
        },
    ),
    Function::new("orValue", &["optional<A>.(A) A"], one, |arguments, meter| match arguments {
        [Value::Optional(inner), other] => charged(inner.as_deref().unwrap_or(other).clone(), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new(
        "optional.unwrap",
        &["(list<optional<A>>) list<A>"],
        one,
        super::made_lists::present_values,
    ),
    Function::new("unwrapOpt", &["list<optional<A>>.() list<A>"], one, super::made_lists::present_values),
];

/// Returns a value after charging 1 for it.
pub(super) fn charged<'a>(value: Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    meter.charge(1)?;
    Ok(value)
}

/// The estimate of `dyn`: the value stays what it was.
fn same(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::unchanged(arguments.known_size(0)).with_entries(arguments.entries(0))
}
