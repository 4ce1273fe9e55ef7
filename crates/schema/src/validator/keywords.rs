//! [`Keywords`]: the keywords of a structural schema, compiled, and the errors of a value.
//!
//! A schema is OpenAPI 3.0: `nullable` and `exclusiveMinimum` are flags, and `x-kubernetes-int-or-string` is a type. The
//! errors come in a fixed order: those of a value by keyword, then those of its parts.

mod bounds;
mod compile;
mod messages;

use serde_json::Value;
use trimtab_cel::{
    Pattern,
    formats::{Check, FORMATS},
};

use self::bounds::Bounds;
pub(super) use self::messages::NOWHERE;
use super::Step;
use crate::error::FieldError;

/// The last whole float that upstream takes for an integer.
const LAST: f64 = 9_007_199_254_740_991.0;

/// A compiled schema.
#[derive(Debug, Default)]
pub(crate) struct Keywords {
    /// The names of the types; empty if any will do.
    types: Vec<&'static str>,
    choices: Option<Vec<Value>>,
    bounds: Bounds,
    required: Vec<String>,
    pattern: Option<(String, Pattern)>,
    format: Option<(&'static str, Check)>,
    /// The name of the format, known or not.
    declared_format: Option<String>,
    unique: bool,
    properties: Vec<(String, Keywords)>,
    additional: Option<Box<Keywords>>,
    items: Option<Box<Keywords>>,
    all_of: Vec<Keywords>,
    any_of: Vec<Keywords>,
    one_of: Vec<Keywords>,
    not: Option<Box<Keywords>>,
}

/// The violation of one keyword at one place.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) at: Vec<Step>,
    pub(crate) errors: Vec<FieldError>,
}

impl Keywords {
    /// Adds the violations of a value at a place.
    pub(crate) fn check(&self, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Violation>) {
        let field = super::path(at);
        let mut report = |errors: Vec<FieldError>| found.push(Violation { at: at.clone(), errors });
        if !self.has_type_of(value) {
            report(messages::wrong_type(&self.types, self.declared_format.as_deref(), value, &field));
        }
        if let Some(choices) = self.choices.as_ref().filter(|all| !all.iter().any(|one| same(one, value))) {
            report(vec![messages::no_choice(choices, value, &field)]);
        }
        self.bounds.check(value, &field, &mut report);
        if let Value::Object(fields) = value {
            for name in self.required.iter().filter(|name| !fields.contains_key(*name)) {
                report(vec![messages::missing(name, &field)]);
            }
        }
        if let Value::String(text) = value {
            // Upstream tells the first mistake of a text alone.
            let mismatch = || {
                let (source, _) = self.pattern.as_ref().filter(|(_, pattern)| !pattern.is_match(text))?;
                Some(messages::in_body(&field, value, &format!("should match '{source}'")))
            };
            if let Some(error) = self.bounds.length_error(text, value, &field).or_else(mismatch) {
                report(vec![error]);
            }
            if let Some((name, _)) = self.format.filter(|(_, check)| !check(text)) {
                report(vec![messages::mistyped(name, value, &field)]);
            }
        }
        if self.unique && has_duplicates(value) {
            report(vec![messages::in_body(&field, value, "shouldn't contain duplicates")]);
        }
        self.check_parts(value, at, found);
        self.check_alternatives(value, &field, at, found);
    }

    fn check_parts(&self, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Violation>) {
        let mut part = |step: Step, keywords: &Self, value: &Value| {
            at.push(step);
            keywords.check(value, at, found);
            at.pop();
        };
        match value {
            Value::Object(fields) => {
                for (name, keywords) in &self.properties {
                    if let Some(value) = fields.get(name) {
                        part(Step::Field(name.clone()), keywords, value);
                    }
                }
                let Some(additional) = &self.additional else { return };
                let is_declared = |name: &String| self.properties.iter().any(|(known, _)| known == name);
                for (name, value) in fields.iter().filter(|(name, _)| !is_declared(name)) {
                    part(Step::Field(name.clone()), additional, value);
                }
            }
            Value::Array(items) => {
                let Some(keywords) = &self.items else { return };
                for (position, item) in items.iter().enumerate() {
                    part(Step::Item(position), keywords, item);
                }
            }
            _ => {}
        }
    }

    fn check_alternatives(&self, value: &Value, field: &str, at: &[Step], found: &mut Vec<Violation>) {
        let alternatives = |all: &[Self]| -> Vec<Vec<Violation>> {
            all.iter().map(|keywords| keywords.violations(value, at)).collect()
        };
        let any_of = alternatives(&self.any_of);
        if !any_of.is_empty() && any_of.iter().all(|violations| !violations.is_empty()) {
            let because = "must validate at least one schema (anyOf)";
            found.push(Violation { at: at.to_vec(), errors: messages::none_of(because, &any_of, field) });
        }
        let one_of = alternatives(&self.one_of);
        match one_of.iter().filter(|violations| violations.is_empty()).count() {
            1 => {}
            _ if one_of.is_empty() => {}
            0 => {
                let because = "must validate one and only one schema (oneOf). Found none valid";
                found.push(Violation { at: at.to_vec(), errors: messages::none_of(because, &one_of, field) });
            }
            valid => {
                let because = "must validate one and only one schema (oneOf). Found";
                let because = format!("{because} {valid} valid alternatives");
                found.push(Violation { at: at.to_vec(), errors: vec![messages::nowhere(field, &because)] });
            }
        }
        let all_of = alternatives(&self.all_of);
        let valid = all_of.iter().filter(|violations| violations.is_empty()).count();
        if valid < all_of.len() {
            found.extend(all_of.into_iter().flatten());
            let none = if valid == 0 { ". None validated" } else { "" };
            let because = format!("must validate all the schemas (allOf){none}");
            found.push(Violation { at: at.to_vec(), errors: vec![messages::nowhere(field, &because)] });
        }
        if self.not.as_ref().is_some_and(|not| not.violations(value, at).is_empty()) {
            let errors = vec![messages::nowhere(field, "must not validate the schema (not)")];
            found.push(Violation { at: at.to_vec(), errors });
        }
    }

    fn violations(&self, value: &Value, at: &[Step]) -> Vec<Violation> {
        let (mut at, mut found) = (at.to_vec(), Vec::new());
        self.check(value, &mut at, &mut found);
        found
    }

    fn has_type_of(&self, value: &Value) -> bool {
        let is = |name: &&'static str| match *name {
            // A whole float is an integer, as long as it tells it from its neighbours.
            "integer" => {
                value.is_i64()
                    || value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() <= LAST)
            }
            "number" => value.is_number(),
            name => name == type_of(value),
        };
        // Upstream takes a list for anything but a number that has a format.
        let is_taken = || {
            value.is_array()
                && self.declared_format.is_some()
                && !self.types.iter().any(|name| matches!(*name, "integer" | "number"))
        };
        self.types.is_empty() || self.types.iter().any(is) || is_taken()
    }
}

/// Returns the check of a string format, and its canonical name.
fn format(name: &str) -> Option<(&'static str, Check)> {
    let known = trimtab_cel::formats::known(name)?;
    FORMATS.iter().copied().find(|(name, _)| *name == known)
}

/// Returns the name of a value's type; a number with a fraction is a `number`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns whether two values are equal, where 1 equals 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

fn has_duplicates(value: &Value) -> bool {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().any(|(place, item)| items[..place].iter().any(|other| same(other, item)))
}
