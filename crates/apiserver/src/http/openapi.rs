//! OpenAPI: as much as kubectl needs to know that the server validates fields itself. Custom kinds
//! come with the schema that they were declared with.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use super::{
    about::{GIT_VERSION, json_answer, typed},
    discovery::group_versions,
};
use crate::kinds::{Kind, Kinds};

/// A whole OpenAPI v2 document in the encoding that kubectl before 1.29 insists on: swagger "2.0", no more.
const V2_PROTOBUF: &[u8] = b"\x0a\x032.0";

/// The answer to a GET of `/openapi` and `rest`, if there is one.
pub(super) fn answer(kinds: &Kinds, rest: &[&str], accept: &str) -> Option<Response<Bytes>> {
    match *rest {
        ["v2"] if accept.contains("com.github.proto-openapi.spec.v2") => {
            // The `@v1.0` that kubectl accepts is no valid media type; upstream writes `.v1.0` as well.
            Some(typed("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", V2_PROTOBUF))
        }
        ["v2"] => Some(json_answer(&json!({"swagger": "2.0", "info": info(), "paths": {}}))),
        ["v3"] => Some(json_answer(&index(kinds))),
        ["v3", "api", version] => document(kinds, "", version).as_ref().map(json_answer),
        ["v3", "apis", group, version] => document(kinds, group, version).as_ref().map(json_answer),
        _ => None,
    }
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": GIT_VERSION})
}

fn index(kinds: &Kinds) -> Value {
    let all = kinds.all();
    let paths: Map<String, Value> = group_versions(&all)
        .into_iter()
        .map(|(group, version)| {
            let path = base(group, version);
            let mut hasher = DefaultHasher::new();
            document(kinds, group, version).hash(&mut hasher);
            let url = format!("/openapi/v3/{path}?hash={:016X}", hasher.finish());
            (path, json!({ "serverRelativeURL": url }))
        })
        .collect();
    json!({ "paths": paths })
}

/// `api/v1`, `apis/apps/v1`.
fn base(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// What is served in one group version; `None` if it is not.
fn document(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let all = kinds.all();
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for kind in all.iter().filter(|kind| kind.group == group && kind.version == version) {
        let collection = match kind.namespaced {
            true => format!("/{}/namespaces/{{namespace}}/{}", base(group, version), kind.plural),
            false => format!("/{}/{}", base(group, version), kind.plural),
        };
        paths.insert(format!("{collection}/{{name}}"), object_path(kind));
        paths.insert(collection, collection_path(kind));
        if let Some(schema) = &kind.schema {
            schemas.insert(schema_name(kind), custom_schema(kind, schema.source()));
        }
    }
    (!paths.is_empty()).then(
        || json!({"openapi": "3.0.0", "info": info(), "paths": paths, "components": {"schemas": schemas}}),
    )
}

fn collection_path(kind: &Kind) -> Value {
    json!({
        "get": operation(kind, "list", &[]),
        "post": operation(kind, "post", &["dryRun", "fieldManager", "fieldValidation"]),
    })
}

fn object_path(kind: &Kind) -> Value {
    let mut patch = operation(kind, "patch", &["dryRun", "fieldManager", "fieldValidation", "force"]);
    // Strategic merge is left out on purpose: kubectl would then look for its merge keys in the schema.
    let body = json!({"schema": {"type": "object"}});
    patch["requestBody"] = json!({"required": true, "content": {
        "application/apply-patch+yaml": body,
        "application/json-patch+json": body,
        "application/merge-patch+json": body,
    }});
    json!({
        "get": operation(kind, "get", &[]),
        "put": operation(kind, "put", &["dryRun", "fieldManager", "fieldValidation"]),
        "delete": operation(kind, "delete", &["dryRun"]),
        "patch": patch,
    })
}

fn operation(kind: &Kind, action: &str, parameters: &[&str]) -> Value {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| {
            let schema = json!({"type": if *name == "force" { "boolean" } else { "string" }});
            json!({"name": name, "in": "query", "schema": schema})
        })
        .collect();
    json!({
        "operationId": format!("{action}{}", kind.kind),
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(kind),
    })
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

/// The group's labels in reverse, as upstream names custom kinds: `com.example.v1.Foo`.
fn schema_name(kind: &Kind) -> String {
    let mut parts: Vec<&str> = kind.group.rsplit('.').collect();
    parts.extend([kind.version.as_str(), kind.kind.as_str()]);
    parts.join(".")
}

fn custom_schema(kind: &Kind, schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("x-kubernetes-group-version-kind".to_owned(), json!([gvk(kind)]));
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::header;

    use super::*;
    use crate::schema::Declared;

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

    #[test]
    fn a_custom_kind_s_schema_changes_the_hash_of_its_document() {
        let kinds = Kinds::built_in();
        let url = |kinds: &Kinds| json_of(kinds, &["v3"])["paths"]["apis/example.com/v1"].clone();
        let foo = |schema| Kind {
            schema: Some(Arc::new(Declared::new(schema))),
            ..Kind::plain("example.com", "v1", "Foo", "foos")
        };
        kinds.insert(foo(json!({"type": "object"})));
        let before = url(&kinds);
        kinds.insert(foo(json!({"type": "object", "description": "new"})));
        assert_ne!(before, url(&kinds));
        let schemas = json_of(&kinds, &["v3", "apis", "example.com", "v1"])["components"]["schemas"].clone();
        assert_eq!(schemas["com.example.v1.Foo"]["description"], "new");
    }

    /// kubectl 1.27 and 1.28 ask for `/openapi/v2` as protobuf, and fail without it. The `@` that they
    /// send would be no media type in an answer.
    #[test]
    fn old_kubectls_get_their_protobuf() {
        let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
        let answer = answer(&Kinds::built_in(), &["v2"], accept).expect("a document");
        assert_eq!(answer.body().len(), 5);
        let content_type = answer.headers()[header::CONTENT_TYPE].to_str().expect("text");
        assert!(!content_type.contains('@'), "{content_type}");
    }
}
