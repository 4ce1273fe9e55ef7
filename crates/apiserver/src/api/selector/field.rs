//! [`FieldSelector`]: the values that an object's fields must have.

use std::{borrow::Cow, ops::Deref};

use serde_json::Value;
use trimtab_selector::{FieldSelectorError, Operator};

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
    required: trimtab_selector::FieldRequirement,
    /// The place of the field's value in an object.
    pointer: String,
}

impl FieldSelector {
    /// Parses `a=b,c==d,e!=f`, where a backslash takes the meaning from a comma, an equals sign and a backslash.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parsed: trimtab_selector::FieldSelector =
            text.parse().map_err(|error: FieldSelectorError| Status::bad_request(error.message()))?;
        check_terms("fieldSelector", parsed.requirements().len())?;
        // Upstream takes an empty field that must be empty for no requirement.
        let is_empty =
            |one: &&trimtab_selector::FieldRequirement| one.field().is_empty() && one.value().is_empty();
        let requirements = parsed.requirements().iter().filter(|one| !is_empty(one));
        Ok(Self(requirements.cloned().map(FieldRequirement::new).collect()))
    }

    /// Returns the selector of the one object with that name.
    pub(crate) fn named(name: &str) -> Self {
        let required = trimtab_selector::FieldRequirement::equals("metadata.name", name);
        Self(required.into_iter().map(FieldRequirement::new).collect())
    }

    /// Returns the value that `field` must have, if there is a requirement that says so.
    pub(crate) fn required(&self, field: &str) -> Option<&str> {
        let is_it = |one: &&trimtab_selector::FieldRequirement| {
            one.operator() == Operator::Equals && one.field() == field
        };
        self.0.iter().map(|one| &one.required).find(is_it).map(trimtab_selector::FieldRequirement::value)
    }

    /// Returns whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the fields that have requirements.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(FieldRequirement::field)
    }

    /// Returns whether the object at `key` meets every requirement. `object` is called only for other fields than its
    /// name and its namespace.
    pub(crate) fn selects<V: Deref<Target = Value>>(&self, key: &Key, object: impl FnOnce() -> V) -> bool {
        let of_key = |requirement: &FieldRequirement| match requirement.field() {
            "metadata.name" => Some(key.name()),
            "metadata.namespace" => Some(key.namespace().unwrap_or_default()),
            _ => None,
        };
        let fits = |one: &FieldRequirement| of_key(one).is_none_or(|value| one.required.matches(value));
        let is_in_key = |one| of_key(one).is_some();
        self.0.iter().all(fits) && (self.0.iter().all(is_in_key) || self.matches(&object()))
    }

    /// Returns whether the fields of `object` meet every requirement; an absent field is empty.
    fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|one| one.required.matches(&one.found(object)))
    }
}

impl FieldRequirement {
    fn new(required: trimtab_selector::FieldRequirement) -> Self {
        // Events are stored in the form of the core group.
        let path = match required.field() {
            "source" => "source.component".to_owned(),
            "reportingController" => "reportingComponent".to_owned(),
            field => match field.strip_prefix("regarding.") {
                Some(rest) => format!("involvedObject.{rest}"),
                None => field.to_owned(),
            },
        };
        Self { pointer: format!("/{}", path.replace('.', "/")), required }
    }

    fn field(&self) -> &str {
        self.required.field()
    }

    /// Returns the field's value in `object`, as text.
    fn found<'a>(&self, object: &'a Value) -> Cow<'a, str> {
        let found = object.pointer(&self.pointer).filter(|found| !found.is_null());
        match (self.field(), found) {
            ("source", None) => object["reportingComponent"].as_str().unwrap_or_default().into(),
            ("source", Some(Value::String(source))) if source.is_empty() => {
                object["reportingComponent"].as_str().unwrap_or_default().into()
            }
            ("spec.unschedulable" | "spec.hostNetwork", None) => "false".into(),
            (_, None) => "".into(),
            (_, Some(Value::String(text))) => text.into(),
            (_, Some(other)) => other.to_string().into(),
        }
    }
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
