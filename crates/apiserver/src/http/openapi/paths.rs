//! The operations at each path of a kind.

use serde_json::{Map, Value, json};
use trimtab_schema::{Schema, openapi::Schemas};

use super::References;
use crate::registry::Kind;

const WRITES: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];
const LISTS: [&str; 10] = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const DELETES: [&str; 4] = ["dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"];

/// Adds the paths of a kind.
pub(super) fn add(
    kind: &Kind,
    base: &str,
    types: &References,
    schemas: &mut Schemas,
    paths: &mut Map<String, Value>,
) {
    let mut named = |name: &str| schemas.add_named(name).unwrap_or_else(|| json!({"type": "object"}));
    let patch = named("apimachinery.pkg.apis.meta.v1.Patch");
    let options = named("apimachinery.pkg.apis.meta.v1.DeleteOptions");
    let status = named("apimachinery.pkg.apis.meta.v1.Status");
    let place = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("/{base}{place}/{}", kind.plural);
    let can = |verb: &str| kind.verbs.contains(&verb);

    let at =
        Operations { kind, gvk: gvk(&kind.group, &kind.version, &kind.kind), scope: scope(kind), part: "" };
    let mut of_all = Map::new();
    let mut of_one = Map::new();
    if can("list") {
        of_all.insert("get".to_owned(), at.operation("list", "list", &LISTS, None, &types.list));
    }
    if can("create") {
        of_all.insert(
            "post".to_owned(),
            at.operation("post", "create", &WRITES, Some(&types.object), &types.object),
        );
    }
    if can("deletecollection") {
        let all = at.operation("deletecollection", "deleteCollection", &DELETES, Some(&options), &status);
        of_all.insert("delete".to_owned(), all);
    }
    if can("get") {
        of_one.insert("get".to_owned(), at.operation("get", "read", &[], None, &types.object));
    }
    if can("update") {
        of_one.insert(
            "put".to_owned(),
            at.operation("put", "replace", &WRITES, Some(&types.object), &types.object),
        );
    }
    if can("patch") {
        of_one.insert("patch".to_owned(), at.patch(&patch, &types.object));
    }
    if can("delete") {
        of_one
            .insert("delete".to_owned(), at.operation("delete", "delete", &DELETES, Some(&options), &status));
    }
    if kind.namespaced && can("list") {
        let everywhere = Operations { scope: "", ..at.clone() };
        let list = everywhere.operation("list", "listForAllNamespaces", &LISTS, None, &types.list);
        paths.insert(format!("/{base}/{}", kind.plural), json!({ "get": list }));
    }
    let one = format!("{collection}/{{name}}");
    if !of_one.is_empty() {
        paths.insert(one.clone(), with_parameters(of_one, kind, true));
    }
    paths.insert(collection, with_parameters(of_all, kind, false));

    let mut parts: Vec<(&str, Value, Value, &[&str])> = Vec::new();
    let rw: &[&str] = &["get", "patch", "update"];
    if kind.status {
        parts.push(("status", at.gvk.clone(), types.object.clone(), rw));
    }
    if kind.scale.is_some() {
        let scale = schemas.add(Schema::named("autoscaling", "v1", "Scale"));
        parts.push(("scale", gvk("autoscaling", "v1", "Scale"), scale.unwrap_or_default(), rw));
    }
    for part in kind.subresources {
        let (group, version) =
            if part.version.is_empty() { (&*kind.group, &*kind.version) } else { (part.group, part.version) };
        let reference = schemas.add(Schema::named(group, version, part.kind));
        let reference = reference.unwrap_or_else(|| json!({"type": "string"}));
        parts.push((part.name, gvk(group, version, part.kind), reference, part.verbs));
    }
    for (name, gvk, reference, verbs) in parts {
        let at = Operations { gvk, part: name, ..at.clone() };
        let mut operations = Map::new();
        for verb in verbs {
            let (method, operation) = match *verb {
                "get" => ("get", at.operation("get", "read", &[], None, &reference)),
                "update" => ("put", at.operation("put", "replace", &WRITES, Some(&reference), &reference)),
                "create" => ("post", at.operation("post", "create", &WRITES, Some(&reference), &reference)),
                "patch" => ("patch", at.patch(&patch, &reference)),
                _ => continue,
            };
            operations.insert(method.to_owned(), operation);
        }
        paths.insert(format!("{one}/{name}"), with_parameters(operations, kind, true));
    }
}

fn scope(kind: &Kind) -> &'static str {
    if kind.namespaced { "Namespaced" } else { "" }
}

fn gvk(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

/// The shared parts of the operations of one path.
#[derive(Clone)]
struct Operations<'a> {
    kind: &'a Kind,
    gvk: Value,
    scope: &'static str,
    /// The last part of a subresource's path.
    part: &'a str,
}

impl Operations<'_> {
    /// One operation: `action` is what Kubernetes calls it, `word` how its id begins.
    fn operation(
        &self,
        action: &str,
        word: &str,
        parameters: &[&str],
        body: Option<&Value>,
        answer: &Value,
    ) -> Value {
        let mut operation = json!({
            "operationId": self.id(word),
            "responses": {"200": {
                "description": "OK", "content": {"application/json": {"schema": answer}},
            }},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self.gvk,
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.iter().map(|name| parameter(name, "query")).collect();
        }
        if let Some(body) = body {
            let is_needed = !action.starts_with("delete");
            operation["requestBody"] = json!({"content": {"*/*": {"schema": body}}});
            if is_needed {
                operation["requestBody"]["required"] = true.into();
            }
        }
        operation
    }

    fn patch(&self, patch: &Value, answer: &Value) -> Value {
        let mut operation = self.operation(
            "patch",
            "patch",
            &["dryRun", "fieldManager", "fieldValidation", "force"],
            None,
            answer,
        );
        let mut forms = vec![
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
        ];
        if !self.kind.is_custom() {
            forms.push("application/strategic-merge-patch+json");
        }
        let content: Map<String, Value> =
            forms.into_iter().map(|form| (form.to_owned(), json!({ "schema": patch }))).collect();
        operation["requestBody"] = json!({"required": true, "content": content});
        operation
    }

    /// `patchAppsV1NamespacedDeploymentScale`: no two operations have the same.
    fn id(&self, word: &str) -> String {
        let group = self.kind.group.trim_end_matches(".k8s.io");
        let group = if group.is_empty() { "core" } else { group };
        let words = group.split('.').chain([&*self.kind.version]).map(capital).collect::<String>();
        format!("{word}{words}{}{}{}", self.scope, self.kind.kind, capital(self.part))
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A path's operations, with the parameters that stand in the path.
fn with_parameters(mut operations: Map<String, Value>, kind: &Kind, of_one: bool) -> Value {
    let names = [(of_one, "name"), (kind.namespaced, "namespace")];
    let parameters: Vec<Value> =
        names.iter().filter(|(is_there, _)| *is_there).map(|(_, name)| parameter(name, "path")).collect();
    if !parameters.is_empty() {
        operations.insert("parameters".to_owned(), parameters.into());
    }
    Value::Object(operations)
}

fn parameter(name: &str, place: &str) -> Value {
    let kind = match name {
        "force" | "watch" | "allowWatchBookmarks" | "sendInitialEvents" | "orphanDependents" => "boolean",
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        _ => "string",
    };
    let mut parameter = json!({"name": name, "in": place, "schema": {"type": kind, "uniqueItems": true}});
    if place == "path" {
        parameter["required"] = true.into();
    }
    parameter
}
