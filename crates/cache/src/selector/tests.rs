//! Selectors, term by term: what they parse from and what they match.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::*;

fn parse(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn matches(selector: &Selector, labels: &[(&str, &str)]) -> bool {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    selector.matches(|key| labels.get(key).copied())
}

#[test]
fn each_operator_matches_what_kubernetes_says() {
    let web = [("app", "web"), ("env", "prod"), ("empty", "")];
    for (text, expected) in [
        ("", true),
        ("  ", true),
        ("app=web", true),
        ("app==web", true),
        ("app = web , env=prod", true),
        ("app=db", false),
        ("app=web,env=dev", false),
        ("app!=db", true),
        ("app!=web", false),
        ("other!=web", true), // a label that is not there has no such value
        ("env in (prod,canary)", true),
        ("env in(dev)", false),
        ("other in (a)", false),
        ("env notin (dev, canary)", true),
        ("env notin (prod)", false),
        ("other notin (a)", true),
        ("app", true),
        ("other", false),
        ("!other", true),
        ("! app", false),
        ("empty=", true),
        ("empty=,app", true),
        ("empty in (,x)", true),
        ("app=", false),
    ] {
        assert_eq!(matches(&parse(text), &web), expected, "{text:?}");
    }
}

#[test]
fn the_words_in_and_notin_can_be_keys_and_values() {
    assert!(matches(&parse("in in (in,notin)"), &[("in", "notin")]));
    assert!(matches(&parse("notin=in"), &[("notin", "in")]));
}

#[test]
fn errors_name_position_and_text() {
    for (text, position, found) in [
        ("a,", 2, "the end"),
        (",a", 0, "`,`"),
        ("a,,b", 2, "`,`"),
        ("a b", 2, "`b`"),
        ("a in x", 5, "`x`"),
        ("a in (x", 7, "the end"),
        ("a in ()", 6, "`)`"),
        ("a in (x y)", 8, "`y`"),
        ("a=b=c", 3, "`=`"),
        ("a!b", 2, "`b`"),
        ("!", 1, "the end"),
        ("a>1", 1, "`>`"),
        ("a in (x)) ", 8, "`)`"),
    ] {
        let error = text.parse::<Selector>().expect_err(text);
        assert_eq!(error.position(), Some(position), "{error}");
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        assert!(error.to_string().contains(found), "{error}");
    }
}

#[test]
fn keys_and_values_must_be_well_formed() {
    let long = "x".repeat(64);
    for text in ["-a=b", "a=b-", "A.b/c/d", "/a", "a/", "Upper.example/a", "a=ü", "ü", "a=b/c", &long] {
        let error = text.parse::<Selector>().expect_err(text);
        assert_eq!(error.position(), None, "{error}");
    }
    parse("app.kubernetes.io/name=web_1.2-3");
}

#[test]
fn a_label_selector_converts_and_an_empty_one_matches_everything() {
    let expression = |key: &str, operator: &str, values: &[&str]| LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: (!values.is_empty()).then(|| values.iter().map(ToString::to_string).collect()),
    };
    let all = LabelSelector {
        match_labels: Some([("app".to_owned(), "web".to_owned())].into()),
        match_expressions: Some(vec![
            expression("env", "In", &["prod", "canary"]),
            expression("tier", "NotIn", &["db"]),
            expression("owner", "Exists", &[]),
            expression("paused", "DoesNotExist", &[]),
        ]),
    };
    let selector = Selector::try_from(&all).unwrap();
    assert_eq!(selector.to_string(), "app=web,env in (prod,canary),tier!=db,owner,!paused");
    assert_eq!(parse(&selector.to_string()), selector);
    assert!(Selector::try_from(&LabelSelector::default()).unwrap().is_everything());

    for (operator, values, named) in
        [("In", &[][..], "at least one"), ("Exists", &["x"][..], "no values"), ("in", &["x"][..], "unknown")]
    {
        let wrong = LabelSelector {
            match_expressions: Some(vec![expression("env", operator, values)]),
            ..LabelSelector::default()
        };
        let error = Selector::try_from(&wrong).expect_err(operator);
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn nothing_matches_nothing_in_either_form() {
    assert!(!matches(&Selector::nothing(), &[]));
    assert!(!matches(&parse(&Selector::nothing().to_string()), &[("nothing", "")]));
    assert!(Selector::nothing().is_nothing() && !Selector::nothing().is_everything());
    assert!(Selector::everything().is_everything());
}
