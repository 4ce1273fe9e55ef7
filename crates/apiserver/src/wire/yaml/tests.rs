//! Texts and what sigs.k8s.io/yaml makes of them, as a kube-apiserver 1.36 answered.

use serde_json::json;

use super::*;

fn json_of(text: &str) -> Result<Value, String> {
    read(text).map(|document| document.value)
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    for (text, expected) in [
        ("0755", json!(493)),
        ("0x1f", json!(31)),
        ("0b11", json!(3)),
        ("0o17", json!(15)),
        ("010", json!(8)),
        ("08", json!(8)),
        ("0_8", json!(8)),
        ("-0755", json!(-493)),
        ("-0x10", json!(-16)),
        ("-0b1", json!(-1)),
        ("0b2", json!("0b2")),
        ("0x", json!("0x")),
        ("1_000", json!(1000)),
        ("1__0", json!(10)),
        ("1_", json!(1)),
        ("_1", json!("_1")),
        ("1e3", json!(1000)),
        ("1E3", json!(1000)),
        ("1e+3", json!(1000)),
        ("+1e3", json!(1000)),
        ("1e1_0", json!(10_000_000_000_i64)),
        ("1_0.5", json!(10.5)),
        ("12e03", json!(12000)),
        ("1e21", json!(1e21)),
        ("1e20", json!(1e20)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615.0)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("-9223372036854775809", json!(i64::MIN)),
        ("0x7fffffffffffffff", json!(i64::MAX)),
        ("0xffffffffffffffff", json!(18_446_744_073_709_551_615.0)),
        ("0777777777777777777777777", json!(7.777_777_777_777_778e23)),
        ("-0", json!(0)),
        ("1.0", json!(1)),
        ("3.0", json!(3)),
        ("1.", json!(1)),
        ("0.", json!(0)),
        (".5", json!(0.5)),
        ("+.5", json!(0.5)),
        ("-.5", json!(-0.5)),
        ("+5", json!(5)),
        ("0.1e1", json!(1)),
        ("1e-7", json!(1e-7)),
        ("190:20:30", json!("190:20:30")),
        ("yes", json!(true)),
        ("on", json!(true)),
        ("y", json!(true)),
        ("n", json!(false)),
        ("OFF", json!(false)),
        ("TRUE", json!(true)),
        ("tRue", json!("tRue")),
        ("'on'", json!("on")),
        ("\"5\"", json!("5")),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("NULL", json!(null)),
        ("2001-12-14", json!("2001-12-14")),
        ("2001-12-14T21:59:43.10-05:00", json!("2001-12-14T21:59:43.10-05:00")),
        ("!!str 5", json!("5")),
        ("!!str ~", json!("~")),
        ("!!int \"5\"", json!(5)),
        ("!!float 5", json!(5)),
        ("!!float \"1e3\"", json!(1000)),
        ("!!bool \"yes\"", json!(true)),
        ("!!null \"\"", json!(null)),
        ("!!binary aGVsbG8=", json!("hello")),
        ("!foo bar", json!("bar")),
        ("!!map {}", json!({})),
        ("=", json!("=")),
        ("+", json!("+")),
        ("..", json!("..")),
        ("<<", json!("<<")),
    ] {
        assert_eq!(json_of(&format!("v: {text}\n")), Ok(json!({"v": expected})), "{text}");
    }
    for (text, because) in [
        (".inf", "json: unsupported value: +Inf"),
        (".nan", "json: unsupported value: NaN"),
        ("!!int 1e3", "yaml: cannot decode !!float `1e3` as a !!int"),
    ] {
        assert_eq!(json_of(&format!("v: {text}\n")), Err(because.to_owned()), "{text}");
    }
}

#[test]
fn keys_are_texts() {
    let keys = "on: 1\n010: 2\n1.50: 3\n0x10: 4\nno: 5\n\"010\": 6\n1e3: 7\n";
    let expected = json!({"true": 1, "8": 2, "1.5": 3, "16": 4, "false": 5, "010": 6, "1000": 7});
    assert_eq!(json_of(keys), Ok(expected));
    assert!(json_of("~: 1").is_err() && json_of("[a]: 1").is_err());
}

#[test]
fn the_first_document_is_read() {
    assert_eq!(json_of("a: 1\n---\nb: 2\n"), Ok(json!({"a": 1})));
    assert_eq!(json_of("---\n# nothing\n---\nb: 2\n"), Ok(json!(null)));
    assert_eq!(json_of(""), Ok(json!(null)));
    assert_eq!(json_of("# nothing\n"), Ok(json!(null)));
    assert_eq!(read_all("a: 1\n---\n---\nb: 2\n"), Ok(vec![json!({"a": 1}), json!(null), json!({"b": 2})]));
}

#[test]
fn a_merge_overwrites_what_is_before_it() {
    let text = "base: &b {x: 1, z: 2}\nafter: {x: 9, <<: *b}\nbefore: {<<: *b, x: 9}\n";
    let document = read(text).expect("it is YAML");
    assert_eq!(document.value["after"], json!({"x": 1, "z": 2}));
    assert_eq!(document.value["before"], json!({"x": 9, "z": 2}));
    let of_many = "v: {<<: [{a: 1}, {a: 2, b: 2}]}";
    assert_eq!(json_of(of_many), Ok(json!({"v": {"a": 1, "b": 2}})));
    assert!(json_of("v: {<<: 1}").is_err());
}

#[test]
fn keys_that_are_set_twice_are_told() {
    let document = read("a: 1\nb: 2\na: 3\n1: x\n1: z\n").expect("it is YAML");
    assert_eq!(document.value, json!({"a": 3, "b": 2, "1": "z"}));
    assert_eq!(document.twice, ["line 3: key \"a\" already set in map", "line 5: key 1 already set in map"]);
}

/// Fails, by taking all memory, if aliases are not counted.
#[test]
fn aliases_of_aliases_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    assert_eq!(json_of(&text), Err("yaml: document contains excessive aliasing".to_owned()));
    assert_eq!(json_of("a: &a [1]\nb: *a\n"), Ok(json!({"a": [1], "b": [1]})));
    assert!(json_of("a: &a [*a]\n").is_err());
    assert!(json_of(&"[".repeat(5_000)).is_err());
}
