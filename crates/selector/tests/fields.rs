//! Field selectors: the behaviours of apimachinery's `fields`, by the names of its tests.

use trimtab_selector::{FieldRequirement, FieldSelector, Operator};

fn parse(text: &str) -> FieldSelector {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// `TestSelectorParse`, `TestSplitTerms` and `TestSplitTerm`, the valid ones, with what upstream prints.
#[test]
fn valid_texts_parse_and_print_as_upstream_prints_them() {
    for (text, printed) in [
        ("", ""),
        ("x=a,y=b,z=c", "x=a,y=b,z=c"),
        ("x!=a,y=b", "x!=a,y=b"),
        (r"x=a||y\=b", r"x=a||y\=b"),
        (r"x=a\=\=b", r"x=a\=\=b"),
        ("a=b,", "a=b"),
        (",a=b", "a=b"),
        ("a==b", "a=b"),
        ("=a", "=a"),
        ("a = b", "a = b"),
        ("a.b=c,a=c", "a.b=c,a=c"),
        ("a=c,a.b=c", "a.b=c,a=c"),
        (r"a\,b=c", r"a\,b=c"),
        (r"a\=b", r"a\=b"),
        (r"a=\\", r"a=\\"),
        (r"a=\,,b=", r"a=\,,b="),
        ("함=수,목=록", "목=록,함=수"),
    ] {
        assert_eq!(parse(text).to_string(), printed, "{text:?}");
    }
}

/// `TestSelectorParse` and `TestEscapeValue`, the invalid ones: upstream's messages, seen of apimachinery 0.36.
#[test]
fn invalid_texts_are_refused_in_upstreams_words() {
    let escape = "invalid field selector: invalid escape sequence: ";
    let unescaped = "invalid field selector: unescaped character in value: 61".to_owned();
    for (text, message) in [
        ("x", "invalid selector: 'x'; can't understand 'x'".to_owned()),
        ("x=a,b", "invalid selector: 'x=a,b'; can't understand 'b'".to_owned()),
        ("x in (a)", "invalid selector: 'x in (a)'; can't understand 'x in (a)'".to_owned()),
        ("x in (a,b,c)", "invalid selector: 'x in (a,b,c)'; can't understand 'b'".to_owned()),
        ("a!b", "invalid selector: 'a!b'; can't understand 'a!b'".to_owned()),
        ("x=a||y=b", unescaped.clone()),
        ("x==a==b", unescaped.clone()),
        ("a!==b", unescaped),
        (r"a=b\", format!(r"{escape}\")),
        (r"a=\b", format!(r"{escape}\b")),
    ] {
        let error = text.parse::<FieldSelector>().expect_err(text);
        assert_eq!(error.message(), message, "{text:?}");
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}

/// `TestDeterministicParse`.
#[test]
fn the_order_of_requirements_does_not_matter() {
    assert_eq!(parse("x=a,a=x"), parse("a=x,x=a"));
    assert_eq!(parse("a==z,a=c"), parse("a=c,a=z"));
}

/// `TestSelectorMatches`, `TestOneTermEqualSelector`, `TestSetMatches`.
#[test]
fn absent_fields_are_empty_and_escaped_values_are_compared_as_they_read() {
    let fields = [("foo", "bar"), ("baz", "blah"), ("complex", r"=value\,\")];
    let value = |field: &str| fields.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| *value);
    for (text, expected) in [
        ("", true),
        ("foo=bar", true),
        ("foo=bar,baz=blah", true),
        (r"foo=bar,baz=blah,complex=\=value\\\,\\", true),
        ("foo!=blah,other=", true),
        ("other!=", false),
        ("foo=blah", false),
        ("foo=bar,foobar=bar,baz=blah", false),
        ("foo!=bar", false),
    ] {
        assert_eq!(parse(text).matches(value), expected, "{text:?}");
    }
}

/// `TestRequiresExactMatch`.
#[test]
fn a_field_of_which_one_value_is_required_is_known() {
    assert_eq!(parse("").exact_match("test"), None);
    assert_eq!(parse("a=b").exact_match("test"), None);
    assert_eq!(parse("a=b,test=").exact_match("test"), Some(""));
    assert_eq!(parse("test!=b").exact_match("test"), None);
    assert_eq!(parse("test!=a,test=b").exact_match("test"), Some("b"));
}

/// `TestTransform`.
#[test]
fn requirements_can_be_renamed_refused_or_dropped() {
    let renamed = parse("a=b,c=d,e!=f").try_map(|one| match one.field() {
        "a" => FieldRequirement::equals("z", one.value()).map(Some),
        "c" => Ok(None),
        _ => Ok(Some(one)),
    });
    assert_eq!(renamed.unwrap().to_string(), "e!=f,z=b");
    let refused = parse("a=b,c=d").try_map(|one| if one.field() == "c" { Err("c") } else { Ok(Some(one)) });
    assert_eq!(refused, Err("c"));

    let mut kept = parse("a=b,c=d");
    kept.retain(|one| one.field() == "c");
    assert_eq!(kept.to_string(), "c=d");
    assert!(!kept.is_everything() && parse("").is_everything() && parse(",").is_everything());
}

/// `TestSetIsEmpty` and the requirements of a selector.
#[test]
fn requirements_show_field_operator_and_value() {
    let selector = parse(r"b!=\,,a==c");
    let shown: Vec<_> =
        selector.requirements().iter().map(|one| (one.field(), one.operator(), one.value())).collect();
    assert_eq!(shown, [("a", Operator::Equals, "c"), ("b", Operator::NotEquals, ",")]);
    let named: FieldSelector = FieldRequirement::equals("metadata.name", "a=b").unwrap().into();
    assert_eq!(named.to_string(), r"metadata.name=a\=b");
    for field in ["a=", "a,b", r"a\", "a!"] {
        let error = FieldRequirement::not_equals(field, "x").unwrap_err();
        assert!(error.to_string().contains(&format!("{field:?}")), "{error}");
    }
}
