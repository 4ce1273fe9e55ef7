//! Decoded objects and errors, compared with the answers of a kube-apiserver 1.36.

use serde_json::json;

use super::*;
use crate::StructuralSchema;

fn read(group: &str, kind: &str, text: &str) -> (Value, DecodeErrors) {
    let schema = Schema::named(group, "v1", kind).expect("built in");
    decode(Some(schema), &mut serde_json::Deserializer::from_str(text)).expect("JSON")
}

/// FV-T5.
#[test]
fn what_has_the_wrong_type_is_told_in_go_s_words() {
    let field = "json: cannot unmarshal";
    for (spec, because) in [
        (
            r#""nodeName": 3"#,
            format!("{field} number into Go struct field PodSpec.spec.nodeName of type string"),
        ),
        (
            r#""nodeName": true"#,
            format!("{field} bool into Go struct field PodSpec.spec.nodeName of type string"),
        ),
        (
            r#""nodeName": {}"#,
            format!("{field} object into Go struct field PodSpec.spec.nodeName of type string"),
        ),
        (
            r#""nodeName": []"#,
            format!("{field} array into Go struct field PodSpec.spec.nodeName of type string"),
        ),
        (
            r#""nodeSelector": []"#,
            format!("{field} array into Go struct field PodSpec.spec.nodeSelector of type map[string]string"),
        ),
        (
            r#""nodeSelector": {"a": 3}"#,
            format!("{field} number into Go struct field PodSpec.spec.nodeSelector of type string"),
        ),
        (
            r#""volumes": {}"#,
            format!("{field} object into Go struct field PodSpec.spec.volumes of type []v1.Volume"),
        ),
        (
            r#""volumes": [3]"#,
            format!("{field} number into Go struct field PodSpec.spec.volumes of type v1.Volume"),
        ),
        (
            r#""terminationGracePeriodSeconds": 1.5"#,
            format!(
                "{field} number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64"
            ),
        ),
        (
            r#""priority": 99999999999"#,
            format!("{field} number 99999999999 into Go struct field PodSpec.spec.priority of type int32"),
        ),
        (
            r#""hostNetwork": "x""#,
            format!("{field} string into Go struct field PodSpec.spec.hostNetwork of type bool"),
        ),
        (
            r#""containers": [{"ports": [{"containerPort": "x"}]}]"#,
            format!(
                "{field} string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"
            ),
        ),
        (
            r#""containers": [{"resources": 3}]"#,
            format!(
                "{field} number into Go struct field Container.spec.containers.resources of type v1.ResourceRequirements"
            ),
        ),
        (
            r#""containers": [{"resources": {"limits": {"cpu": "x"}}}]"#,
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                .to_owned(),
        ),
    ] {
        let (_, complaints) = read("", "Pod", &format!(r#"{{"spec": {{{spec}}}}}"#));
        assert_eq!(complaints.mistyped, Some(because), "{spec}");
    }
    let (_, complaints) = read("", "Pod", r#"{"spec": []}"#);
    let because = "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec";
    assert_eq!(complaints.mistyped.as_deref(), Some(because));
    let (_, complaints) = read("", "Secret", r#"{"data": {"a": 3}}"#);
    let because = "json: cannot unmarshal number into Go struct field Secret.data of type []uint8";
    assert_eq!(complaints.mistyped.as_deref(), Some(because));
    let (_, complaints) = read("", "Pod", r#"{"metadata": {"creationTimestamp": 3}}"#);
    let because = "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string";
    assert_eq!(complaints.mistyped.as_deref(), Some(because));
}

#[test]
fn undeclared_and_repeated_fields_are_told_where_they_stand_and_left_out() {
    let text = r#"{"metadata":{"name":"x"},"spec":{"foo":{"a":1,"a":2},"containers":[
        {"name":"a","image":"b","bar":1,"env":[{"name":"x","name":"y","z":3}]},
        {"name":"c","image":"d","resources":{"limits":{"cpu":"1","cpu":"2"},"q":1}}]}}"#;
    let (pod, complaints) = read("", "Pod", text);
    let expected = [
        r#"unknown field "spec.foo""#,
        r#"unknown field "spec.containers[0].bar""#,
        r#"duplicate field "spec.containers[0].env[0].name""#,
        r#"unknown field "spec.containers[0].env[0].z""#,
        r#"duplicate field "spec.containers[1].resources.limits.cpu""#,
        r#"unknown field "spec.containers[1].resources.q""#,
    ];
    assert_eq!((complaints.mistyped, complaints.strict), (None, expected.map(str::to_owned).to_vec()));
    assert_eq!(
        pod["spec"],
        json!({"containers": [
            {"name": "a", "image": "b", "env": [{"name": "y"}]},
            {"name": "c", "image": "d", "resources": {"limits": {"cpu": "2"}}},
        ]})
    );
}

/// FV-T6.
#[test]
fn nulls_and_empty_lists_are_what_go_makes_of_them() {
    let (map, _) = read(
        "",
        "ConfigMap",
        r#"{"data":{"a":null,"b":"x"},"binaryData":null,"immutable":null,"metadata":{"labels":{},"finalizers":[]}}"#,
    );
    assert_eq!(map, json!({"data": {"a": "", "b": "x"}, "metadata": {}}));
    let (pod, _) = read(
        "",
        "Pod",
        r#"{"spec":{"containers":[],"volumes":[],"securityContext":{}},"status":{"conditions":[{"type":"a","lastProbeTime":null}]}}"#,
    );
    assert_eq!(
        pod,
        json!({
            "spec": {"containers": [], "securityContext": {}},
            "status": {"conditions": [{"type": "a", "lastProbeTime": null}]},
        })
    );
}

#[test]
fn quantities_may_be_numbers() {
    let (pod, complaints) =
        read("", "Pod", r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":2,"x":0.5}}}]}}"#);
    assert_eq!(complaints, DecodeErrors::default());
    assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"], json!({"cpu": "2", "x": "500m"}));
}

fn foos() -> StructuralSchema {
    StructuralSchema::new(json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer"},
            "nul": {"type": "string", "nullable": true},
            "by": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}},
            "map": {"type": "object", "additionalProperties": {"type": "integer"}},
            "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                "properties": {"known": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
            "emb": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        }},
    }}))
}

