//! [`Rules`]: what a definition demands in CEL of its objects (`x-kubernetes-validations`), compiled, and asked of an
//! object where it stands.
//!
//! As with the rest of a schema, an update is not held to what it leaves as it was, unless a rule compares with that.

mod budget;
mod definition;

pub(crate) use self::definition::rule_causes;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use trimtab_cel::{DeclType, Program, Variable};

use self::budget::{Budget, Verdict};
use crate::error::FieldError;

/// The names under which a rule knows the value that it stands at, and what that was before.
const SELF: &str = "self";
const OLD_SELF: &str = "oldSelf";

/// The rules of a schema.
#[derive(Debug)]
pub(crate) struct Rules(Option<Node>);

/// The rules of a part of a schema, and of what is in it.
#[derive(Debug)]
struct Node {
    declared: DeclType,
    /// The schema's own name of the type, which is told in the place of the value where a rule fails.
    kind: String,
    rules: Vec<Rule>,
    all_of: Vec<Node>,
    items: Option<Box<Node>>,
    values: Option<Box<Node>>,
    fields: BTreeMap<String, Node>,
    /// How parts are found in what the value was before.
    parts: Parts,
}

/// Which part of what was is the same part.
#[derive(Debug, PartialEq, Eq)]
enum Parts {
    /// The field of that name.
    ByName,
    /// The item with the same values of these.
    ByKeys(Vec<String>),
    /// None: the value is one.
    None,
}

/// A rule.
#[derive(Debug)]
struct Rule {
    /// The error of a rule that was accepted by somebody who is more lenient.
    program: Result<Program, String>,
    /// The rule's message, or its source.
    text: String,
    message: Option<String>,
    message_expression: Option<Program>,
    reason: Option<String>,
    /// Which field the refusal is about.
    field: Option<String>,
    takes_no_old_self: bool,
}

impl Rules {
    /// Compiles the rules of a kind's schema.
    pub(crate) fn new(schema: &Json) -> Self {
        Self(DeclType::from_schema(schema, true).and_then(|declared| Node::new(schema, schema, declared)))
    }

    /// Compiles the rules of a part of a schema.
    fn of_part(schema: &Json) -> Self {
        let is_root = schema["x-kubernetes-embedded-resource"] == true;
        Self(DeclType::from_schema(schema, is_root).and_then(|declared| Node::new(schema, schema, declared)))
    }

    /// Returns the errors of an object, which was `old` before. `found` are its other errors: of an object that is not
    /// what its schema says, no rules are asked.
    pub(crate) fn causes(&self, object: &Json, old: Option<&Json>, found: &[FieldError]) -> Vec<FieldError> {
        let Some(node) = &self.0 else { return Vec::new() };
        if found.iter().any(FieldError::makes_rules_pointless) {
            let because = "some validation rules were not checked because the object was invalid; correct the existing \
                           errors to complete validation";
            return vec![FieldError::invalid("<nil>", &Json::Null, because)];
        }
        let mut causes = Vec::new();
        let before = Before { old, is_unchanged: false };
        // Broken off where the budget is used up, which the last of the causes says.
        let _: Verdict = node.judge("", object, before, &mut Budget::default(), &mut causes);
        causes
    }

    /// Returns the errors of a value that is a default at `field`.
    fn causes_at(&self, field: &str, value: &Json) -> Vec<FieldError> {
        let mut causes = Vec::new();
        if let Some(node) = &self.0 {
            let before = Before { old: None, is_unchanged: false };
            let _: Verdict = node.judge(field, value, before, &mut Budget::default(), &mut causes);
        }
        causes
    }
}

/// Returns the errors of the default that `schema` declares; they name `field`.
pub(crate) fn default_causes(schema: &Json, field: &str) -> Vec<FieldError> {
    schema.get("default").map_or_else(Vec::new, |default| Rules::of_part(schema).causes_at(field, default))
}

/// The former state of a value.
#[derive(Clone, Copy)]
struct Before<'a> {
    /// `None` where it is new, or cannot be told from others.
    old: Option<&'a Json>,
    /// Whether something around the value is what it was.
    is_unchanged: bool,
}

impl<'a> Before<'a> {
    /// Of a part of a value: what that was, if it can be found.
    fn part(self, value: &Json, old: Option<&'a Json>) -> Self {
        let is_unchanged = self.is_unchanged || old.is_none() && self.old == Some(value);
        Self { old, is_unchanged }
    }
}

