//! Server-side apply through the public API: conflicts, force, errors, versions and references.

use std::sync::OnceLock;

use serde_json::{Value, json};
use trimtab_managed_fields::{
    ApplyError, ListType, ManagedFields, OneVersion, Operation, Paths, Scalar, Type, TypeDef, Unowned,
    Versions, Writer,
};

fn app() -> TypeDef {
    TypeDef::from_openapi(&json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "image": {"type": "string"},
            "replicas": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "ports": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                "items": {"type": "object", "properties": {
                    "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": {"type": "string"},
                }},
            },
        }},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }}))
}

fn config(spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "App", "metadata": {"name": "a"}, "spec": spec})
}

fn paths(object: &Value, manager: &str) -> Vec<String> {
    let managed = ManagedFields::decode(&object["metadata"]["managedFields"]).expect("well formed");
    let entry = managed.entries().iter().find(|entry| entry.manager == manager);
    entry.map(|entry| entry.fields.paths()).unwrap_or_default()
}

#[test]
fn items_are_identified_by_their_keys_and_defaults() {
    let def = app();
    let versions = OneVersion::new("example.com/v1", Type::of_document(&def));
    let one = Writer::new(&versions, "one");
    let first = config(&json!({"ports": [{"port": 80, "name": "http"}], "tags": ["a"]}));
    let live = one.apply_object(None, &first, false).expect("nothing is there");
    let other = config(&json!({"ports": [{"port": 80, "protocol": "UDP"}], "tags": ["b"]}));
    let live = Writer::new(&versions, "other").apply_object(Some(&live), &other, false).expect("other items");
    assert_eq!(live["spec"]["tags"], json!(["a", "b"]));
    assert_eq!(live["spec"]["ports"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        paths(&live, "one"),
        [
            r#".spec.ports[port=80,protocol="TCP"]"#,
            r#".spec.ports[port=80,protocol="TCP"].name"#,
            r#".spec.ports[port=80,protocol="TCP"].port"#,
            r#".spec.tags[="a"]"#,
        ]
    );
}

#[test]
fn a_conflict_names_the_managers_and_force_takes_the_fields() {
    let def = app();
    let versions = OneVersion::new("example.com/v1", Type::of_document(&def));
    let mut object = config(&json!({"image": "app:1", "replicas": 1}));
    let stored = Writer::new(&versions, "editor").subresource("scale").create(&mut object);
    let one = Writer::new(&versions, "one");
    let wanted = config(&json!({"image": "app:2", "replicas": 2}));
    let error = one.apply(&object, stored.as_deref(), &wanted, false).expect_err("a conflict");
    let expected = "Apply failed with 2 conflicts: conflicts with \"editor\" with subresource \"scale\" using \
                    example.com/v1:\n- .spec.image\n- .spec.replicas";
    assert_eq!(error.to_string(), expected);
    let ApplyError::Conflicts(conflicts) = error else { panic!("a conflict") };
    assert_eq!(conflicts.managers().map(|(_, paths)| paths.len()).sum::<usize>(), 2);

    let (object, managers) = one.apply(&object, stored.as_deref(), &wanted, true).expect("it is forced");
    assert_eq!(object["spec"], wanted["spec"]);
    let managed = ManagedFields::stored(managers.as_deref());
    let [applier, editor] = managed.entries() else { panic!("two managers: {managed:?}") };
    assert_eq!((applier.manager.as_str(), applier.operation), ("one", Operation::Apply));
    assert_eq!(applier.fields.paths(), [".spec.image", ".spec.replicas"]);
    assert_eq!(editor.fields.paths(), [".spec"], "the editor still has the object around them");
}

#[test]
fn configurations_that_do_not_fit_are_refused_with_upstream_s_errors() {
    let def = app();
    let versions = OneVersion::new("example.com/v1", Type::of_document(&def));
    let one = Writer::new(&versions, "one");
    let refused =
        |spec: &Value| one.apply_object(None, &config(spec), false).expect_err("invalid").to_string();
    assert_eq!(refused(&json!({"colour": "red"})), ".spec.colour: field not declared in schema");
    assert_eq!(
        refused(&json!({"replicas": "1"})),
        ".spec.replicas: expected numeric (int or float), got string"
    );
    let twice = refused(&json!({"tags": ["a", "a"], "image": 1}));
    assert!(
        twice.starts_with("errors:\n  ") && twice.contains("duplicate entries for key [=\"a\"]"),
        "{twice}"
    );
    let mut config = config(&json!({}));
    config["metadata"]["managedFields"] = json!([]);
    assert_eq!(one.apply_object(None, &config, false), Err(ApplyError::ManagedFields));
}

#[test]
fn unowned_fields_have_no_manager() {
    let def = app();
    let versions = OneVersion::new("example.com/v1", Type::of_document(&def));
    let reset: Paths<'_> = &[&["status"]];
    let unowned = Unowned { reset, admitted: &[&["spec", "replicas"]] };
    let one = Writer::new(&versions, "one").unowned(unowned).time("2026-01-02T03:04:05Z");
    let mut object = config(&json!({"image": "app:1", "replicas": 1}));
    object["status"] = json!({"phase": "Running"});
    let managed = ManagedFields::stored(one.create(&mut object).as_deref());
    let [entry] = managed.entries() else { panic!("one manager: {managed:?}") };
    assert_eq!(entry.fields.paths(), [".spec", ".spec.image"]);
    assert_eq!(entry.time.as_deref(), Some("2026-01-02T03:04:05Z"));
}

/// A kind whose version v1 calls `size` what v2 calls `replicas`.
struct TwoVersions {
    defs: [TypeDef; 2],
}

impl Versions for TwoVersions {
    type Version = usize;

    fn current(&self) -> &usize {
        &1
    }

    fn find(&self, api_version: &str) -> Option<usize> {
        ["example.com/v1", "example.com/v2"].iter().position(|known| *known == api_version)
    }

    fn api_version(&self, version: &usize) -> String {
        format!("example.com/v{}", version + 1)
    }

    fn type_of<'v>(&'v self, version: &'v usize) -> Type<'v> {
        Type::of_document(&self.defs[*version])
    }

    fn convert(&self, from: &usize, to: &usize, object: &Value) -> Value {
        let names = ["size", "replicas"];
        let mut converted = object.clone();
        if let Some(value) = converted.as_object_mut().and_then(|fields| fields.remove(names[*from])) {
            converted[names[*to]] = value;
        }
        converted
    }
}

#[test]
fn fields_are_compared_in_the_version_of_their_manager() {
    let number = || TypeDef::scalar(Scalar::Number);
    let def = |name: &str| {
        let metadata = TypeDef::object_meta();
        TypeDef::object().with_field("metadata", metadata).with_field(name, number())
    };
    let versions = TwoVersions { defs: [def("size"), def("replicas")] };
    let old = OneVersion::new("example.com/v1", Type::of_document(&versions.defs[0]));
    let live = Writer::new(&old, "old").apply_object(None, &json!({"metadata": {}, "size": 1}), false);
    let live = versions.convert(&0, &1, &live.expect("nothing is there"));

    let new = Writer::new(&versions, "new");
    let error = new.apply_object(Some(&live), &json!({"metadata": {}, "replicas": 2}), false);
    let error = error.expect_err("the manager of another version has the field").to_string();
    assert_eq!(error, r#"Apply failed with 1 conflict: conflict with "old": .size"#);
    let same = new
        .apply_object(Some(&live), &json!({"metadata": {}, "replicas": 1}), false)
        .expect("the same value");
    assert_eq!(paths(&same, "new"), [".replicas"]);
    assert_eq!(paths(&same, "old"), [".size"]);
}

/// A tree: each node has nodes.
fn tree(_: usize) -> &'static TypeDef {
    static TREE: OnceLock<TypeDef> = OnceLock::new();
    TREE.get_or_init(|| {
        let keys = ListType::Map(vec!["name".to_owned()]);
        let nodes = TypeDef::list(TypeDef::reference(0, tree), Some(keys));
        TypeDef::object()
            .with_field("metadata", TypeDef::object_meta())
            .with_field("name", TypeDef::scalar(Scalar::String))
            .with_field("nodes", nodes)
    })
}

#[test]
fn types_can_refer_to_themselves() {
    let versions = OneVersion::new("v1", Type::of_document(tree(0)));
    let node = |name: &str, nodes: Value| json!({"name": name, "nodes": nodes});
    let ours = json!({"metadata": {}, "nodes": [node("a", json!([node("b", json!([]))]))]});
    let theirs = json!({"metadata": {}, "nodes": [node("a", json!([node("c", json!([]))]))]});
    let live = Writer::new(&versions, "one").apply_object(None, &ours, false).expect("nothing is there");
    let live = Writer::new(&versions, "two").apply_object(Some(&live), &theirs, false).expect("another node");
    assert_eq!(live["nodes"][0]["nodes"].as_array().map(Vec::len), Some(2));
    assert!(format!("{versions:?}").len() < 10_000, "a recursive type prints its references");
}

#[test]
fn lists_of_clients_are_decoded_or_refused() {
    let entry = json!({"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {}}});
    let managed = ManagedFields::decode(&json!([entry, entry])).expect("well formed");
    assert_eq!(managed.entries().len(), 1, "one manager has one entry");
    let text = managed.clone().to_text();
    assert_eq!(ManagedFields::stored(text.as_deref()), managed);
    for malformed in [
        json!([{"manager": "m", "operation": "Guess", "apiVersion": "v1", "fieldsType": "FieldsV1"}]),
        json!([{"manager": "m", "operation": "Apply", "fieldsType": "FieldsV1"}]),
        json!([{"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"x": {}}}]),
    ] {
        let error = ManagedFields::decode(&malformed).expect_err("malformed");
        assert!(error.to_string().contains("FieldsV1"), "{error}");
    }
}