fn read_foo(text: &str) -> (Value, DecodeErrors) {
    decode(Some(foos().schema()), &mut serde_json::Deserializer::from_str(text)).expect("JSON")
}

/// FV-T4.
#[test]
fn a_custom_object_loses_what_its_definition_does_not_declare() {
    let text = r#"{"metadata":{"name":"a","foo":1,"name":"a"},"spec":{"size":1,"foo":1,"size":1,
        "by":[{"k":"a","z":1}],"open":{"z":{"q":1},"known":{"a":1,"b":2}},"map":{"a":1}},"x":{"q":1,"q":2}}"#;
    let (foo, complaints) = read_foo(text);
    let expected = [
        r#"duplicate field "metadata.name""#,
        r#"duplicate field "spec.size""#,
        r#"duplicate field "x.q""#,
        r#"unknown field "metadata.foo""#,
        r#"unknown field "spec.by[0].z""#,
        r#"unknown field "spec.foo""#,
        r#"unknown field "spec.open.known.b""#,
        r#"unknown field "x""#,
    ];
    assert_eq!((complaints.mistyped, complaints.strict), (None, expected.map(str::to_owned).to_vec()));
    assert_eq!(
        foo,
        json!({
            "metadata": {"name": "a"},
            "spec": {"size": 1, "by": [{"k": "a"}], "open": {"z": {"q": 1}, "known": {"a": 1}}, "map": {"a": 1}},
        })
    );
    // Where a list is wanted, nothing of an object is declared.
    let (foo, complaints) = read_foo(r#"{"spec": {"by": {"k": "a"}, "size": {"z": 1}}}"#);
    assert_eq!(complaints.strict, [r#"unknown field "spec.by.k""#, r#"unknown field "spec.size.z""#]);
    assert_eq!(foo, json!({"spec": {"by": {}, "size": {}}}));
    let (foo, _) = read_foo(r#"{"spec": {"size": null, "nul": null, "by": [null], "map": {}}}"#);
    assert_eq!(foo, json!({"spec": {"nul": null, "by": [null], "map": {}}}));
}

/// FV-T4.
#[test]
fn the_type_of_an_embedded_object_is_text() {
    let (_, complaints) = read_foo(r#"{"spec": {"emb": {"kind": {"a": 1}, "apiVersion": "v1"}}}"#);
    let because = r#"spec.emb.kind: Invalid value: {"a":1}: must be a string"#;
    assert_eq!(complaints.mistyped.as_deref(), Some(because));
}

/// FV-T4.
#[test]
fn a_custom_object_s_metadata_is_read_into_go_s_struct_and_the_rest_is_not() {
    let (_, complaints) = read_foo(r#"{"spec": {"size": "x"}, "metadata": {"labels": 3}}"#);
    let because =
        "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type map[string]string";
    assert_eq!(complaints.mistyped.as_deref(), Some(because));
    let (foo, complaints) =
        read_foo(r#"{"spec": {"size": "x", "emb": {"apiVersion": "v1", "metadata": {"foo": 1}, "x": 2}}}"#);
    assert_eq!(complaints.mistyped, None);
    assert_eq!(complaints.strict, [r#"unknown field "spec.emb.metadata.foo""#]);
    assert_eq!(foo["spec"]["emb"], json!({"apiVersion": "v1", "metadata": {}, "x": 2}));
}

#[test]
fn a_hundred_thousand_finalizers_and_names_of_any_sort_are_read() {
    let many: Vec<String> = (0..100_000).map(|n| format!("\"example.com/{n}\"")).collect();
    let (map, _) =
        read("", "ConfigMap", &format!(r#"{{"metadata": {{"finalizers": [{}]}}}}"#, many.join(",")));
    assert_eq!(map["metadata"]["finalizers"].as_array().map(Vec::len), Some(100_000));
    let (_, complaints) = read("", "ConfigMap", r#"{"": 1, "\u0000é\"": 2, "data": {"": ""}}"#);
    assert_eq!(complaints.strict.len(), 2);
}

/// A hundred times deeper than any object: what a parser cannot follow is refused, and nothing overflows.
#[test]
fn deep_nesting_is_refused_or_read_and_no_panic() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for depth in [100, 10_000] {
            let deep = format!(r#"{{"data": {}1{}}}"#, open.repeat(depth), close.repeat(depth));
            let schema = Schema::named("", "v1", "ConfigMap");
            let read = decode(schema, &mut serde_json::Deserializer::from_str(&deep));
            let is_refused = read.is_err() || read.is_ok_and(|(_, complaints)| complaints.mistyped.is_some());
            assert!(is_refused, "{depth}");
        }
    }
}
