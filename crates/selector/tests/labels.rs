//! Label selectors: the behaviours of apimachinery's `labels`, by the names of its tests.

use std::collections::BTreeMap;

use trimtab_selector::{Operator, Requirement, Selector, SelectorError, is_label_value, is_qualified_name};

fn parse(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> SelectorError {
    text.parse::<Selector>().expect_err(text)
}

fn matches(selector: &str, labels: &[(&str, &str)]) -> bool {
    let labels: BTreeMap<_, _> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    parse(selector).matches_map(&labels)
}

fn requirement(key: &str, operator: Operator, values: &[&str]) -> Requirement {
    Requirement::new(key, operator, values.iter().copied()).unwrap_or_else(|error| panic!("{error}"))
}

/// `TestSelectorParse` and `TestSetSelectorParser`, the valid ones, with what upstream prints.
#[test]
fn valid_texts_parse_and_print_as_upstream_prints_them() {
    for (text, printed) in [
        ("", ""),
        (" \t\r\n", ""),
        ("x=a,y=b,z=c", "x=a,y=b,z=c"),
        ("x!=a,y=b", "x!=a,y=b"),
        ("x=", "x="),
        ("x= ", "x="),
        ("x= ,z= ", "x=,z="),
        ("!x", "!x"),
        ("! x", "!x"),
        ("x>1", "x>1"),
        ("x>1,z<5", "x>1,z<5"),
        ("x>007", "x>007"),
        ("\rx", "x"),
        ("x ", "x"),
        ("this-is-a-dns.domain.com/key-with-dash", "this-is-a-dns.domain.com/key-with-dash"),
        ("other.domain.com/key in (so,what)", "other.domain.com/key in (so,what)"),
        (
            "0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)",
            "0.1.2.domain/99 notin (10.10.100.1,tick.tack.clock)",
        ),
        ("foo  in\t (abc)", "foo in (abc)"),
        ("x notin\n (abc)", "x notin (abc)"),
        ("x in(abc)", "x in (abc)"),
        ("x in (abc,)", "x in (,abc)"),
        ("x in (abc,abc)", "x in (abc)"),
        ("x in ()", "x in ()"),
        ("x notin ( )", "x notin ()"),
        ("x notin (, a)", "x notin (,a)"),
        ("x in (a,,a,,a,,)", "x in (,a)"),
        ("x notin (abc,,def),bar,z in (),w", "bar,w,x notin (,abc,def),z in ()"),
        ("a in (x,y,notin, z,in)", "a in (in,notin,x,y,z)"),
        ("in in (in)", "in in (in)"),
        ("notin=in", "notin=in"),
        ("a,a=b,a!=c,!a", "a,a=b,a!=c,!a"),
        ("x==a", "x=a"), // a difference: upstream prints `x==a`
    ] {
        assert_eq!(parse(text).to_string(), printed, "{text:?}");
    }
}

/// `TestDeterministicParse`.
#[test]
fn the_order_of_requirements_does_not_matter() {
    assert_eq!(parse("x=a,a=x"), parse("a=x,x=a"));
    assert_eq!(parse("x in (b,a)"), parse("x in (a,b,a)"));
}

/// `TestSelectorParse` and `TestSetSelectorParser`, the invalid ones: upstream's messages, seen of apimachinery
/// 0.36, and the position that they do not have.
#[test]
fn invalid_texts_are_refused_in_upstreams_words_with_the_position() {
    let binary = "unable to parse requirement: found '$', expected: in, notin, =, ==, !=, gt, lt";
    let list = "unable to parse requirement: found '$', expected: ',' or ')'";
    let end = "found '$', expected: ',' or 'end of string'";
    let value = "unable to parse requirement: found '$', expected: identifier";
    for (text, position, found, message) in [
        ("a b", 2, "b", binary),
        ("a b=c", 2, "b", binary),
        ("a!b", 1, "!", binary),
        ("a!!b", 1, "!", binary),
        ("a (", 2, "(", binary),
        ("x nott in (y)", 2, "nott", binary),
        ("a,", 2, "", "found '$', expected: identifier after ','"),
        ("a,,b", 2, ",", "found '$', expected: identifier after ','"),
        (",a", 0, ",", "found '$', expected: !, identifier, or 'end of string'"),
        ("=a", 0, "=", "found '$', expected: !, identifier, or 'end of string'"),
        ("(", 0, "(", "found '$', expected: !, identifier, or 'end of string'"),
        ("a in x", 5, "x", "unable to parse requirement: found '$' expected: '('"),
        ("a in", 4, "", "unable to parse requirement: found '$' expected: '('"),
        ("a in (", 6, "", "unable to parse requirement: found '$', expected: ',', ')' or identifier"),
        ("a in (!)", 6, "!", "unable to parse requirement: found '$', expected: ',', ')' or identifier"),
        ("a in ((b))", 6, "(", "unable to parse requirement: found '$', expected: ',', ')' or identifier"),
        ("a in (x", 7, "", list),
        ("a in (x y)", 8, "y", list),
        ("a in (b=", 7, "=", list),
        ("a in (b,", 8, "", "unable to parse requirement: found '$', expected: ',', or identifier"),
        ("a in (,", 7, "", "unable to parse requirement: found '$', expected: ',', or identifier"),
        ("a in (b,=)", 8, "=", "unable to parse requirement: found '$', expected: ',', or identifier"),
        ("a=b=c", 3, "=", end),
        ("x==a==b", 4, "==", end),
        ("!x=a", 2, "=", end),
        ("!a b", 3, "b", end),
        ("a in (x)) ", 8, ")", end),
        ("a in (xyz)b notin ()", 10, "b", end),
        ("!", 1, "", value),
        ("!!a", 1, "!", value),
        ("a=b,!", 5, "", value),
        ("a===b", 3, "=", value),
        ("a=!b", 2, "!", value),
        ("a<>1", 2, ">", value),
        ("a>=1", 2, "=", value),
        ("a=)", 2, ")", value),
    ] {
        let error = error(text);
        assert_eq!(error.message(), message.replace('$', found), "{text:?}");
        assert_eq!(error.position(), Some(position), "{text:?}");
        assert!(error.to_string().contains(&format!("{text:?} at byte {position}: ")), "{error}");
    }
}

#[test]
fn invalid_keys_and_values_are_refused_in_upstreams_words() {
    let key = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
               character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
               '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                 must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
                 regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let subdomain = "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
                     '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex \
                     used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let long = "x".repeat(64);
    for (text, position, detail) in [
        ("-a=b", 0, format!(r#"<nil>: Invalid value: "-a": name part {key}"#)),
        ("b,\u{a0}a", 2, format!(r#"<nil>: Invalid value: "\u00a0a": name part {key}"#)),
        ("/a", 0, r#"<nil>: Invalid value: "/a": prefix part must be non-empty"#.to_owned()),
        (
            "a/",
            0,
            format!(r#"<nil>: Invalid value: "a/": name part must be non-empty; name part {key}"#),
        ),
        (
            "A.b/c/d",
            0,
            format!(
                "<nil>: Invalid value: \"A.b/c/d\": a valid label key {key} with an optional DNS subdomain prefix \
                 and '/' (e.g. 'example.com/MyName')"
            ),
        ),
        ("Upper.example/a", 0, format!(r#"<nil>: Invalid value: "Upper.example/a": {subdomain}"#)),
        ("_/a=c", 0, format!(r#"<nil>: Invalid value: "_/a": {subdomain}"#)),
        (
            &long,
            0,
            format!(r#"<nil>: Invalid value: "{long}": name part must be no more than 63 bytes"#),
        ),
        ("a=b-", 2, format!(r#"values[0][a]: Invalid value: "b-": {value}"#)),
        ("x=a||y=b", 2, format!(r#"values[0][x]: Invalid value: "a||y": {value}"#)),
        ("a= ü", 3, format!(r#"values[0][a]: Invalid value: "ü": {value}"#)),
        ("a> -1", 3, format!(r#"values[0][a]: Invalid value: "-1": {value}"#)),
        (
            "a in (b/c,-)",
            5,
            format!(
                r#"[values[0][a]: Invalid value: "-": {value}, values[1][a]: Invalid value: "b/c": {value}]"#
            ),
        ),
        (
            "x<a",
            2,
            r#"values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer"#
                .to_owned(),
        ),
        (
            "a>9223372036854775808",
            2,
            "values[0]: Invalid value: \"9223372036854775808\": for 'Gt', 'Lt' operators, the value must be an \
             integer"
                .to_owned(),
        ),
    ] {
        let error = error(text);
        assert_eq!(error.message(), format!("unable to parse requirement: {detail}"), "{text:?}");
        assert_eq!(error.position(), Some(position), "{text:?}");
    }
}

/// `TestSelectorMatches` and `TestRequirementSelectorMatching`.
#[test]
fn each_operator_matches_the_labels_that_upstream_matches() {
    let labels = [("app", "web"), ("env", "prod"), ("empty", ""), ("n", "2"), ("v", "v2"), ("notin", "in")];
    for (text, expected) in [
        ("", true),
        ("app=web", true),
        ("app==web", true),
        ("app = web , env=prod", true),
        ("app=db", false),
        ("app=web,env=dev", false),
        ("app=web,other=web", false),
        ("app!=db", true),
        ("app!=web", false),
        ("other!=web", true), // an absent label has no value
        ("env in (prod,canary)", true),
        ("env in(dev)", false),
        ("other in (a)", false),
        ("other in ()", false),
        ("env notin (dev, canary)", true),
        ("env notin (prod)", false),
        ("other notin ()", true),
        ("app", true),
        ("other", false),
        ("!other", true),
        ("! app", false),
        ("empty=", true),
        ("empty,!other", true),
        ("empty in (,x)", true),
        ("app=", false),
        ("notin=in", true),
        ("n>1", true),
        ("n>2", false),
        ("n<3", true),
        ("n<2", false),
        ("v>1", false),     // not an integer
        ("other<1", false), // absent
    ] {
        assert_eq!(matches(text, &labels), expected, "{text:?}");
    }
}

/// `TestSetMatches`, `TestNilMapIsValid`, `TestSetIsEmpty`, `TestSetSelectorString`.
#[test]
fn a_map_of_labels_makes_a_selector_of_its_pairs() {
    let selector = Selector::from_labels([("app", "foo"), ("a", "b")]).unwrap();
    assert_eq!(selector.to_string(), "a=b,app=foo");
    assert!(selector.matches(|key| Some(if key == "a" { "b" } else { "foo" })));
    assert!(!selector.matches(|_| Some("b")));
    let none: [(&str, &str); 0] = [];
    assert_eq!(Selector::from_labels(none).unwrap(), Selector::everything());
    Selector::from_labels([("foo", "=blah")]).unwrap_err();
}

/// `TestToString`.
#[test]
fn requirements_print_as_upstream_prints_them() {
    for (requirements, printed) in [
        (
            vec![
                requirement("x", Operator::In, &["def", "abc"]),
                requirement("y", Operator::NotIn, &["jkl"]),
                requirement("z", Operator::Exists, &[]),
            ],
            "x in (abc,def),y notin (jkl),z",
        ),
        (
            vec![
                requirement("x", Operator::NotIn, &["abc", "def"]),
                requirement("y", Operator::NotEquals, &["jkl"]),
                requirement("z", Operator::DoesNotExist, &[]),
            ],
            "x notin (abc,def),y!=jkl,!z",
        ),
        (
            vec![
                requirement("x", Operator::Equals, &["abc"]),
                requirement("y", Operator::NotIn, &[""]),
                requirement("z", Operator::NotEquals, &["a"]),
                requirement("z", Operator::Exists, &[]),
            ],
            "x=abc,y notin (),z!=a,z",
        ),
        (
            vec![
                requirement("x", Operator::GreaterThan, &["2"]),
                requirement("y", Operator::LessThan, &["8"]),
            ],
            "x>2,y<8",
        ),
    ] {
        assert_eq!(requirements.into_iter().collect::<Selector>().to_string(), printed);
    }
}

/// `TestRequirementConstructor`.
#[test]
fn requirements_with_a_wrong_number_of_values_are_refused_in_upstreams_words() {
    let set = "for 'in', 'notin' operators, values set can't be empty";
    let exact = "exact-match compatibility requires one single value";
    let unary = "values set must be empty for exists and does not exist";
    let number = "for 'Gt', 'Lt' operators, exactly one value is required";
    for (operator, values, shown, detail) in [
        (Operator::In, &[][..], "[]", set),
        (Operator::NotIn, &[], "[]", set),
        (Operator::Equals, &["foo", "bar"], r#"["foo","bar"]"#, exact),
        (Operator::NotEquals, &[], "[]", exact),
        (Operator::Exists, &["foo"], r#"["foo"]"#, unary),
        (Operator::DoesNotExist, &["foo"], r#"["foo"]"#, unary),
        (Operator::GreaterThan, &[], "[]", number),
    ] {
        let error = Requirement::new("x", operator, values.iter().copied()).unwrap_err();
        assert_eq!(error.message(), format!("values: Invalid value: {shown}: {detail}"));
        assert_eq!(error.position(), None);
    }
    let several = Requirement::new("-", Operator::LessThan, ["b c", "1"]).unwrap_err();
    assert_eq!(several.message().matches("Invalid value").count(), 4, "{several}");
    assert!(several.message().starts_with("[key: Invalid value: \"-\""), "{several}");
}

/// `TestAdd`.
#[test]
fn added_requirements_are_sorted_in() {
    let mut selector = parse("key in (value)");
    selector.add(requirement("a", Operator::Equals, &["value2"]));
    assert_eq!(selector.to_string(), "a=value2,key in (value)");
    let requirements = selector.requirements().unwrap();
    assert_eq!((requirements[0].key(), requirements[0].operator()), ("a", Operator::Equals));
    assert_eq!(requirements[1].values(), ["value"]);
}

/// `TestRequiresExactMatch`.
#[test]
fn a_label_of_which_one_value_is_required_is_known() {
    for (text, label, expected) in [
        ("key in (value)", "key", Some("value")),
        ("key in (value,value2)", "key", None),
        ("key in (value,value1),key2 in (value2)", "key2", Some("value2")),
        ("key=value", "key", Some("value")),
        ("key!=value", "key", None),
        ("key,key=value", "key", None), // the first requirement decides
        ("key=value", "other", None),
    ] {
        assert_eq!(parse(text).exact_match(label), expected, "{text}");
    }
    assert_eq!(Selector::nothing().exact_match("key"), None);
}

#[test]
fn everything_and_nothing_are_told_apart_in_every_form() {
    let (everything, nothing) = (Selector::everything(), Selector::nothing());
    assert!(everything.is_everything() && !everything.is_nothing() && everything.matches(|_| None));
    assert!(nothing.is_nothing() && !nothing.is_everything());
    assert!(!nothing.matches(|_| None) && !nothing.matches(|_| Some("")));
    assert_eq!(parse(&nothing.to_string()), nothing);
    assert_eq!(Selector::default(), everything);
    assert!(!matches(" nothing , !nothing ", &[])); // also where it is not recognised
    let mut still = nothing.clone();
    still.add(requirement("a", Operator::Exists, &[]));
    assert_eq!(still, nothing);
}

#[test]
fn keys_and_values_can_be_checked_alone() {
    assert!(is_qualified_name("app.kubernetes.io/name") && is_qualified_name("A_1.b"));
    assert!(!is_qualified_name("") && !is_qualified_name("-a") && !is_qualified_name("A/b/c"));
    assert!(is_label_value("") && is_label_value("web_1.2-3") && is_label_value(&"x".repeat(63)));
    assert!(!is_label_value("a b") && !is_label_value("a.") && !is_label_value(&"x".repeat(64)));
    let long = format!("{}/a", "x".repeat(254));
    assert!(!is_qualified_name(&long) && is_qualified_name(&long[1..]));
}

#[test]
fn an_error_prints_as_a_sentence_from_main() {
    let error = error("a b");
    assert_eq!(
        format!("{error:?}"),
        "invalid label selector \"a b\" at byte 2: unable to parse requirement: found 'b', expected: in, notin, =, \
         ==, !=, gt, lt"
    );
}