impl Node {
    /// The rules that `rules` has at what `schema` declares, and in it; `None` if there are none.
    fn new(rules: &Json, schema: &Json, declared: DeclType) -> Option<Self> {
        let is_embedded = |schema: &Json| schema["x-kubernetes-embedded-resource"] == true;
        let part = |rules: &Json, schema: &Json| {
            DeclType::from_schema(schema, is_embedded(schema))
                .and_then(|declared| Self::new(rules, schema, declared))
        };
        let below = |field: &str| {
            let is_there = rules[field].is_object() && schema[field].is_object();
            is_there.then(|| part(&rules[field], &schema[field])).flatten().map(Box::new)
        };
        let properties = rules["properties"].as_object().into_iter().flatten();
        let fields = properties.filter_map(|(name, rules)| {
            let schema = schema["properties"].get(name)?;
            Some((name.clone(), part(rules, schema)?))
        });
        let all_of = rules["allOf"].as_array().into_iter().flatten();
        let all_of = all_of.filter_map(|rules| Self::new(rules, schema, declared.clone()));
        let node = Self {
            rules: own(rules).map(|rule| Rule::new(rule, &declared, schema)).collect(),
            all_of: all_of.collect(),
            items: below("items"),
            values: below("additionalProperties"),
            fields: fields.collect(),
            parts: Parts::of(schema),
            kind: schema["type"].as_str().unwrap_or_default().to_owned(),
            declared,
        };
        let is_empty = node.rules.is_empty() && node.all_of.is_empty() && node.fields.is_empty();
        (!is_empty || node.items.is_some() || node.values.is_some()).then_some(node)
    }

    /// Asks all rules of a value and of what is in it.
    fn judge(
        &self,
        path: &str,
        value: &Json,
        before: Before<'_>,
        budget: &mut Budget,
        causes: &mut Vec<FieldError>,
    ) -> Verdict {
        if value.is_null() {
            return Ok(()); // of what is not there, the rules around it have to say what they want
        }
        budget.ask(self, path, value, before, causes)?;
        for node in &self.all_of {
            let before = Before { is_unchanged: false, ..before };
            node.judge(path, value, before, budget, causes)?;
        }
        match value {
            Json::Array(items) => {
                let Some(node) = &self.items else { return Ok(()) };
                for (position, item) in items.iter().enumerate() {
                    let was = before.part(value, self.parts.item(before.old, item));
                    node.judge(&format!("{path}[{position}]"), item, was, budget, causes)?;
                }
            }
            Json::Object(fields) => {
                for (name, field) in fields {
                    let was = before.part(value, self.parts.field(before.old, name));
                    if let Some(node) = &self.values {
                        node.judge(&format!("{path}[{name}]"), field, was, budget, causes)?;
                    }
                    if let Some(node) = self.fields.get(name) {
                        let dot = if path.is_empty() { "" } else { "." };
                        node.judge(&format!("{path}{dot}{name}"), field, was, budget, causes)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The rules at the top of a schema.
fn own(schema: &Json) -> impl Iterator<Item = &Json> {
    schema["x-kubernetes-validations"].as_array().into_iter().flatten()
}

/// The text in a field; empty if there is none.
fn text<'a>(rule: &'a Json, field: &str) -> &'a str {
    rule[field].as_str().unwrap_or_default().trim()
}

impl Rule {
    fn new(rule: &Json, declared: &DeclType, schema: &Json) -> Self {
        let takes_no_old_self = rule["optionalOldSelf"] == true;
        let variables = variables(declared, takes_no_old_self);
        let some = |field: &str| Some(text(rule, field)).filter(|text| !text.is_empty());
        let program = Program::compile(text(rule, "rule"), &variables);
        let program = program.map_err(|error| error.to_string()).and_then(|program| {
            let is_bool = program.returns_bool();
            is_bool.then_some(program).ok_or_else(|| "cel expression must evaluate to a bool".to_owned())
        });
        Self {
            program,
            text: some("message").unwrap_or(text(rule, "rule")).to_owned(),
            message: some("message").map(str::to_owned),
            message_expression: some("messageExpression")
                .and_then(|text| Program::compile(text, &variables).ok()),
            reason: some("reason").map(str::to_owned),
            field: some("fieldPath").and_then(|path| definition::field_path(path, schema).ok()),
            takes_no_old_self,
        }
    }

    fn compares(&self) -> bool {
        self.program.as_ref().is_ok_and(|program| program.uses(OLD_SELF))
    }
}

fn variables(declared: &DeclType, takes_no_old_self: bool) -> [Variable<'_>; 2] {
    let old = Variable::new(OLD_SELF, declared);
    [Variable::new(SELF, declared), if takes_no_old_self { old.optional() } else { old }]
}

impl Parts {
    fn of(schema: &Json) -> Self {
        match schema["type"].as_str() {
            Some("array") if schema["x-kubernetes-list-type"] == "map" => {
                let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
                Self::ByKeys(keys.filter_map(Json::as_str).map(str::to_owned).collect())
            }
            Some("object") if schema["x-kubernetes-map-type"] != "atomic" => Self::ByName,
            _ => Self::None,
        }
    }

    fn field<'a>(&self, old: Option<&'a Json>, name: &str) -> Option<&'a Json> {
        if *self == Self::ByName { old?.get(name) } else { None }
    }

    fn item<'a>(&self, old: Option<&'a Json>, item: &Json) -> Option<&'a Json> {
        let Self::ByKeys(keys) = self else { return None };
        let same = |other: &&Json| keys.iter().all(|key| other.get(key) == item.get(key));
        old?.as_array()?.iter().find(same)
    }
}

#[cfg(test)]
mod tests;
