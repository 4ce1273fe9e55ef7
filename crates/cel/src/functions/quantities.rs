//! Quantities, such as `500m` and `1Gi`.

use trimtab_quantity::Quantity;

use super::{basic::charged, one, traversal};
use crate::{
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("quantity", &["(string) quantity"], traversal, |arguments, meter| {
        let parsed = parse(arguments, meter)?;
        parsed.map(Value::Quantity).map_err(|error| Failure::error(error.to_string()))
    }),
    Function::new("isQuantity", &["(string) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(parse(arguments, meter)?.is_ok()))
    }),
    Function::new("isInteger", &["quantity.() bool"], one, |arguments, meter| match arguments {
        [Value::Quantity(quantity)] => charged(Value::Bool(quantity.to_i64().is_some()), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("asInteger", &["quantity.() int"], one, |arguments, meter| match arguments {
        [Value::Quantity(quantity)] => {
            meter.charge(1)?;
            let number = quantity.to_i64().map(Value::Int);
            number.ok_or_else(|| Failure::error("cannot convert value to integer"))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("asApproximateFloat", &["quantity.() double"], one, |arguments, meter| match arguments {
        [Value::Quantity(quantity)] => charged(Value::Double(quantity.to_f64()), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("sign", &["(quantity) int"], one, |arguments, meter| match arguments {
        [Value::Quantity(quantity)] => charged(Value::Int(quantity.signum().into()), meter),
        _ => Err(Failure::NoOverload),
    }),
    Function::new("add", CALCULATION, one, |arguments, meter| {
        calculate(arguments, meter, |one, other| Value::Quantity(one.clone() + other))
    }),
    Function::new("sub", CALCULATION, one, |arguments, meter| {
        calculate(arguments, meter, |one, other| Value::Quantity(one.clone() - other))
    }),
    Function::new("isGreaterThan", &["quantity.(quantity) bool"], one, |arguments, meter| {
        calculate(arguments, meter, |one, other| Value::Bool(*one > other))
    }),
    Function::new("isLessThan", &["quantity.(quantity) bool"], one, |arguments, meter| {
        calculate(arguments, meter, |one, other| Value::Bool(*one < other))
    }),
    Function::new("compareTo", &["quantity.(quantity) int"], one, |arguments, meter| {
        calculate(arguments, meter, |one, other| Value::Int(one.cmp(&other) as i64))
    }),
];

const CALCULATION: &[&str] = &["quantity.(quantity) quantity", "quantity.(int) quantity"];

fn parse(
    arguments: &[Value<'_>],
    meter: &mut Meter,
) -> Result<Result<Quantity, trimtab_quantity::ParseQuantityError>, Failure> {
    let [value @ Value::String(text)] = arguments else { return Err(Failure::NoOverload) };
    meter.traverse(value.size())?;
    Ok(text.as_str().parse())
}

fn calculate<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    calculate: impl Fn(&Quantity, Quantity) -> Value<'a>,
) -> Result<Value<'a>, Failure> {
    let result = match arguments {
        [Value::Quantity(one), Value::Quantity(other)] => calculate(one, other.clone()),
        [Value::Quantity(one), Value::Int(other)] => calculate(one, Quantity::from(*other)),
        _ => return Err(Failure::NoOverload),
    };
    charged(result, meter)
}
