//! Sets: lists whose order and repetitions do not count.

use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
    meter::{Failure, Meter},
    value::{List, Value},
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "sets.contains",
        &["(list<A>, list<A>) bool"],
        |arguments| product(arguments, 1),
        |sets, meter| {
            let (one, other) = both(sets, 1, meter)?;
            has_all(one, other, meter).map(Value::Bool)
        },
    ),
    Function::new(
        "sets.equivalent",
        &["(list<A>, list<A>) bool"],
        |arguments| product(arguments, 2),
        |sets, meter| {
            let (one, other) = both(sets, 2, meter)?;
            Ok(Value::Bool(has_all(one, other, meter)? && has_all(other, one, meter)?))
        },
    ),
    Function::new(
        "sets.intersects",
        &["(list<A>, list<A>) bool"],
        |arguments| product(arguments, 1),
        |sets, meter| {
            let (one, other) = both(sets, 1, meter)?;
            for item in other.iter() {
                if one.contains(&item, meter)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        },
    ),
];

/// The cost of comparing each item with each other, so many times.
fn product(arguments: &Arguments<'_, '_>, times: u64) -> Estimated {
    let product = arguments.size(0).times(arguments.size(1));
    Estimated::cost(product.times(Range::exactly(times)).plus(Range::ONE))
}

/// Returns both lists after charging for comparing each item with each other, so many times.
fn both<'v, 'a>(
    sets: &'v [Value<'a>],
    times: u64,
    meter: &mut Meter,
) -> Result<(&'v List<'a>, &'v List<'a>), Failure> {
    let [Value::List(one), Value::List(other)] = sets else { return Err(Failure::NoOverload) };
    meter.charge(sets[0].size().saturating_mul(sets[1].size()).saturating_mul(times).saturating_add(1))?;
    Ok((one, other))
}

fn has_all<'a>(one: &List<'a>, other: &List<'a>, meter: &mut Meter) -> Result<bool, Failure> {
    for item in other.iter() {
        if !one.contains(&item, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}
