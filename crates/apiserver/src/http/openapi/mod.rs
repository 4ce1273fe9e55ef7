//! OpenAPI: the types of all served kinds, and for each path what may be done there. kubectl explains kinds from it,
//! looks up merge keys, and finds out that the server validates fields.

mod declared;
mod paths;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};
use trimtab_schema::{
    Schema,
    openapi::{self, Schemas, Version},
};

use super::{
    discovery::group_versions,
    document::{GIT_VERSION, json_answer, typed},
};
use crate::registry::{Kind, Kinds};

/// The answer to a GET of `/openapi` and `rest`, if there is one.
pub(super) fn answer(kinds: &Kinds, rest: &[&str], accept: &str) -> Option<Response<Bytes>> {
    match *rest {
        ["v2"] if accept.contains("com.github.proto-openapi.spec.v2") => {
            // The `@v1.0` that kubectl accepts is no valid media type; upstream writes `.v1.0` as well.
            let document = wire::write(&whole(kinds));
            Some(typed("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", document))
        }
        ["v2"] => Some(json_answer(&whole(kinds))),
        ["v3"] => Some(json_answer(&index(kinds))),
        ["v3", "api", version] => document(kinds, "", version).as_ref().map(json_answer),
        ["v3", "apis", group, version] => document(kinds, group, version).as_ref().map(json_answer),
        _ => None,
    }
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": GIT_VERSION})
}

/// Where the documents are. Each address has a hash, which changes with the document.
fn index(kinds: &Kinds) -> Value {
    let all = kinds.all();
    let paths: Map<String, Value> = group_versions(&all)
        .into_iter()
        .map(|(group, version)| {
            let path = base(group, version);
            let url = format!("/openapi/v3/{path}?hash={}", hash(&of(&all, group, version)));
            (path, json!({ "serverRelativeURL": url }))
        })
        .collect();
    json!({ "paths": paths })
}

/// Hashes the sources of a document, and not the document: built-in types are always the same.
fn hash(kinds: &[&Kind]) -> String {
    let mut hasher = Sha512::new();
    hasher.update(GIT_VERSION);
    for kind in kinds {
        let declared = kind.schema.as_ref().map(|declared| declared.source().to_string());
        for text in [&kind.plural, &kind.kind, &format!("{:?}{:?}{declared:?}", kind.scale, kind.status)] {
            hasher.update(text);
            hasher.update([0]);
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `api/v1`, `apis/apps/v1`.
fn base(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// The kinds of a group version.
fn of<'a>(all: &'a [Arc<Kind>], group: &str, version: &str) -> Vec<&'a Kind> {
    all.iter().map(|kind| &**kind).filter(|kind| kind.group == group && kind.version == version).collect()
}

/// Returns the document of one group version; `None` if it is not served.
fn document(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let all = kinds.all();
    let kinds = of(&all, group, version);
    if kinds.is_empty() {
        return None;
    }
    let mut schemas = Schemas::new(Version::V3);
    let mut paths = Map::new();
    for kind in kinds {
        let object = add(&mut schemas, kind);
        paths::add(kind, &base(group, version), &object, &mut schemas, &mut paths);
    }
    Some(
        json!({"openapi": "3.0.0", "info": info(), "paths": paths, "components": {"schemas": schemas.finish()}}),
    )
}

/// All types in one document, as clients of OpenAPI v2 want them. Paths are left to v3.
fn whole(kinds: &Kinds) -> Value {
    let mut schemas = Schemas::new(Version::V2);
    schemas.add_all();
    for kind in kinds.all().iter().filter(|kind| kind.schema.is_some()) {
        add(&mut schemas, kind);
    }
    json!({"swagger": "2.0", "info": info(), "paths": {}, "definitions": schemas.finish()})
}

/// A kind's types.
#[derive(Debug)]
struct References {
    object: Value,
    list: Value,
}

fn add(schemas: &mut Schemas, kind: &Kind) -> References {
    let anything = || json!({"type": "object"});
    let Some(declared) = &kind.schema else {
        return References {
            object: schemas.add(kind.structure()).unwrap_or_else(anything),
            list: schemas
                .add(Schema::named(&kind.group, &kind.version, &kind.list_kind))
                .unwrap_or_else(anything),
        };
    };
    let mut named = |name: &str| schemas.add_named(name).unwrap_or_else(anything);
    let metadata = named(openapi::METADATA);
    let list_metadata = named("apimachinery.pkg.apis.meta.v1.ListMeta");
    let gvk = |kind_name: &str| json!([{"group": kind.group, "version": kind.version, "kind": kind_name}]);
    let metadata = openapi::metadata_field(schemas.version(), metadata);
    let mut schema = declared::object(declared.source(), schemas.version(), &metadata);
    schema["x-kubernetes-group-version-kind"] = gvk(&kind.kind);
    let object = schemas.insert(&schema_name(kind, &kind.kind), schema);
    let list = json!({
        "type": "object", "required": ["items"], "x-kubernetes-group-version-kind": gvk(&kind.list_kind),
        "properties": {
            "apiVersion": declared::api_version(), "kind": declared::kind(), "metadata": list_metadata, "items": {"type": "array", "items": object},
        },
    });
    let list = schemas.insert(&schema_name(kind, &kind.list_kind), list);
    References { object, list }
}

/// The group's labels in reverse, as upstream names custom kinds: `com.example.v1.Foo`.
fn schema_name(kind: &Kind, name: &str) -> String {
    let mut parts: Vec<&str> = kind.group.rsplit('.').collect();
    parts.extend([kind.version.as_str(), name]);
    parts.join(".")
}

#[cfg(test)]
mod tests;
