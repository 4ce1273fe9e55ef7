//! `serde_json` is the model: [`Json`] accepts and refuses the same texts, except in skipped values.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Number, Value, value::RawValue};

use super::{Json, JsonError};

fn read<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    let mut json = Json::new(text);
    let value = T::deserialize(&mut json)?;
    json.end().map(|()| value)
}

/// Returns the position at which `skip` ends.
fn skipped(text: &str) -> Result<usize, JsonError> {
    let mut json = Json::new(text);
    json.skip().map(|_| ())?;
    Ok(json.offset())
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z\"\\\\{}\\[\\],: ]{0,80}", "\\PC{0,20}", "[\\x00-\\x1fü\"\\\\]{0,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        text.clone().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::Array),
            vec((text.clone(), inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn written(value: &Value, pretty: bool) -> String {
    if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap()
}

proptest! {
    #[test]
    fn every_value_is_read_as_serde_json_reads_it(value in value(), pretty: bool) {
        let text = written(&value, pretty);
        // serde_json's own reading, because a float may be read as its neighbour.
        prop_assert_eq!(read::<Value>(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        if let Value::Array(elements) = &value {
            let read: Vec<Value> = read(&text).unwrap();
            prop_assert_eq!((read.len(), read.capacity()), (elements.len(), elements.len()), "no more memory than needed");
        }
        let raw = read::<Box<RawValue>>(&text).unwrap();
        prop_assert_eq!(raw.get(), &text);
        let behind = format!("{text} ,\"\\\" ]}}");
        prop_assert_eq!(skipped(&behind).unwrap(), text.len());
    }

    #[test]
    fn a_value_that_is_cut_is_incomplete_and_one_that_is_changed_is_no_other(
        value in value(),
        at: prop::sample::Index,
        byte in "[\\x00-\\x7f]",
    ) {
        let text = written(&Value::Array(vec![value]), false);
        let at = (0..=text.len()).rev().find(|end| *end <= at.index(text.len()) && text.is_char_boundary(*end));
        let at = at.unwrap();
        prop_assert!(read::<Value>(&text[..at]).unwrap_err().is_incomplete());
        prop_assert!(skipped(&text[..at]).unwrap_err().is_incomplete());

        let rest = text[at..].chars().next().map_or(0, char::len_utf8);
        let changed = [&text[..at], &byte, &text[at + rest..]].concat();
        match (read::<Value>(&changed), serde_json::from_str::<Value>(&changed)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(ours), Err(theirs)) => prop_assert!(!theirs.is_eof() || ours.is_incomplete(), "{ours}; {theirs}"),
            (ours, theirs) => prop_assert!(false, "{changed}: {ours:?}; {theirs:?}"),
        }
        if serde_json::from_str::<&RawValue>(&changed).is_ok() {
            prop_assert_eq!(skipped(&changed).unwrap(), changed.trim_end().len());
        }
        let _ = skipped(&changed); // whatever it says, it says so
    }

    #[test]
    fn any_text_at_all_gets_an_answer(text in "[\"\\\\{}\\[\\]a1:, ü\n]{0,200}") {
        let whole = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(read::<Value>(&text).ok(), whole.ok());
        let _ = skipped(&text);
    }
}

#[test]
fn backslashes_and_quotes_are_told_apart_wherever_blocks_end() {
    for before in 0..140 {
        for backslashes in 0..70 {
            let text = format!("[\"{}{}\",{{}}]", "a".repeat(before), "\\\\".repeat(backslashes));
            assert_eq!(skipped(&format!("{text}]")).unwrap(), text.len(), "{text}");
            let text = format!("[\"{}{}\\\"]\"]", "a".repeat(before), "\\\\".repeat(backslashes));
            assert_eq!(skipped(&format!("{text}]")).unwrap(), text.len(), "{text}");
            assert_eq!(read::<Value>(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}

#[test]
fn what_is_skipped_may_be_deep_and_what_is_read_may_not() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(skipped(&deep(1_000_000)).unwrap(), 2_000_000);
    assert!(read::<Value>(&deep(128)).is_ok());
    let error = read::<Value>(&deep(1_000_000)).unwrap_err();
    assert!(error.to_string().contains("too deep") && !error.is_incomplete(), "{error}");
}

#[test]
fn the_elements_of_an_array_are_counted_whatever_they_hold_and_wherever_blocks_end() {
    for before in 0..140 {
        let string = "a,]".repeat(before / 3) + &"b".repeat(before % 3);
        let text = format!(r#"["{string}",[1,2,[3,4]],{{"a":[5,6],"b":7}},"\"],", null , 8 ] , 9"#);
        let mut json = Json::new(&text);
        let read: Vec<Value> = Vec::deserialize(&mut json).unwrap();
        assert_eq!((read.len(), read.capacity()), (6, 6), "{text}");
    }
    for (text, capacity) in [("[]", 0), ("[ \n ]", 0), ("[[]]", 1), ("[{},[]]", 2), ("[7]", 1)] {
        let read: Vec<Value> = read(&text.replace("\\n", "\n")).unwrap();
        assert_eq!(read.capacity(), capacity, "{text}");
    }
}

#[test]
fn integers_are_read_as_serde_json_reads_them() {
    fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(number: &str) {
        let text = format!("[{number}]");
        let (ours, theirs) = (read::<[T; 1]>(&text).ok(), serde_json::from_str::<[T; 1]>(&text).ok());
        assert_eq!(ours, theirs, "{number}");
        assert_eq!(read::<T>(number).ok(), serde_json::from_str(number).ok(), "{number}");
    }
    for number in [
        "0",
        "-0",
        "7",
        "-7",
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "65536",
        "2147483648",
        "-2147483649",
        "999999999999999999",
        "9999999999999999999",
        "-999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "01",
        "-01",
        "1.0",
        "1e3",
        "1E3",
        "-",
        "--1",
        "+1",
        "1x",
        "1-",
        "",
    ] {
        check::<i8>(number);
        check::<i16>(number);
        check::<i32>(number);
        check::<i64>(number);
        check::<u8>(number);
        check::<u16>(number);
        check::<u32>(number);
        check::<u64>(number);
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mixed {
    number: Option<i8>,
    flag: Option<bool>,
    #[serde(default)]
    by_number: BTreeMap<u16, char>,
    #[serde(default)]
    choices: Vec<Choice>,
    pair: Option<(f32, u64)>,
    #[serde(default)]
    unit: (),
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Choice {
    Nothing,
    One(u8),
    Some { a: Option<String> },
}

#[test]
fn types_of_every_shape_are_read_as_serde_json_reads_them() {
    for text in [
        r#"{"number":-1,"flag":true,"byNumber":{"7":"x","65535":"ü"},"pair":[1e3,18446744073709551615]}"#,
        r#"{"choices":["Nothing",{"One":1},{"Some":{"a":"\u00e9\ud83d\ude00"}},"Nothi\u006eg"],"unit":null}"#,
        r#"{"numb\u0065r":1,"more":{"flag":[false]},"number\n":-0.0}"#,
        r#"{"number":200}"#,
        r#"{"number":"1"}"#,
        r#"{"number":1,"number":2}"#,
        r#"{"flag":"true"}"#,
        r#"{"byNumber":{"x":"x"}}"#,
        r#"{"choices":["Other"]}"#,
        r#"{"pair":[1]}"#,
        r#"{"pair":[1,2,3]}"#,
        r#"{"unit":0}"#,
        r#"{"number":01}"#,
        r#"{"flag":tru}"#,
        r#"{"flag":true,}"#,
        r#"{"flag" true}"#,
        r#"{flag:true}"#,
        r#"[]"#,
        r#""text""#,
        "{\"more\":\"\u{1}\"}",
        r#"{"more":"\ud800"}"#,
        r#"{"more":"\x"}"#,
    ] {
        let (ours, theirs) = (read::<Mixed>(text), serde_json::from_str::<Mixed>(text));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(ours), Err(_)) => assert!(!ours.is_incomplete(), "{text}: {ours}"),
            (ours, theirs) => panic!("{text}: {ours:?}; {theirs:?}"),
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is never read")]
    struct Named {
        name: String,
    }
    for (text, expected) in [
        (r#"{"a":[1,{"b":2}]}"#, "missing field `name` at byte 16"),
        (r#"{"name":7}"#, "invalid type: number, expected a string at byte 8"),
        (r#"{"name":"a" "b":1}"#, "expected `,` or the end of an object or array, found `\"` at byte 12"),
        (r#"{"name":"a"#, "the text ends before the value does at byte 10"),
    ] {
        let error = read::<Named>(text).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.is_incomplete(), expected.starts_with("the text ends"), "{text}");
    }
}

/// The documentation of [`Json`] lists these checks.
#[test]
fn what_is_skipped_is_checked_for_its_end_alone() {
    for text in [r#"{"a" 1,,}"#, "[}", r#"{"a":nul}"#, "[\"\u{1}\"]", r#"["\x"]"#, r#""\x""#] {
        assert_eq!(skipped(text).unwrap(), text.len(), "{text}");
    }
    for text in ["nul ", "01", "-", "\"\u{1}\"", "+1", "]", "x"] {
        let end = skipped(text);
        assert!(!end.is_ok_and(|end| end == text.len()), "{text}");
    }
}
