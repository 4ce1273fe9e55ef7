//! [`Validator`] of custom objects by their structural schema. Its errors have upstream's messages.
//!
//! Errors in unchanged parts of an update do not count: the definition may have become stricter since.

mod duplicates;
mod keywords;
mod numbers;
mod unfit_bounds;

use serde_json::Value;

use self::keywords::Keywords;
use crate::{ListType, Schema, error::FieldError};

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Validator {
    /// `None` if the schema has no meaning: then every object is valid, as the definition was accepted.
    keywords: Option<Keywords>,
    /// The schema, if one of its bounds refuses all values.
    bounded: Option<Value>,
}

/// A step on the way into an object.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    /// An entry of a map, where a path tells it from a field.
    Key(String),
    Item(usize),
}

/// Something wrong, and the value that it is wrong with.
#[derive(Debug)]
struct Finding {
    at: Vec<Step>,
    cause: FieldError,
}

impl Validator {
    /// Compiles a schema.
    pub(crate) fn new(source: &Value) -> Self {
        let bounded = unfit_bounds::refuse_everything(source).then(|| source.clone());
        Self { keywords: Keywords::compile(source).ok(), bounded }
    }

    /// Returns the errors of `object`, which was `old` before.
    pub(crate) fn causes(&self, schema: Schema<'_>, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let is_new =
            |finding: &Finding| old.is_none_or(|old| !is_unchanged(schema, old, object, &finding.at));
        self.findings(schema, object, Vec::new())
            .into_iter()
            .filter(is_new)
            .map(|finding| finding.cause)
            .collect()
    }

    /// Returns the errors of the value of a field; they name `field`.
    pub(crate) fn causes_at(&self, field: &str, schema: Schema<'_>, value: &Value) -> Vec<FieldError> {
        let at = vec![Step::Field(field.to_owned())];
        self.findings(schema, value, at).into_iter().map(|finding| finding.cause).collect()
    }

    /// Returns the findings about the value `at` a place.
    fn findings(&self, schema: Schema<'_>, value: &Value, mut at: Vec<Step>) -> Vec<Finding> {
        let mut violations = Vec::new();
        if let Some(keywords) = &self.keywords {
            keywords.check(value, &mut at, &mut violations);
        }
        let mut findings: Vec<Finding> = Vec::new();
        for violation in violations {
            let at = violation.at;
            findings.extend(violation.errors.into_iter().map(|cause| Finding { at: at.clone(), cause }));
        }
        if let Some(bounded) = &self.bounded {
            unfit_bounds::find(bounded, value, &mut at, &mut findings);
        }
        numbers::find(schema, value, &mut at, &mut findings);
        duplicates::find(schema, value, &mut at, &mut findings);
        findings
    }
}

/// `spec.ports[0].name`.
fn path(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Field(name) => {
                let dot = if text.is_empty() { "" } else { "." };
                text += &format!("{dot}{name}");
            }
            Step::Key(name) => text += &format!("[{name}]"),
            Step::Item(position) => text += &format!("[{position}]"),
        }
    }
    text
}

/// Whether the value at `steps`, or one around it, is what it was. Items are found again by their keys.
fn is_unchanged(schema: Schema<'_>, old: &Value, new: &Value, steps: &[Step]) -> bool {
    if old == new {
        return true;
    }
    let Some((step, rest)) = steps.split_first() else { return false };
    let inner = match step {
        Step::Field(name) | Step::Key(name) => old.get(name).zip(new.get(name)).zip(schema.field(name)),
        Step::Item(position) => match (schema.list(), new.get(position)) {
            (ListType::Map(keys), Some(item)) => {
                let keys_of =
                    |item: &Value| keys.iter().map(|key| item.get(key).cloned()).collect::<Vec<_>>();
                let wanted = keys_of(item);
                let before = old.as_array().into_iter().flatten().find(|before| keys_of(before) == wanted);
                before.zip(Some(item)).zip(schema.items())
            }
            _ => None,
        },
    };
    inner.is_some_and(|((old, new), schema)| is_unchanged(schema, old, new, rest))
}

#[cfg(test)]
mod tests;
