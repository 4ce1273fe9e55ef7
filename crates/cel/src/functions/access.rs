//! Access to the elements of lists and maps: `list[0]`, `map['key']` and `list[?0]`.

use super::{convert::written, one};
use crate::{
    estimate::Estimated,
    function::Function,
    meter::{Failure, Meter},
    value::{Value, field},
};

type Made<'a> = Result<Value<'a>, Failure>;

pub(crate) const FUNCTIONS: &[Function] = &[
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
            [of @ Value::Optional(_), index] => present(of, index, meter),
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
            [of, index] => present(of, index, meter),
            _ => Err(Failure::NoOverload),
        },
    ),
];

/// Returns the element at an index or a key, which must exist.
fn at<'a>(of: &Value<'a>, index: &Value<'a>, meter: &mut Meter) -> Made<'a> {
    let found = find(of, index, meter)?;
    let index = || written(index).unwrap_or_else(|| index.type_name().to_owned());
    found.ok_or_else(|| match of {
        Value::List(_) => Failure::error(format!("index out of bounds: {}", index())),
        _ => Failure::no_key(&index()),
    })
}

/// Returns the element at an index or a key as an optional value. An element that is absent costs nothing.
fn present<'a>(of: &Value<'a>, index: &Value<'a>, meter: &mut Meter) -> Made<'a> {
    let found = find(of, index, meter)?;
    meter.charge(u64::from(found.is_some()))?;
    Ok(Value::optional(found))
}

/// Returns the element at an index or a key, if it exists. Other values have no elements.
pub(super) fn find<'a>(
    of: &Value<'a>,
    index: &Value<'a>,
    meter: &mut Meter,
) -> Result<Option<Value<'a>>, Failure> {
    match (of, index) {
        (Value::List(list), index) => Ok(position(index)?.and_then(|position| list.get(position))),
        (Value::Map(entries), key) => entries.get(key, meter),
        (Value::Object(fields, object), Value::String(name)) => Ok(field(fields, object, name.as_str())),
        (Value::Optional(Some(inner)), index) => find(inner, index, meter),
        _ => Ok(None),
    }
}

/// Returns the position that an index means; `None` if no list has it.
fn position(index: &Value<'_>) -> Result<Option<usize>, Failure> {
    Ok(match index {
        Value::Int(index) => usize::try_from(*index).ok(),
        Value::Uint(index) => usize::try_from(*index).ok(),
        Value::Double(index) => {
            #[allow(clippy::cast_possible_truncation, reason = "compared with the original below")]
            let whole = *index as i64;
            #[allow(clippy::cast_precision_loss, reason = "a difference means that it was not whole")]
            if (whole as f64 - *index).abs() > 0.0 || index.is_nan() {
                return Err(Failure::error(format!("unsupported index value {index} in list")));
            }
            usize::try_from(whole).ok()
        }
        other => {
            return Err(Failure::error(format!("unsupported index type '{}' in list", other.type_name())));
        }
    })
}
