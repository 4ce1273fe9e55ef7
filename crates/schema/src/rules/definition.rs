//! Validation of the rules in a definition: upstream's checks, with its messages.

use serde_json::Value as Json;

use trimtab_cel::{CompileError, DeclType, Program};

use super::{OLD_SELF, own, text, variables};
use crate::error::FieldError;

/// The most that a rule may be estimated to cost, however often it is asked of one object.
const ONE: u64 = 10_000_000;
/// The most that all of them together may.
const ALL: u64 = 100_000_000;
/// How many rules are named that make the whole too costly.
const NAMED: usize = 4;

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// Returns the errors of the rules in the schema at `path`.
pub(crate) fn rule_causes(schema: &Json, path: &str) -> Vec<FieldError> {
    let mut check = Check::default();
    check.form(schema, path);
    if check.causes.is_empty() {
        let place = Place { path, most: Some(1), divided_at: None };
        check.node(schema, DeclType::from_schema(schema, true).as_ref(), place);
        check.whole(path);
    }
    check.causes
}

#[derive(Default)]
struct Check {
    causes: Vec<FieldError>,
    total: u64,
    /// Rules that cost at least a hundredth of the limit of all.
    costly: Vec<(u64, String)>,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    /// How often a value of it can be in an object; `None` if nothing bounds that.
    most: Option<u64>,
    /// The list around it whose items have no past.
    divided_at: Option<&'a str>,
}

impl Check {
    /// Checks how the rules are written down, before what they say.
    fn form(&mut self, schema: &Json, path: &str) {
        for (position, rule) in own(schema).enumerate() {
            let at = |field: &str| format!("{path}.x-kubernetes-validations[{position}].{field}");
            let has = |field: &str| rule[field].as_str().is_some_and(|text| !text.is_empty());
            let is_blank = |field: &str| has(field) && text(rule, field).is_empty();
            let has_lines = |text: &str| text.contains(['\n', '\r']);
            let invalid = |field: &str, because: &str| FieldError::invalid(at(field), &rule[field], because);
            self.causes.extend(if text(rule, "rule").is_empty() {
                Some(FieldError::required(at("rule"), "rule is not specified"))
            } else if is_blank("message") {
                Some(invalid("message", "must be non-empty if specified"))
            } else if has_lines(text(rule, "message")) {
                Some(invalid("message", "must not contain line breaks"))
            } else if has_lines(text(rule, "rule")) && text(rule, "message").is_empty() {
                Some(FieldError::required(
                    at("message"),
                    "message must be specified if rule contains line breaks",
                ))
            } else {
                None
            });
            if is_blank("messageExpression") {
                let because = "messageExpression must be non-empty if specified";
                self.causes.push(FieldError::required(at("messageExpression"), because));
            }
            if rule["reason"].as_str().is_some_and(|reason| !REASONS.contains(&reason)) {
                self.causes.push(FieldError::not_supported(at("reason"), &rule["reason"], &REASONS));
            }
            if is_blank("fieldPath") {
                self.causes.push(invalid("fieldPath", "must be non-empty if specified"));
            }
            if has("fieldPath") && field_path(text(rule, "fieldPath"), schema).is_err() {
                self.causes.push(invalid("fieldPath", "must be a valid path"));
            }
        }
        each_part(schema, path, &mut |part, path| self.form(part, path));
    }

    fn node(&mut self, schema: &Json, declared: Option<&DeclType>, place: Place<'_>) {
        for (position, rule) in own(schema).enumerate() {
            let at = format!("{}.x-kubernetes-validations[{position}]", place.path);
            match declared {
                Some(declared) => self.rule(rule, declared, &at, place),
                None => {
                    let because =
                        "Internal error: failed to retrieve type information for x-kubernetes-validations";
                    self.causes.push(FieldError::new("InternalError", at, because));
                }
            }
        }
        let (inner, divides) = match schema["type"].as_str() {
            Some("array") => (place.times(&schema["maxItems"]), schema["x-kubernetes-list-type"] != "map"),
            Some("object") if schema["additionalProperties"].is_object() => {
                (place.times(&schema["maxProperties"]), false)
            }
            _ => (place.most, false), // the values of an atomic map have a past, too
        };
        let divided_at = if divides { Some(place.path) } else { place.divided_at };
        each_part(schema, place.path, &mut |part, path| {
            let is_root = part["x-kubernetes-embedded-resource"] == true;
            let place = Place { path, most: inner, divided_at };
            self.node(part, DeclType::from_schema(part, is_root).as_ref(), place);
        });
    }

