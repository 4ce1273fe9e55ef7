//! A printed selector parses to an equal one, and no text makes the parsers panic.

use proptest::{collection::vec, prelude::*, sample::select};
use trimtab_selector::{FieldRequirement, FieldSelector, Operator, Requirement, Selector};

fn requirement() -> impl Strategy<Value = Requirement> {
    let key = select(vec!["a", "b", "in", "notin", "nothing", "example.com/c"]);
    let operator = select(vec![
        Operator::In,
        Operator::NotIn,
        Operator::Equals,
        Operator::NotEquals,
        Operator::Exists,
        Operator::DoesNotExist,
        Operator::GreaterThan,
        Operator::LessThan,
    ]);
    let value = select(vec!["x", "y-1", "in", "notin", "", "7"]);
    (key, operator, vec(value, 1..4), any::<u32>()).prop_map(|(key, operator, values, number)| {
        let values: Vec<_> = match operator {
            Operator::In | Operator::NotIn => values.into_iter().map(str::to_owned).collect(),
            Operator::Equals | Operator::NotEquals => vec![values[0].to_owned()],
            Operator::Exists | Operator::DoesNotExist => Vec::new(),
            Operator::GreaterThan | Operator::LessThan => vec![number.to_string()],
        };
        Requirement::new(key, operator, values).expect("a valid requirement")
    })
}

fn field_requirement() -> impl Strategy<Value = FieldRequirement> {
    (any::<bool>(), "[a-z. ]{0,6}", r"[a-z=,!\\ü]{0,6}").prop_map(|(is_equal, field, value)| {
        let made = if is_equal { FieldRequirement::equals } else { FieldRequirement::not_equals };
        made(field, value).expect("a valid field")
    })
}

/// The meaning of a requirement, too naive to be wrong.
fn model(requirement: &Requirement, value: Option<&str>) -> bool {
    let values = requirement.values();
    let number = |text: &str| text.parse::<u64>().ok();
    let bound = values.first().and_then(|bound| number(bound));
    match (requirement.operator(), value) {
        (Operator::In | Operator::Equals, value) => {
            value.is_some_and(|value| values.contains(&value.to_owned()))
        }
        (Operator::NotIn | Operator::NotEquals, None) => true,
        (Operator::NotIn | Operator::NotEquals, Some(value)) => values.iter().all(|one| one != value),
        (Operator::Exists, value) => value.is_some(),
        (Operator::DoesNotExist, value) => value.is_none(),
        (_, None) => false,
        (Operator::GreaterThan, Some(value)) => number(value).is_some_and(|value| Some(value) > bound),
        (Operator::LessThan, Some(value)) => number(value).is_some_and(|value| Some(value) < bound),
    }
}

proptest! {
    #[test]
    fn a_printed_label_selector_parses_to_an_equal_one_that_matches_alike(
        requirements in vec(requirement(), 0..5),
        labels in vec((select(vec!["a", "b", "in", "example.com/c"]), select(vec!["x", "y-1", "", "7", "99999"])), 0..4),
    ) {
        let selector: Selector = requirements.iter().cloned().collect();
        let parsed: Selector = selector.to_string().parse().expect("printed text");
        let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let expected = requirements.iter().all(|one| model(one, value(one.key())));
        prop_assert_eq!(parsed.matches(value), expected);
        // The contradiction that stands for `nothing` is read as that.
        let is_nothing = selector.to_string() == Selector::nothing().to_string();
        prop_assert_eq!(parsed, if is_nothing { Selector::nothing() } else { selector });
    }

    #[test]
    fn a_printed_field_selector_parses_to_an_equal_one(requirements in vec(field_requirement(), 0..5)) {
        let selector: FieldSelector = requirements.into_iter().collect();
        prop_assert_eq!(selector.to_string().parse::<FieldSelector>().expect("printed text"), selector);
    }

    #[test]
    fn any_text_is_parsed_to_what_prints_the_same_or_is_refused(text in r"[a-z=!(),<> ./\\\-ü]{0,40}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse::<Selector>().expect("printed text"), selector);
        }
        if let Ok(selector) = text.parse::<FieldSelector>() {
            prop_assert_eq!(selector.to_string().parse::<FieldSelector>().expect("printed text"), selector);
        }
    }
}
