//! Patches and what a kube-apiserver 1.36 makes of them.

use serde_json::json;

use super::*;

fn carried_out(operations: &Value, mut document: Value) -> Option<Value> {
    let patch = JsonPatch::new(operations.as_array().expect("a list"), operations.to_string().as_bytes());
    patch.carry_out(&mut document).ok().map(|()| document)
}

/// The patch as text, so that the spelling of its values counts.
fn spelled(operations: &str, mut document: Value) -> Option<Value> {
    let values: Vec<Value> = serde_json::from_str(operations).expect("a list");
    JsonPatch::new(&values, operations.as_bytes()).carry_out(&mut document).ok().map(|()| document)
}

fn often(operations: &[Value], times: usize) -> Value {
    operations.iter().cycle().take(operations.len() * times).cloned().collect()
}

#[test]
fn what_is_missing_is_null() {
    for (operation, expected) in [
        (json!({"op": "test", "path": "/a/x", "value": null}), Some(json!({"a": {"b": 1}}))),
        (json!({"op": "test", "path": "/a/x"}), Some(json!({"a": {"b": 1}}))),
        (json!({"op": "test", "path": "/a/b"}), None),
        (json!({"op": "test", "path": "/x/y", "value": null}), None),
        (json!({"op": "add", "path": "/a/x"}), Some(json!({"a": {"b": 1, "x": null}}))),
        (json!({"op": "add", "path": "/x/y", "value": 1}), None),
        (json!({"op": "copy", "from": "/a/x", "path": "/a/y"}), Some(json!({"a": {"b": 1, "y": null}}))),
        (json!({"op": "move", "from": "/a/x", "path": "/a/y"}), None),
        (json!({"op": "remove", "path": "/a/x"}), None),
        (json!({"op": "replace", "path": "/a/x", "value": 2}), Some(json!({"a": {"b": 1, "x": 2}}))),
        (json!({"op": "replace", "path": "", "value": {}}), Some(json!({}))),
        (json!({"op": "replace", "path": "", "value": []}), Some(json!([]))),
        (json!({"op": "replace", "path": "", "value": 7}), None),
        (json!({"op": "add", "path": "", "value": {}}), None),
        (json!({"op": "remove", "path": ""}), None),
        (json!({"op": "copy", "from": "", "path": "/c"}), None),
        (json!({"op": "add", "path": "ignored/c", "value": 1}), Some(json!({"a": {"b": 1}, "c": 1}))),
        (json!({"op": "add", "path": "c", "value": 1}), None),
        (json!({"op": "nonsense", "path": "/a", "value": 1}), None),
        (json!({"op": "add", "value": 1}), None),
        (json!({"path": "/a", "value": 1}), None),
        (json!({"op": null, "path": "/a"}), None),
        (json!(null), None),
        (json!({"op": "test", "path": "", "value": {"a": {"b": 1}}}), Some(json!({"a": {"b": 1}}))),
    ] {
        assert_eq!(carried_out(&json!([operation]), json!({"a": {"b": 1}})), expected, "{operation}");
    }
}

#[test]
fn indexes_are_what_go_reads_as_numbers() {
    let with = |op: &str, index: &str| {
        let operation = json!([{"op": op, "path": format!("/l/{index}"), "value": 9}]);
        carried_out(&operation, json!({"l": [1, 2]})).map(|document| document["l"].clone())
    };
    for (op, index, expected) in [
        ("add", "-", Some(json!([1, 2, 9]))),
        ("add", "-1", Some(json!([1, 2, 9]))),
        ("add", "-3", Some(json!([9, 1, 2]))),
        ("add", "-4", None),
        ("add", "00", Some(json!([9, 1, 2]))),
        ("add", "+1", Some(json!([1, 9, 2]))),
        ("add", "2", Some(json!([1, 2, 9]))),
        ("add", "3", None),
        ("add", "", None),
        ("add", "1.0", None),
        ("replace", "-1", Some(json!([1, 9]))),
        ("replace", "-0", Some(json!([9, 2]))),
        ("replace", "2", None),
        ("replace", "-", None),
        ("remove", "-2", Some(json!([2]))),
        ("remove", "-3", None),
        ("remove", "2", None),
    ] {
        assert_eq!(with(op, index), expected, "{op} {index}");
    }
}

