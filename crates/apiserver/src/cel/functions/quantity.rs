//! Quantities, such as `500m` and `1Gi`.

use super::Given;
use crate::{
    cel::{
        meter::{Failure, Meter},
        value::Value,
    },
    kinds::quantity::{self, UNIT},
};

/// A quantity in its shortest decimal form.
pub(super) fn written(nanos: i128) -> String {
    quantity::decimal(nanos)
}

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    if let ("quantity" | "isQuantity", [Value::String(text)]) = (name, takes) {
        meter.traverse(takes[0].size())?;
        let read = quantity::nanos(text.as_str());
        if name == "isQuantity" {
            return Ok(Some(Value::Bool(read.is_some())));
        }
        let unreadable = || Failure::error(quantity::NO_QUANTITY);
        return Ok(Some(Value::Quantity(read.ok_or_else(unreadable)?)));
    }
    let Some((Value::Quantity(nanos), rest)) = takes.split_first() else { return Ok(None) };
    let other = match rest {
        [] => None,
        [Value::Quantity(other)] => Some(*other),
        [Value::Int(other)] => Some(i128::from(*other) * UNIT),
        _ => return Ok(None),
    };
    let integer = || (nanos % UNIT == 0).then(|| i64::try_from(nanos / UNIT).ok()).flatten();
    let overflow = || Failure::error("return error for overflow");
    let given = match (name, other) {
        ("isInteger", None) => Value::Bool(integer().is_some()),
        ("asInteger", None) => {
            let no_integer = || Failure::error("cannot convert value to integer");
            Value::Int(integer().ok_or_else(no_integer)?)
        }
        #[allow(clippy::cast_precision_loss, reason = "an approximation is asked for")]
        ("asApproximateFloat", None) => Value::Double(*nanos as f64 / UNIT as f64),
        ("sign", None) => Value::Int(i64::try_from(nanos.signum()).unwrap_or(0)),
        ("add", Some(other)) => Value::Quantity(nanos.checked_add(other).ok_or_else(overflow)?),
        ("sub", Some(other)) => Value::Quantity(nanos.checked_sub(other).ok_or_else(overflow)?),
        ("isGreaterThan", Some(other)) => Value::Bool(*nanos > other),
        ("isLessThan", Some(other)) => Value::Bool(*nanos < other),
        ("compareTo", Some(other)) => Value::Int(nanos.cmp(&other) as i64),
        _ => return Ok(None),
    };
    meter.charge(1)?;
    Ok(Some(given))
}
