//! [`LabelSelector`]: which labels an object must have.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check_terms;
use crate::api::status::{Result, Status};

/// Requirements on labels, all of which must hold; none of them selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(BTreeSet<String>),
    /// Also holds if the label is absent.
    NotIn(BTreeSet<String>),
    GreaterThan(i64),
    LessThan(i64),
}

impl LabelSelector {
    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        check_terms("labelSelector", split_outside_parentheses(text).count())?;
        split_outside_parentheses(text)
            .map(|part| Requirement::parse(part.trim()))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| match text.parse::<trimtab_selector::Selector>() {
                Err(error) => Status::bad_request(error.message()),
                Ok(_) => Status::bad_request(format!(
                    "unable to parse requirement: invalid label selector {text:?}"
                )),
            })
    }

    /// The selector in an object's `spec.selector`: a `LabelSelector`, or a map of labels. `None` if it
    /// is malformed.
    pub(crate) fn from_json(selector: &Value) -> Option<Self> {
        let mut requirements = Vec::new();
        let is_label_selector =
            selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
        let labels = if is_label_selector { selector.get("matchLabels") } else { Some(selector) };
        for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
            let values = BTreeSet::from([value.as_str()?.to_owned()]);
            requirements.push(Requirement { key: key.clone(), operator: Operator::In(values) });
        }
        for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values: BTreeSet<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
            let operator = match expression.get("operator")?.as_str()? {
                "In" if !values.is_empty() => Operator::In(values),
                "NotIn" if !values.is_empty() => Operator::NotIn(values),
                "Exists" if values.is_empty() => Operator::Exists,
                "DoesNotExist" if values.is_empty() => Operator::DoesNotExist,
                _ => return None,
            };
            requirements.push(Requirement { key: expression.get("key")?.as_str()?.to_owned(), operator });
        }
        Some(Self(requirements))
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels that `label` looks up fulfil every requirement.
    pub(crate) fn matches_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(label(&requirement.key)))
    }
}

impl std::fmt::Display for LabelSelector {
    /// As `/scale` writes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
        for (position, Requirement { key, operator }) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match operator {
                Operator::Exists => write!(f, "{comma}{key}"),
                Operator::DoesNotExist => write!(f, "{comma}!{key}"),
                Operator::In(values) if values.len() == 1 => write!(f, "{comma}{key}={}", list(values)),
                Operator::In(values) => write!(f, "{comma}{key} in ({})", list(values)),
                Operator::NotIn(values) => write!(f, "{comma}{key} notin ({})", list(values)),
                Operator::GreaterThan(bound) => write!(f, "{comma}{key}>{bound}"),
                Operator::LessThan(bound) => write!(f, "{comma}{key}<{bound}"),
            }?;
        }
        Ok(())
    }
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix('!') {
            return Self::new(key, Operator::DoesNotExist);
        }
        if let Some((head, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            let values = values.split(',').map(|value| value.trim().to_owned()).collect::<BTreeSet<_>>();
            if !values.iter().all(|value| is_value(value)) {
                return None;
            }
            let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
            return match operator {
                "in" => Self::new(key, Operator::In(values)),
                "notin" => Self::new(key, Operator::NotIn(values)),
                _ => None,
            };
        }
        let one = |value: &str| is_value(value.trim()).then(|| BTreeSet::from([value.trim().to_owned()]));
        if let Some((key, value)) = text.split_once("!=") {
            return Self::new(key, Operator::NotIn(one(value)?));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Self::new(key, Operator::In(one(value)?));
        }
        if let Some((key, value)) = text.split_once('>') {
            return Self::new(key, Operator::GreaterThan(value.trim().parse().ok()?));
        }
        if let Some((key, value)) = text.split_once('<') {
            return Self::new(key, Operator::LessThan(value.trim().parse().ok()?));
        }
        Self::new(text, Operator::Exists)
    }

    fn new(key: &str, operator: Operator) -> Option<Self> {
        let key = key.trim();
        is_qualified_name(key).then(|| Self { key: key.to_owned(), operator })
    }

    fn holds(&self, label: Option<&str>) -> bool {
        let number = || label?.parse::<i64>().ok();
        match &self.operator {
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::In(values) => label.is_some_and(|label| values.contains(label)),
            Operator::NotIn(values) => label.is_none_or(|label| !values.contains(label)),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Splits at commas that are not within parentheses.
fn split_outside_parentheses(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    })
}

