//! Paths and what client-go's `util/jsonpath` finds with them, as a program around it answered.

use serde_json::json;

use super::*;

fn object() -> Value {
    json!({
        "metadata": {"labels": {"a.b/c": "x"}, "name": "n"},
        "spec": {
            "hosts": [{"name": "p", "p": 1}, {"name": "q", "p": 5, "q": true}, {"name": "r", "p": 7}],
            "n": 3, "f": 1.5, "big": 1_234_567.5, "null": null, "text": "a<b",
            "http": [{"match": {"hosts": ["a", "b"]}}, {"match": {"hosts": ["c"]}}, {"other": 1}],
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
    })
}

#[test]
fn paths_of_printer_columns_find_their_values() {
    let object = object();
    for (path, expected) in [
        (".spec.n", Some(json!([3]))),
        ("$.spec.n", Some(json!([3]))),
        (".spec.hosts[*].name", Some(json!(["p", "q", "r"]))),
        (".spec.hosts[-1].name", Some(json!(["r"]))),
        (".spec.hosts[-1:].name", Some(json!(["r"]))),
        (".spec.hosts[0:2].name", Some(json!(["p", "q"]))),
        (".spec.hosts[:2].name", Some(json!(["p", "q"]))),
        (".spec.hosts[1:].name", Some(json!(["q", "r"]))),
        (".spec.hosts[::2].name", Some(json!(["p", "r"]))),
        (".spec.hosts[0:3:0].name", None),
        (".spec.hosts[0,2].name", Some(json!(["p", "r"]))),
        (".spec.hosts[0, -1].name", Some(json!(["p", "r"]))),
        (".spec.hosts[].name", Some(json!(["p"]))),
        (".spec.hosts[3].name", None),
        (".spec.hosts[-4].name", None),
        (".spec.hosts[2:2].name", Some(json!([]))),
        (".spec.hosts.name", Some(json!([]))),
        (".spec.n[0]", None),
        (".spec.null", Some(json!([null]))),
        (".spec.null.deeper", Some(json!([]))),
        (".spec.http[*].match.hosts", Some(json!([["a", "b"], ["c"]]))),
        (".spec.http[].match.hosts", Some(json!([["a", "b"]]))),
        ("..hosts", Some(json!([object["spec"]["hosts"], ["a", "b"], ["c"]]))),
        ("..match.hosts", Some(json!([["a", "b"], ["c"]]))),
        (".spec.hosts[?(@.p>2)].name", Some(json!(["q", "r"]))),
        (".spec.hosts[?(@.p<=5)].name", Some(json!(["p", "q"]))),
        (".spec.hosts[?(@.q)].name", Some(json!(["q"]))),
        (".spec.hosts[?(@.q==true)].name", Some(json!(["q"]))),
        (".spec.hosts[?(@.p==1.0)].name", None),
        (".spec.hosts[?(@.name==\"q\")].p", Some(json!([5]))),
        (".spec.hosts[?(@.name!='q')].p", Some(json!([1, 7]))),
        (".metadata[?(@.name)]", None),
        (".metadata.labels.a\\.b/c", Some(json!(["x"]))),
        (".metadata.labels['a\\.b/c']", Some(json!(["x"]))),
        (".metadata.labels['a.b/c']", Some(json!([]))),
        (".metadata['name']", Some(json!(["n"]))),
        (".metadata.*", Some(json!([{"a.b/c": "x"}, "n"]))),
        (".status.conditions[?(@.type==\"Ready\")].status", Some(json!(["True"]))),
        (".spec.absent.deeper", Some(json!([]))),
        (".", Some(json!([]))),
        (".spec .n", Some(json!([3]))),
    ] {
        let read = Path::parse(path).unwrap_or_else(|| panic!("{path} is a path"));
        let found = read.all(&object).map(|found| found.into_iter().map(Cow::into_owned).collect::<Value>());
        assert_eq!(found, expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_told_apart() {
    for path in [
        ".a[",
        ".a[x]",
        ".a[?(x]",
        "....a",
        ".a[?(@.b==\"c)]",
        ".a[\"b\"]",
        ".a[+1]",
        ".a[1:2:3:4]",
        ".a[?(@.b=~'q')]",
        ".a#",
    ] {
        let is_field_with_sign = path == ".a#";
        assert_eq!(Path::parse(path).is_some(), is_field_with_sign, "{path}");
    }
}

#[test]
fn values_are_printed_as_go_prints_them() {
    let object = object();
    for (path, expected) in [
        (".spec.null", "<no value>"),
        (".spec.f", "1.5"),
        (".spec.big", "1.2345675e+06"),
        (".spec.n", "3"),
        (".spec.text", "a<b"),
        (".spec.hosts[0]", r#"{"name":"p","p":1}"#),
        (".spec.http[0].match.hosts", r#"["a","b"]"#),
    ] {
        let found = Path::parse(path).and_then(|read| read.first(&object).map(|value| printed(&value)));
        assert_eq!(found.as_deref(), Some(expected), "{path}");
    }
}
