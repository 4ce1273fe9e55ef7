//! Validation of a custom object by its definition's schema: the `jsonschema` library finds errors, upstream's messages
//! report them.
//!
//! Errors in unchanged parts of an update do not count: the definition may have become stricter since.

mod bounds;
mod duplicates;
mod plain;
mod words;

use jsonschema::{Validator, paths::LocationSegment};
use serde_json::Value;
use trimtab_cel::formats::FORMATS;

use super::{ListType, Schema};
use crate::http::status::Cause;

/// A schema, compiled.
#[derive(Debug)]
pub(super) struct Judge {
    /// `None` if the library makes nothing of the schema: then anything goes, as the definition was accepted.
    validator: Option<Validator>,
    /// The schema, if one of its bounds refuses all values.
    bounded: Option<Value>,
}

/// A step on the way into an object.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
}

/// Something wrong, and the value that it is wrong with.
#[derive(Debug)]
struct Finding {
    at: Vec<Step>,
    cause: Cause,
}

impl Judge {
    /// Compiles what a definition says.
    pub(super) fn new(source: &Value) -> Self {
        let options =
            jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
        let options =
            FORMATS.iter().fold(options, |options, (name, check)| options.with_format(*name, *check));
        let bounded = bounds::refuse_everything(source).then(|| source.clone());
        Self { validator: options.build(&plain::plain(source)).ok(), bounded }
    }

    /// Returns the errors of `object`, which was `old` before.
    pub(super) fn causes(&self, schema: Schema<'_>, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let is_new =
            |finding: &Finding| old.is_none_or(|old| !is_unchanged(schema, old, object, &finding.at));
        self.findings(schema, object, Vec::new())
            .into_iter()
            .filter(is_new)
            .map(|finding| finding.cause)
            .collect()
    }

    /// Returns the errors of the value of a field; they name `field`.
    pub(super) fn causes_at(&self, field: &str, schema: Schema<'_>, value: &Value) -> Vec<Cause> {
        let at = vec![Step::Field(field.to_owned())];
        self.findings(schema, value, at).into_iter().map(|finding| finding.cause).collect()
    }

    /// Returns the findings about the value `at` a place.
    fn findings(&self, schema: Schema<'_>, value: &Value, mut at: Vec<Step>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for error in self.validator.iter().flat_map(|validator| validator.iter_errors(value)) {
            let at: Vec<Step> =
                at.iter().cloned().chain(error.instance_path().iter().map(Step::of)).collect();
            findings.extend(
                words::tell(&error, &path(&at)).into_iter().map(|cause| Finding { at: at.clone(), cause }),
            );
        }
        if let Some(bounded) = &self.bounded {
            bounds::find(bounded, value, &mut at, &mut findings);
        }
        words::number_formats(schema, value, &mut at, &mut findings);
        duplicates::find(schema, value, &mut at, &mut findings);
        findings
    }
}

impl Step {
    fn of(segment: LocationSegment<'_>) -> Self {
        match segment {
            LocationSegment::Property(name) => Self::Field(name.into_owned()),
            LocationSegment::Index(position) => Self::Item(position),
        }
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
        Step::Field(name) => old.get(name).zip(new.get(name)).zip(schema.field(name)),
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
