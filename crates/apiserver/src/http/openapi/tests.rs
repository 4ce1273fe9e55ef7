//! The parts of the documents that kubectl reads.

use http::header;
use trimtab_schema::StructuralSchema;

use super::*;

fn json_of(kinds: &Kinds, rest: &[&str]) -> Value {
    let answer = answer(kinds, rest, "application/json").expect("a document");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// `kubectl apply` looks for `fieldValidation` in a PATCH of the kind, to know whether the server validates.
#[test]
fn every_kind_has_a_patch_with_field_validation() {
    let kinds = Kinds::built_in();
    let index = json_of(&kinds, &["v3"]);
    let url = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().expect("a URL");
    assert!(url.starts_with("/openapi/v3/apis/apps/v1?hash="), "{url}");
    let apps = json_of(&kinds, &["v3", "apis", "apps", "v1"]);
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "Deployment");
    let parameters = patch["parameters"].as_array().expect("parameters");
    assert!(parameters.iter().any(|parameter| parameter["name"] == "fieldValidation"));
    let core = json_of(&kinds, &["v3", "api", "v1"]);
    assert!(core["paths"].get("/api/v1/namespaces/{name}").is_some());
    assert!(answer(&kinds, &["v3", "apis", "nope", "v1"], "").is_none());
}

/// Every reference, wherever it is, and the names of what the document has.
fn check_references(document: &Value, schemas: &Value, prefix: &str) -> usize {
    match document {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map_or(0, |reference| {
                let name = reference.strip_prefix(prefix).expect("the prefix");
                assert!(schemas.get(name).is_some(), "{name} is referred to, and not there");
                1
            });
            own + fields.values().map(|value| check_references(value, schemas, prefix)).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(|value| check_references(value, schemas, prefix)).sum(),
        _ => 0,
    }
}

#[test]
fn each_document_has_all_that_it_refers_to_and_operations_with_names_of_their_own() {
    let kinds = Kinds::built_in();
    let all = kinds.all();
    for (group, version) in group_versions(&all) {
        let document = document(&kinds, group, version).expect("served");
        let schemas = &document["components"]["schemas"];
        assert!(check_references(&document, schemas, "#/components/schemas/") > 3, "{group}/{version}");
        let paths = document["paths"].as_object().expect("paths").values();
        let operations = paths.flat_map(|path| path.as_object().expect("operations").values());
        let ids: Vec<&str> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{group}/{version}: {ids:?}");
    }
    let whole = json_of(&kinds, &["v2"]);
    assert!(check_references(&whole, &whole["definitions"], "#/definitions/") > 500);
}

/// Some generators of clients take an empty list for a mistake.
#[test]
fn an_operation_without_parameters_has_no_list_of_them() {
    let kinds = Kinds::built_in();
    let mut operations = 0;
    for (group, version) in group_versions(&kinds.all()) {
        let document = document(&kinds, group, version).expect("served");
        for (path, item) in document["paths"].as_object().expect("paths") {
            let own = item.as_object().expect("operations").values().filter(|value| value.is_object());
            for place in own.chain([item]) {
                let parameters = place.get("parameters").map(|list| list.as_array().map(Vec::len));
                assert!(!matches!(parameters, Some(None | Some(0))), "{path}: {parameters:?}");
                operations += 1;
            }
        }
    }
    assert!(operations > 500, "{operations}");
}

/// kubectl's own apply merges on the client, by these; the schemas are those of a kube-apiserver 1.36.
#[test]
fn the_types_of_built_in_kinds_say_how_their_lists_merge() {
    let core = json_of(&Kinds::built_in(), &["v3", "api", "v1"]);
    let schemas = &core["components"]["schemas"];
    let pod = &schemas["io.k8s.api.core.v1.Pod"];
    assert_eq!(
        pod["x-kubernetes-group-version-kind"],
        json!([{"group": "", "version": "v1", "kind": "Pod"}])
    );
    assert_eq!(
        pod["properties"]["spec"],
        json!({"default": {}, "allOf": [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]})
    );
    assert_eq!(
        schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"],
        json!({
            "type": "array", "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"},
            "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name",
        })
    );
    assert_eq!(schemas["io.k8s.api.core.v1.PodSpec"]["required"], json!(["containers"]));
    assert_eq!(
        schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"],
        json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
    );
    let patch =
        &core["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]["requestBody"]["content"];
    assert!(patch.get("application/strategic-merge-patch+json").is_some());
}

#[test]
fn a_custom_kind_s_schema_is_told_and_changes_the_hash_of_its_document() {
    let kinds = Kinds::built_in();
    let url = |kinds: &Kinds| json_of(kinds, &["v3"])["paths"]["apis/example.com/v1"].clone();
    let foo = |schema| Kind {
        schema: Some(Arc::new(StructuralSchema::new(schema))),
        ..Kind::plain("example.com", "v1", "Foo", "foos")
    };
    kinds.insert(foo(json!({"type": "object"})));
    let before = url(&kinds);
    kinds.insert(foo(json!({"type": "object", "properties": {"spec": {"description": "new"}}})));
    assert_ne!(before, url(&kinds));
    let document = json_of(&kinds, &["v3", "apis", "example.com", "v1"]);
    let foo = &document["components"]["schemas"]["com.example.v1.Foo"];
    assert_eq!(foo["properties"]["spec"]["description"], "new");
    let metadata = &foo["properties"]["metadata"];
    assert!(metadata["allOf"][0]["$ref"].is_string());
    assert!(
        metadata["description"].as_str().is_some_and(|text| text.starts_with("Standard object's metadata"))
    );
    let metadata = &document["components"]["schemas"]["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"];
    let created =
        metadata["properties"]["creationTimestamp"]["description"].as_str().expect("upstream's words");
    assert!(
        created.starts_with("CreationTimestamp is a timestamp representing the server time"),
        "{created}"
    );
    let path = &document["paths"]["/apis/example.com/v1/namespaces/{namespace}/foos/{name}"];
    assert!(path["patch"]["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());
    check_references(&document, &document["components"]["schemas"], "#/components/schemas/");
    let whole = json_of(&kinds, &["v2"]);
    assert!(whole["definitions"].get("com.example.v1.FooList").is_some());
}

/// kubectl 1.27 and 1.28 ask for `/openapi/v2` as protobuf, and fail without it. The `@` that they
/// send would be no media type in an answer.
#[test]
fn old_kubectls_get_their_protobuf() {
    let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = answer(&Kinds::built_in(), &["v2"], accept).expect("a document");
    assert!(answer.body().starts_with(b"\x0a\x032.0"));
    let says = |part: &[u8]| answer.body().windows(part.len()).any(|window| window == part);
    assert!(says(b"\x0a\x16io.k8s.api.core.v1.Pod\x12"));
    let content_type = answer.headers()[header::CONTENT_TYPE].to_str().expect("text");
    assert!(!content_type.contains('@'), "{content_type}");
}
