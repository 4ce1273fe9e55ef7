//! [`LabelSelector`]: the labels that an object must have.

use std::fmt;

use serde_json::Value;
use trimtab_selector::{Operator, Requirement, Selector};

use super::check_terms;
use crate::api::status::{Result, Status};

/// Requirements on labels, all of which must hold; none of them selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Selector);

impl LabelSelector {
    /// Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let selector: Selector = text.parse().map_err(|error: trimtab_selector::SelectorError| {
            Status::bad_request(error.message().to_owned())
        })?;
        check_terms("labelSelector", selector.requirements().map_or(0, <[_]>::len))?;
        Ok(Self(selector))
    }

    /// Returns the selector in an object's `spec.selector`: a `LabelSelector`, or a map of labels; `None` if it is malformed.
    pub(crate) fn from_json(selector: &Value) -> Option<Self> {
        let is_label_selector =
            selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
        let labels = if is_label_selector { selector.get("matchLabels") } else { Some(selector) };
        let labels = labels.and_then(Value::as_object).into_iter().flatten();
        let of_labels =
            labels.map(|(key, value)| Requirement::new(key, Operator::Equals, [value.as_str()?]).ok());
        let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
        of_labels.chain(expressions.map(expression)).collect::<Option<Selector>>().map(Self)
    }

    /// Returns whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_everything()
    }

    /// Returns whether the labels that `label` looks up meet every requirement.
    pub(crate) fn matches_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.matches(label)
    }
}

/// Reads an entry of `matchExpressions`.
fn expression(expression: &Value) -> Option<Requirement> {
    let operator = match expression.get("operator")?.as_str()? {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        _ => return None,
    };
    let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
    Requirement::new(expression.get("key")?.as_str()?, operator, values.filter_map(Value::as_str)).ok()
}

impl fmt::Display for LabelSelector {
    /// Writes the form that `/scale` has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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