    fn rule(&mut self, rule: &Json, declared: &DeclType, at: &str, place: Place<'_>) {
        let takes_no_old_self = rule["optionalOldSelf"] == true;
        let variables = variables(declared, takes_no_old_self);
        let as_told = told(rule);
        let program = match Program::compile(text(rule, "rule"), &variables) {
            Ok(program) if program.returns_bool() => program,
            Ok(_) => {
                let because = "cel expression must evaluate to a bool";
                self.causes.push(FieldError::invalid_json(format!("{at}.rule"), &as_told, because));
                return;
            }
            Err(issues) => {
                let because = format!("{}: {issues}", step(&issues));
                self.causes.push(FieldError::invalid_json(format!("{at}.rule"), &as_told, because));
                return;
            }
        };
        let often = place.most.unwrap_or_else(|| declared.max_occurrences());
        self.cost("rule", "estimated rule cost", program.max_cost().saturating_mul(often), at);
        if !text(rule, "messageExpression").is_empty() {
            let field = format!("{at}.messageExpression");
            match Program::compile(text(rule, "messageExpression"), &variables) {
                Ok(message) if message.returns_string() => {
                    self.cost(
                        "messageExpression",
                        "estimated messageExpression cost",
                        message.max_cost(),
                        at,
                    );
                }
                Ok(_) => {
                    let because = "messageExpression must evaluate to a string";
                    self.causes.push(FieldError::invalid_json(field, &as_told, because));
                }
                Err(issues) => {
                    let because = format!("messageExpression {}: {issues}", step(&issues));
                    self.causes.push(FieldError::invalid_json(field, &as_told, because));
                }
            }
        }
        match (program.uses(OLD_SELF), place.divided_at) {
            (true, Some(path)) => {
                let because = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {path}"
                );
                self.causes.push(FieldError::invalid(format!("{at}.rule"), &rule["rule"], because));
            }
            (false, _) if rule["optionalOldSelf"].is_boolean() => {
                let because = "may not be set if oldSelf is not used in rule";
                self.causes.push(FieldError::invalid(
                    format!("{at}.optionalOldSelf"),
                    &rule["optionalOldSelf"],
                    because,
                ));
            }
            _ => {}
        }
    }

    /// Books what a rule is estimated to cost.
    fn cost(&mut self, field: &str, name: &str, cost: u64, at: &str) {
        let field = format!("{at}.{field}");
        self.total = self.total.saturating_add(cost);
        if cost > ONE {
            self.causes.push(FieldError::forbidden(field.clone(), over_budget(name, cost, ONE)));
        }
        if cost >= ALL / 100 {
            self.costly.push((cost, field));
        }
    }

    /// Refuses what is too costly as a whole, and names what makes it so.
    fn whole(&mut self, path: &str) {
        if self.total <= ALL {
            return;
        }
        self.costly.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
        for (_, field) in self.costly.iter().take(NAMED) {
            let because =
                "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            self.causes.push(FieldError::forbidden(field.clone(), because));
        }
        let name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        self.causes.push(FieldError::forbidden(path, over_budget(name, self.total, ALL)));
    }
}

impl Place<'_> {
    fn times(self, limit: &Json) -> Option<u64> {
        let limit = limit.as_i64().map(|limit| u64::try_from(limit).unwrap_or(0))?;
        Some(self.most?.saturating_mul(limit))
    }
}

/// Shows `look` the parts of a schema that have a type of their own.
fn each_part(schema: &Json, path: &str, look: &mut impl FnMut(&Json, &str)) {
    for field in ["additionalProperties", "items"] {
        if schema[field].is_object() {
            look(&schema[field], &format!("{path}.{field}"));
        }
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        look(part, &format!("{path}.properties[{name}]"));
    }
}

/// Returns the step of upstream's compiler that fails.
fn step(error: &CompileError) -> &'static str {
    if error.is_of_program() { "program instantiation failed" } else { "compilation failed" }
}

/// A rule as upstream tells it: all fields of its own type, in the order in which they are declared there.
fn told(rule: &Json) -> String {
    let text = |field: &str| Json::from(rule[field].as_str().unwrap_or_default());
    let fields = [
        ("Rule", text("rule")),
        ("Message", text("message")),
        ("MessageExpression", text("messageExpression")),
        ("Reason", rule["reason"].clone()),
        ("FieldPath", text("fieldPath")),
        ("OptionalOldSelf", rule["optionalOldSelf"].clone()),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn over_budget(name: &str, cost: u64, limit: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a factor for people to read")]
    let factor = cost as f64 / limit as f64;
    let factor = match factor {
        100.0.. => "more than 100x".to_owned(),
        1.5.. => format!("{factor:.1}x"),
        _ => format!("{factor:.6}x"),
    };
    format!(
        "{name} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and \
         maxLength where arrays, maps, and strings are declared)"
    )
}

/// A path such as `.spec.parts['a.b']`, with what it names in a schema, as refusals write it.
pub(crate) fn field_path(path: &str, schema: &Json) -> Result<String, ()> {
    let (mut rest, mut schema, mut written) = (path, schema, String::new());
    while !rest.is_empty() {
        let name;
        (name, rest) = if let Some(after) = rest.strip_prefix("['") {
            let end = after.find("']").ok_or(())?;
            (&after[..end], &after[end + 2..])
        } else {
            let after = rest.strip_prefix('.').ok_or(())?;
            after.split_at(after.find(['.', '[']).unwrap_or(after.len()))
        };
        if let Some(properties) = schema["properties"].as_object() {
            schema = properties.get(name).ok_or(())?;
            written += &format!(".{name}");
        } else if schema["additionalProperties"].is_object() {
            schema = &schema["additionalProperties"];
            written += &format!("[{name}]");
        } else {
            return Err(());
        }
    }
    Ok(written)
}
