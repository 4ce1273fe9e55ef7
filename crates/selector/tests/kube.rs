//! Conversions from and to the types of `kube-core` and `k8s-openapi`.
#![cfg(feature = "kube")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube_core::{
    Expression, Selector as KubeSelector,
    params::{ListParams, WatchParams},
};
use trimtab_selector::{FieldSelector, Requirement, Selector};

fn parse(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn expression(key: &str, operator: &str, values: &[&str]) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: (!values.is_empty()).then(|| values.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_label_selector_converts_both_ways_and_an_empty_one_matches_everything() {
    let spec = LabelSelector {
        match_labels: Some([("app".to_owned(), "web".to_owned())].into()),
        match_expressions: Some(vec![
            expression("env", "In", &["canary", "prod"]),
            expression("owner", "Exists", &[]),
            expression("paused", "DoesNotExist", &[]),
            expression("tier", "NotIn", &["db"]),
        ]),
    };
    let selector = Selector::try_from(&spec).unwrap();
    assert_eq!(selector.to_string(), "app=web,env in (canary,prod),owner,!paused,tier notin (db)");
    assert_eq!(LabelSelector::try_from(&selector).unwrap(), spec);
    assert!(Selector::try_from(LabelSelector::default()).unwrap().is_everything());
}

#[test]
fn an_invalid_label_selector_is_refused_in_upstreams_words() {
    for (operator, values, message) in [
        ("In", &[][..], "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"),
        (
            "Exists",
            &["x"],
            r#"values: Invalid value: ["x"]: values set must be empty for exists and does not exist"#,
        ),
        ("Like", &["x"], r#""Like" is not a valid label selector operator"#),
    ] {
        let error = Requirement::try_from(&expression("env", operator, values)).unwrap_err();
        assert_eq!(error.message(), message);
    }
}

#[test]
fn no_requirement_is_lost_on_the_way_to_a_label_selector() {
    let contradiction = parse("a=1,a=2");
    let spec = LabelSelector::try_from(&contradiction).unwrap();
    let back = Selector::try_from(&spec).unwrap();
    for value in [None, Some("1"), Some("2")] {
        assert!(!back.matches(|_| value), "{spec:?}");
    }
    let nothing = LabelSelector::try_from(&Selector::nothing()).unwrap();
    assert!(!Selector::try_from(&nothing).unwrap().matches(|_| None), "{nothing:?}");
    let error = LabelSelector::try_from(&parse("a>1")).unwrap_err();
    assert!(error.to_string().contains("a>1"), "{error}");
}

#[test]
fn kube_selectors_convert_both_ways() {
    let text = "a=1,b!=2,c in (3,4),d notin (5),e,!f";
    let kube: KubeSelector = (&parse(text)).try_into().unwrap();
    assert_eq!(kube.to_string(), text);
    assert_eq!(Selector::try_from(kube).unwrap(), parse(text));
    let empty = Expression::In("a".to_owned(), [].into());
    assert!(Requirement::try_from(empty).unwrap_err().message().contains("can't be empty"));
    assert!(Selector::try_from(KubeSelector::from(Expression::Exists("-".to_owned()))).is_err());
}

#[test]
fn the_texts_of_list_and_watch_parameters_are_parsed() {
    let list = ListParams::default().labels("b,a=1").fields("metadata.name=x");
    assert_eq!(Selector::try_from(&list).unwrap(), parse("a=1,b"));
    assert_eq!(FieldSelector::try_from(&list).unwrap().exact_match("metadata.name"), Some("x"));
    let watch = WatchParams::default().labels("a b").fields("x");
    assert_eq!(Selector::try_from(&watch).unwrap_err().position(), Some(2));
    assert!(FieldSelector::try_from(&watch).is_err());
    assert!(Selector::try_from(&ListParams::default()).unwrap().is_everything());
}
