//! Functions of every value: its size, its type, and optional values.

use super::one;
use crate::{
    estimate::{Arguments, Estimated},
    function::{Function, Mismatch},
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
            [
                value @ (Value::String(_)
                | Value::Bytes(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Object(..)),
            ] => {
                meter.charge(1)?;
                Ok(Value::Int(i64::try_from(value.size()).unwrap_or(i64::MAX)))
            }
            _ => Err(Failure::NoOverload),
        },
    )
    .with_mismatch(Mismatch::Name),
    Function::new("type", &["(A) type<A>"], one, |arguments, meter| match arguments {
        [value] => charged(Value::Type(value.type_name()), meter),
        _ => Err(Failure::NoOverload),
    })
    .folded(),
    Function::new("dyn", &["(A) dyn"], same, |arguments, meter| match arguments {
        [value] => charged(value.clone(), meter),
        _ => Err(Failure::NoOverload),
    })
    .folded(),
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
        [Value::Optional(None)] => {
            meter.charge(1)?;
            Err(Failure::error("optional.none() dereference"))
        }
        _ => Err(Failure::NoOverload),
    }),
    // Both are evaluated only if the first argument is an optional value without a value: the second is the result then.
    Function::new("or", &["optional<A>.(optional<A>) optional<A>"], one, second)
        .with_shortcut(|first| (!matches!(first, Value::Optional(None))).then(|| first.clone())),
    Function::new("orValue", &["optional<A>.(A) A"], one, second).with_shortcut(|first| match first {
        Value::Optional(inner) => inner.as_deref().cloned(),
        other => Some(other.clone()),
    }),
    Function::new(
        "optional.unwrap",
        &["(list<optional<A>>) list<A>"],
        one,
        super::made_lists::present_values,
    ),
    Function::new("unwrapOpt", &["list<optional<A>>.() list<A>"], one, super::made_lists::present_values),
];

/// Returns the second of two arguments.
fn second<'a>(arguments: &[Value<'a>], _: &mut Meter) -> Result<Value<'a>, Failure> {
    match arguments {
        [_, other] => Ok(other.clone()),
        _ => Err(Failure::NoOverload),
    }
}

/// Returns a value after charging 1 for it.
pub(super) fn charged<'a>(value: Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    meter.charge(1)?;
    Ok(value)
}

/// The estimate of `dyn`: the value stays what it was.
fn same(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::unchanged(arguments.known_size(0)).with_entries(arguments.entries(0))
}