#[test]
fn tests_compare_texts() {
    let document = || json!({"t": "a<b", "n": 1.5, "i": 10, "l": [null, 1], "o": {"x": null, "y": [1]}});
    let test = |path: &str, value: &str| {
        spelled(&format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#), document()).is_some()
    };
    for (path, value, is_equal) in [
        ("/t", r#""a<b""#, false),
        ("/t", r#""a\u003cb""#, true),
        ("/t", r#""\u0061\u003cb""#, false),
        ("/n", "1.5", true),
        ("/n", "1.50", false),
        ("/i", "10", true),
        ("/i", "1e1", false),
        ("/i", "10.0", false),
        ("/l", "[null,1]", false),
        ("/o", r#"{"y": [1], "x": null}"#, true),
        ("/o", r#"{"y":[1]}"#, false),
        ("/o", "{}", false),
        ("/o", "null", false),
    ] {
        assert_eq!(test(path, value), is_equal, "{path} {value}");
    }
    let added = r#"[{"op":"add","path":"/t","value":"<"},{"op":"test","path":"/t","value":"<"}]"#;
    assert!(spelled(added, document()).is_some());
}

#[test]
fn a_merge_takes_nulls_out_of_what_it_sets() {
    for (document, patch, expected) in [
        (json!({"l": [1]}), json!({"l": [{"q": null}]}), json!({"l": [{}]})),
        (json!({}), json!({"x": {"a": [{"q": null, "r": 1}], "b": {"c": null, "d": [null]}}}), {
            json!({"x": {"a": [{"r": 1}], "b": {"d": [null]}}})
        }),
        (json!({"x": {"y": 1}}), json!({"x": [{"a": null}]}), json!({"x": [{"a": null}]})),
        (json!({"x": 1}), json!({"x": {"a": null}}), json!({"x": {}})),
        (json!({"x": {"y": 1}}), json!({"x": {"y": null}}), json!({"x": {}})),
        (json!({"x": null}), json!({"x": {"a": null, "b": 1}}), json!({"x": {"b": 1}})),
        (json!({"x": 1}), json!([{"a": null}, null]), json!([{}, null])),
    ] {
        let mut merged = document.clone();
        merge(&mut merged, &patch);
        assert_eq!(merged, expected, "{document} {patch}");
    }
}

/// Fails, by taking all memory, if what is copied is not counted.
#[test]
fn copies_of_copies_end_before_they_fill_the_memory() {
    let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
    let document = json!({"a": ["x".repeat(100)]});
    assert!(carried_out(&vec![double.clone(); 3].into(), document.clone()).is_some());
    assert_eq!(carried_out(&vec![double; 60].into(), document), None);
}

/// Fails, by a stack overflow, if how deep the document may be is not bounded.
#[test]
fn what_is_moved_into_itself_by_turns_does_not_become_too_deep() {
    let turn = [
        json!({"op": "add", "path": "/b", "value": {}}),
        json!({"op": "move", "from": "/a", "path": "/b/a"}),
        json!({"op": "move", "from": "/b", "path": "/a"}),
    ];
    assert!(carried_out(&often(&turn, 50), json!({"a": 1})).is_some());
    assert_eq!(carried_out(&often(&turn, 3_000), json!({"a": 1})), None);
    let up_and_down = [
        json!({"op": "move", "from": "/a", "path": "/b/a"}),
        json!({"op": "move", "from": "/b/a", "path": "/a"}),
    ];
    let document = json!({"a": 1, "b": {}});
    assert_eq!(carried_out(&often(&up_and_down, 3_000), document.clone()), Some(document));
}
