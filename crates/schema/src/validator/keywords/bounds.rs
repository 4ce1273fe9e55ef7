//! [`Bounds`] of numbers and sizes.

use serde_json::{Number, Value};

use super::messages;
use crate::error::FieldError;

/// The bounds of a value.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) minimum: Option<Number>,
    pub(crate) exclusive_minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    pub(crate) exclusive_maximum: Option<Number>,
    pub(crate) multiple_of: Option<Number>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) min_properties: Option<u64>,
    pub(crate) max_properties: Option<u64>,
}

impl Bounds {
    /// Reports each bound that a value exceeds, but for those of texts.
    pub(crate) fn check(&self, value: &Value, field: &str, report: &mut impl FnMut(Vec<FieldError>)) {
        match value {
            Value::Number(number) => self.check_number(number, value, field, report),
            Value::Array(items) => {
                Self::check_size(self.min_items, self.max_items, size(items.len()), "items", field, report);
            }
            Value::Object(fields) => {
                let (min, max) = (self.min_properties, self.max_properties);
                Self::check_size(min, max, size(fields.len()), "properties", field, report);
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }

    /// Returns the error of the length of a text.
    pub(super) fn length_error(&self, text: &str, value: &Value, field: &str) -> Option<FieldError> {
        let length = size(text.chars().count());
        if let Some(limit) = self.max_length.filter(|limit| length > *limit) {
            return Some(messages::too_long(limit, field));
        }
        let limit = self.min_length.filter(|limit| length < *limit)?;
        Some(messages::in_body(field, value, &format!("should be at least {limit} chars long")))
    }

    fn check_number(
        &self,
        number: &Number,
        value: &Value,
        field: &str,
        report: &mut impl FnMut(Vec<FieldError>),
    ) {
        let mut refuse = |limit: &Option<Number>, is_beyond: fn(&Number, &Number) -> bool, because: &str| {
            if let Some(limit) = limit.as_ref().filter(|limit| is_beyond(number, limit)) {
                report(vec![messages::in_body(field, value, &format!("{because} {limit}"))]);
            }
        };
        refuse(&self.minimum, less, "should be greater than or equal to");
        refuse(&self.maximum, |number, limit| less(limit, number), "should be less than or equal to");
        refuse(&self.exclusive_minimum, |number, limit| !less(limit, number), "should be greater than");
        refuse(&self.exclusive_maximum, |number, limit| !less(number, limit), "should be less than");
        refuse(&self.multiple_of, |number, factor| !is_multiple(number, factor), "should be a multiple of");
    }

    fn check_size(
        min: Option<u64>,
        max: Option<u64>,
        size: u64,
        what: &str,
        field: &str,
        report: &mut impl FnMut(Vec<FieldError>),
    ) {
        if let Some(limit) = min.filter(|limit| size < *limit) {
            let because = format!("should have at least {limit} {what}");
            report(vec![messages::in_body(field, &size.into(), &because)]);
        }
        if let Some(limit) = max.filter(|limit| size > *limit) {
            report(vec![messages::too_many(size, limit, field)]);
        }
    }
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Returns an integer that is one exactly.
fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn less(one: &Number, other: &Number) -> bool {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one < other,
        _ => one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one < other),
    }
}

/// Returns whether the quotient is an integer, apart from rounding errors.
fn is_multiple(number: &Number, factor: &Number) -> bool {
    const EPSILON: f64 = 1e-9;
    if let (Some(number), Some(factor)) = (integer(number), integer(factor)) {
        return factor != 0 && number % factor == 0;
    }
    let (Some(number), Some(factor)) = (number.as_f64(), factor.as_f64()) else { return false };
    let quotient = number / factor;
    // Beyond 2⁵³, upstream's library takes no float for an integer.
    if quotient.abs() > 9_007_199_254_740_991.0 {
        return false;
    }
    (quotient - quotient.round()).abs() <= EPSILON * quotient.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(value: &Value) -> Number {
        value.as_number().expect("a number").clone()
    }

    #[test]
    fn integers_are_compared_exactly() {
        let [one, other] = [json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)];
        assert!(less(&number(&other), &number(&one)) && !less(&number(&one), &number(&other)));
        assert!(less(&number(&json!(1)), &number(&json!(1.5))));
    }

    #[test]
    fn multiples_allow_for_rounding() {
        for (value, factor, expected) in [
            (json!(4), json!(2), true),
            (json!(3), json!(2), false),
            (json!(0.3), json!(0.1), true),
            (json!(0.35), json!(0.1), false),
            (json!(1.5), json!(0.5), true),
            (json!(1), json!(0), false),
        ] {
            assert_eq!(is_multiple(&number(&value), &number(&factor)), expected, "{value} {factor}");
        }
    }
}
