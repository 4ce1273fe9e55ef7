//! [`FieldSelector`]: which values an object's fields must have.

use std::{borrow::Cow, ops::Deref};

use serde_json::Value;

use super::check_terms;
use crate::api::{
    key::Key,
    status::{Result, Status},
};

/// Requirements on fields, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector(Vec<FieldRequirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldRequirement {
    field: String,
    /// Where the field's value is in an object.
    pointer: String,
    value: String,
    equal: bool,
}

impl FieldSelector {
    /// Parses `a=b,c==d,e!=f`, where a backslash takes the meaning from a comma, an equals sign and a backslash.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut terms: Vec<&str> =
            split_unescaped(text).into_iter().filter(|term| !term.is_empty()).collect();
        check_terms("fieldSelector", terms.len())?;
        terms.sort_unstable(); // as upstream: of two names, the first one in this order is what is authorized
        let parsed = terms.into_iter().map(|term| {
            let (field, value, equal) = split_term(term).ok_or_else(|| {
                Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"))
            })?;
            let requirement = FieldRequirement::new(field, unescape(value)?, equal);
            // Nothing is to be nothing: upstream takes that for no requirement.
            let is_empty = field.is_empty() && requirement.value.is_empty();
            Ok((!is_empty).then_some(requirement))
        });
        parsed.filter_map(Result::transpose).collect::<Result<_>>().map(Self)
    }

    /// The one object with that name.
    pub(crate) fn named(name: &str) -> Self {
        Self(vec![FieldRequirement::new("metadata.name", name.to_owned(), true)])
    }

    /// The value that `field` must have, if there is a requirement that says so.
    pub(crate) fn required(&self, field: &str) -> Option<&str> {
        let required = self.0.iter().find(|requirement| requirement.equal && requirement.field == field);
        required.map(|requirement| &*requirement.value)
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lists the fields that have requirements.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|requirement| &*requirement.field)
    }

    /// Returns whether the object at `key` fulfils every requirement. `object` is called only for other fields than its
    /// name and its namespace.
    pub(crate) fn selects<V: Deref<Target = Value>>(&self, key: &Key, object: impl FnOnce() -> V) -> bool {
        let of_key = |requirement: &FieldRequirement| match &*requirement.field {
            "metadata.name" => Some(key.name()),
            "metadata.namespace" => Some(key.namespace().unwrap_or_default()),
            _ => None,
        };
        let fits = |requirement| of_key(requirement).is_none_or(|value| requirement.holds(value));
        let is_in_key = |requirement| of_key(requirement).is_some();
        self.0.iter().all(fits) && (self.0.iter().all(is_in_key) || self.matches(&object()))
    }

    /// Whether the fields of `object` fulfil every requirement; an absent field is empty.
    fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|requirement| requirement.holds(&requirement.found(object)))
    }
}

impl FieldRequirement {
    fn new(field: &str, value: String, equal: bool) -> Self {
        // Events are stored in the form of the core group.
        let path = match field.strip_prefix("regarding.") {
            Some(rest) => format!("involvedObject.{rest}"),
            None if field == "source" => "source.component".to_owned(),
            None if field == "reportingController" => "reportingComponent".to_owned(),
            None => field.to_owned(),
        };
        Self { field: field.to_owned(), pointer: format!("/{}", path.replace('.', "/")), value, equal }
    }

    fn holds(&self, found: &str) -> bool {
        (found == self.value) == self.equal
    }

    /// The field's value in `object`, as text.
    fn found<'a>(&self, object: &'a Value) -> Cow<'a, str> {
        match object.pointer(&self.pointer) {
            None | Some(Value::Null) if self.field == "source" => {
                object["reportingComponent"].as_str().unwrap_or_default().into()
            }
            Some(Value::String(source)) if self.field == "source" && source.is_empty() => {
                object["reportingComponent"].as_str().unwrap_or_default().into()
            }
            None if matches!(&*self.field, "spec.unschedulable" | "spec.hostNetwork") => "false".into(),
            None | Some(Value::Null) => "".into(),
            Some(Value::String(text)) => text.into(),
            Some(other) => other.to_string().into(),
        }
    }
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            ',' if !escaped => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => escaped = false,
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The field, the value as it was written, and whether they are to be equal.
fn split_term(term: &str) -> Option<(&str, &str, bool)> {
    let at = term.match_indices(['=', '!']).map(|(at, _)| at).find(|at| is_operator(&term[*at..]))?;
    let (field, rest) = term.split_at(at);
    let (rest, equal) = match rest.strip_prefix("!=") {
        Some(rest) => (rest, false),
        None => (rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?, true),
    };
    Some((field, rest, equal))
}

fn is_operator(text: &str) -> bool {
    text.starts_with('=') || text.starts_with("!=")
}

/// The value without its backslashes.
fn unescape(value: &str) -> Result<String> {
    let refused = |because: String| Status::bad_request(format!("invalid field selector: {because}"));
    let mut characters = value.chars();
    let mut plain = String::with_capacity(value.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                Some(other) => return Err(refused(format!("invalid escape sequence: \\{other}"))),
                None => return Err(refused("invalid escape sequence: \\".to_owned())),
            },
            ',' | '=' => {
                return Err(refused(format!("unescaped character in value: {}", u32::from(character))));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(selector: &str) -> bool {
        let pod = json!({
            "metadata": {"name": "a,b"},
            "spec": {"nodeName": "n"},
            "status": {"phase": "Running"},
        });
        FieldSelector::parse(selector).expect(selector).matches(&pod)
    }

    #[test]
    fn fields_are_compared_as_text_and_absent_ones_are_empty() {
        assert!(matches("spec.nodeName=n,status.phase!=Pending"));
        assert!(matches("status.podIP="));
        assert!(matches("spec.hostNetwork=false"));
        assert!(matches("metadata.name=a\\,b"));
        assert!(!matches("spec.nodeName==m"));
        assert!(matches(""));
        assert!(FieldSelector::parse("nonsense").is_err());
    }

    #[test]
    fn a_term_is_split_at_its_first_operator_and_its_value_holds_no_other() {
        let parse = |text| FieldSelector::parse(text).map_err(|status| status.code().as_u16());
        let negated = parse("a=x!").expect("an exclamation mark is no operator");
        assert_eq!(negated.required("a"), Some("x!"));
        assert_eq!(parse("a!=b").expect("valid").required("a"), None);
        assert_eq!(parse("!a=b").expect("valid").required("!a"), Some("b"));
        for malformed in ["a=b=c", "a=b!=c", "a=b\\c", "a=b\\", "a!b"] {
            assert_eq!(parse(malformed), Err(400), "{malformed}");
        }
        assert_eq!(
            parse("type!=a\\,metadata.name=mine"),
            Err(400),
            "one term, whose value holds an operator"
        );
    }

    #[test]
    fn of_two_names_the_first_in_their_order_is_required() {
        let both = FieldSelector::parse("metadata.name=b,metadata.name=a").expect("valid");
        assert_eq!(both.required("metadata.name"), Some("a"));
    }

    #[test]
    fn a_selector_has_a_limited_number_of_terms() {
        let many = |terms: usize| FieldSelector::parse(&vec!["metadata.name!=a"; terms].join(","));
        assert!(many(256).is_ok());
        assert_eq!(many(257).map_err(|status| status.code().as_u16()), Err(400));
    }
}
