//! Functions: CEL's own and those that Kubernetes adds.

mod convert;
mod format;
mod lists;
pub(super) mod network;
mod quantity;
pub(super) mod regexes;
pub(super) mod semver;
mod strings;
pub(super) mod times;
pub(super) mod url;

use super::{
    meter::{Failure, Meter},
    value::Value,
};

/// What a function comes to; `None` if a library has none of that name, or none that takes what there is.
type Given<'a> = Result<Option<Value<'a>>, Failure>;

/// What the function `name` makes of what it takes, the receiver first.
pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Failure> {
    type Library = for<'a> fn(&str, &[Value<'a>], &mut Meter) -> Given<'a>;
    const LIBRARIES: [Library; 11] = [
        basic,
        convert::apply,
        strings::apply,
        lists::apply,
        regexes::apply,
        times::apply,
        quantity::apply,
        url::apply,
        network::apply,
        semver::apply,
        format::apply,
    ];
    for library in LIBRARIES {
        if let Some(value) = library(name, takes, meter)? {
            return Ok(value);
        }
    }
    Err(Failure::NoOverload)
}

/// What any value can be asked.
fn basic<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    let given = match (name, takes) {
        ("size", [Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_)]) => {
            Value::Int(i64::try_from(takes[0].size()).unwrap_or(i64::MAX))
        }
        ("type", [value]) => Value::Type(value.type_name()),
        ("dyn", [value]) => value.clone(),
        ("optional.none", []) => Value::Optional(None),
        ("optional.of", [value]) => Value::optional(Some(value.clone())),
        ("optional.ofNonZeroValue", [value]) => Value::optional((!value.is_zero()).then(|| value.clone())),
        ("hasValue", [Value::Optional(inner)]) => Value::Bool(inner.is_some()),
        ("value", [Value::Optional(inner)]) => {
            let inner = inner.as_deref().cloned();
            inner.ok_or_else(|| Failure::error("optional.none() dereference"))?
        }
        ("or", [one @ Value::Optional(inner), other]) => if inner.is_some() { one } else { other }.clone(),
        ("orValue", [Value::Optional(inner), other]) => inner.as_deref().unwrap_or(other).clone(),
        _ => return Ok(None),
    };
    meter.charge(1)?;
    Ok(Some(given))
}

/// A number that counts something.
fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