/// Whether `key` can be a label's or an annotation's name: `[dns/]name`.
pub(crate) fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(crate::api::names::is_subdomain) && !name.is_empty() && is_value(name)
}

/// Whether `value` can be a label's value.
pub(crate) fn is_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    value.len() <= 63
        && value.chars().all(inner)
        && value.starts_with(edge) == value.ends_with(edge)
        && (value.is_empty() || value.starts_with(edge))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde_json::json;

    use super::*;

    type Holds = fn(Option<&str>, &[&str]) -> bool;

    /// A requirement as text, and what it means, too naive to be wrong.
    #[derive(Debug)]
    struct Case {
        text: String,
        key: &'static str,
        values: Vec<&'static str>,
        holds: Holds,
    }

    fn requirement() -> impl Strategy<Value = Case> {
        let key = select(vec!["a", "b", "example.com/c"]);
        let values = vec(select(vec!["x", "y", "1", "2", ""]), 1..3);
        (key, values, 0..9_usize).prop_map(|(key, mut values, form)| {
            let (first, listed) = (values[0], values.join(","));
            let one_of: Holds = |label, values| label.is_some_and(|label| values.contains(&label));
            let none_of: Holds = |label, values| label.is_none_or(|label| !values.contains(&label));
            if (2..=4).contains(&form) {
                values.truncate(1);
            }
            let (text, holds): (String, Holds) = match form {
                0 => (key.to_owned(), |label, _| label.is_some()),
                1 => (format!("!{key}"), |label, _| label.is_none()),
                2 => (format!("{key}={first}"), one_of),
                3 => (format!("{key} == {first}"), one_of),
                4 => (format!("{key}!={first}"), none_of),
                5 => (format!("{key} in ({listed})"), one_of),
                6 => (format!("{key} notin ({listed})"), none_of),
                7 => (format!("{key}>1"), |label, _| label == Some("2")),
                _ => (format!("{key}<2"), |label, _| label == Some("1")),
            };
            Case { text, key, values, holds }
        })
    }

    proptest! {
        #[test]
        fn a_selector_matches_what_each_of_its_requirements_matches(
            cases in vec(requirement(), 0..4),
            labels in vec((select(vec!["a", "b", "example.com/c"]), select(vec!["x", "y", "1", "2", ""])), 0..3),
        ) {
            let text = cases.iter().map(|case| case.text.clone()).collect::<Vec<_>>().join(",");
            let selector = LabelSelector::parse(&text).expect("a valid selector");
            let mut object = json!({"metadata": {"labels": {}}});
            for (key, value) in labels {
                object["metadata"]["labels"][key] = value.into();
            }
            let label = |key: &str| object["metadata"]["labels"].get(key).and_then(Value::as_str);
            let expected = cases.iter().all(|case| (case.holds)(label(case.key), &case.values));
            prop_assert_eq!(selector.matches_labels(label), expected, "{}", text);
            // What is printed means the same.
            prop_assert_eq!(LabelSelector::parse(&selector.to_string()).ok(), Some(selector));
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "[a-z=!(),<> ./-]{0,40}") {
            LabelSelector::parse(&text).ok();
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in
            ["a b", "a in x", "=a", "a=b=c", "a in (b", "a>b", "!", "a=-", "-", "/a", ",", "a,", ",a", "a,,b"]
        {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn selectors_of_objects_are_maps_or_label_selectors() {
        let matching = |selector: Value, labels: Value| {
            let label = |key: &str| labels.get(key).and_then(Value::as_str);
            LabelSelector::from_json(&selector).map(|selector| selector.matches_labels(label))
        };
        assert_eq!(matching(json!({"a": "b"}), json!({"a": "b"})), Some(true));
        let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        assert_eq!(matching(expression("In", json!(["b"])), json!({"a": "b"})), Some(true));
        assert_eq!(matching(expression("DoesNotExist", Value::Null), json!({"a": "b"})), Some(false));
        assert_eq!(matching(expression("In", json!([])), json!({})), None);
        assert_eq!(matching(expression("Like", json!(["b"])), json!({})), None);
    }
}
