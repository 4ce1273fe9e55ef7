//! Quantities, such as `500m` and `1Gi`.

use trimtab_quantity::Quantity;

use super::Given;
use crate::cel::{
    meter::{Failure, Meter},
    value::Value,
};

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    if let ("quantity" | "isQuantity", [Value::String(text)]) = (name, takes) {
        meter.traverse(takes[0].size())?;
        let parsed = text.as_str().parse::<Quantity>();
        if name == "isQuantity" {
            return Ok(Some(Value::Bool(parsed.is_ok())));
        }
        return Ok(Some(Value::Quantity(parsed.map_err(|error| Failure::error(error.to_string()))?)));
    }
    let Some((Value::Quantity(quantity), rest)) = takes.split_first() else { return Ok(None) };
    let other = match rest {
        [] => None,
        [Value::Quantity(other)] => Some(other.clone()),
        [Value::Int(other)] => Some(Quantity::from(*other)),
        _ => return Ok(None),
    };
    let given = match (name, other) {
        ("isInteger", None) => Value::Bool(quantity.to_i64().is_some()),
        ("asInteger", None) => {
            let no_integer = || Failure::error("cannot convert value to integer");
            Value::Int(quantity.to_i64().ok_or_else(no_integer)?)
        }
        ("asApproximateFloat", None) => Value::Double(quantity.to_f64()),
        ("sign", None) => Value::Int(quantity.signum().into()),
        ("add", Some(other)) => Value::Quantity(quantity.clone() + other),
        ("sub", Some(other)) => Value::Quantity(quantity.clone() - other),
        ("isGreaterThan", Some(other)) => Value::Bool(*quantity > other),
        ("isLessThan", Some(other)) => Value::Bool(*quantity < other),
        ("compareTo", Some(other)) => Value::Int(quantity.cmp(&other) as i64),
        _ => return Ok(None),
    };
    meter.charge(1)?;
    Ok(Some(given))
}
