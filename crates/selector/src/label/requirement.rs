//! [`Requirement`]: one condition on one label.

use std::fmt;

use super::{
    error::{Problems, SelectorError},
    names::{key_problems, value_problems},
};
use crate::Operator;

/// One condition on one label: a key, an operator, and the values that the operator takes.
///
/// ```
/// use trimtab_selector::{Operator, Requirement};
///
/// let requirement = Requirement::new("env", Operator::In, ["prod", "canary"])?;
/// assert!(requirement.matches(Some("prod")) && !requirement.matches(None));
/// assert_eq!(requirement.to_string(), "env in (canary,prod)");
/// # Ok::<(), trimtab_selector::SelectorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: String,
    operator: Operator,
    /// Sorted, each value once.
    values: Vec<String>,
}

impl Requirement {
    /// Creates a requirement.
    ///
    /// # Errors
    ///
    /// If the key or a value is not valid for a label, or if the operator takes another number of values: `In` and
    /// `NotIn` one or more, `Exists` and `DoesNotExist` none, the others exactly one, which is an integer for
    /// `GreaterThan` and `LessThan`.
    pub fn new(
        key: impl Into<String>,
        operator: Operator,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, SelectorError> {
        let (key, mut values): (String, Vec<String>) =
            (key.into(), values.into_iter().map(Into::into).collect());
        let mut problems = Problems::default();
        problems.invalid("key", &key, &key_problems(&key));
        problems.invalid_list("values", &values, wrong_number(operator, values.len()));
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (index, value) in values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err())
            {
                let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                problems.invalid(&format!("values[{index}]"), value, detail);
            }
        }
        for (index, value) in values.iter().enumerate() {
            problems.invalid(&format!("values[{index}][{key}]"), value, &value_problems(value));
        }
        problems.into_result()?;
        values.sort_unstable();
        values.dedup();
        Ok(Self { key, operator, values })
    }

    /// Checks a key before the operator is known, as upstream's parser does.
    pub(super) fn check_key(key: &str) -> Result<(), SelectorError> {
        let mut problems = Problems::default();
        problems.invalid("<nil>", key, &key_problems(key)); // upstream has no path there, and prints that
        problems.into_result()
    }

    /// Returns the label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// Returns the values, sorted, each once.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Returns whether a label's value meets the requirement; `None` is an absent label.
    pub fn matches(&self, value: Option<&str>) -> bool {
        let is_listed = |value: &str| self.values.iter().any(|one| one == value);
        match self.operator {
            Operator::In | Operator::Equals => value.is_some_and(is_listed),
            Operator::NotIn | Operator::NotEquals => !value.is_some_and(is_listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.compare(value, |value, bound| value > bound),
            Operator::LessThan => self.compare(value, |value, bound| value < bound),
        }
    }

    fn compare(&self, value: Option<&str>, holds: impl FnOnce(i64, i64) -> bool) -> bool {
        let integer = |text: &str| text.parse().ok();
        let bound = self.values.first().and_then(|bound| integer(bound));
        value.and_then(integer).zip(bound).is_some_and(|(value, bound)| holds(value, bound))
    }
}

/// Upstream's message about a number of values that the operator does not take; empty if it does.
fn wrong_number(operator: Operator, count: usize) -> &'static str {
    match (operator, count) {
        (Operator::In | Operator::NotIn, 0) => "for 'in', 'notin' operators, values set can't be empty",
        (Operator::Equals | Operator::NotEquals, 0 | 2..) => {
            "exact-match compatibility requires one single value"
        }
        (Operator::Exists | Operator::DoesNotExist, 1..) => {
            "values set must be empty for exists and does not exist"
        }
        (Operator::GreaterThan | Operator::LessThan, 0 | 2..) => {
            "for 'Gt', 'Lt' operators, exactly one value is required"
        }
        _ => "",
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, operator, values } = self;
        let values = values.join(",");
        match operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}
