//! The objects of a new server: those that a new kube-apiserver 1.36.3 makes before anybody asks for
//! them. In `data/`, the first line of each file is what all its objects have in common.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::{
    api::{key::Key, object, random::Random},
    handlers::managed::Writer,
    registry::{Context, Kinds},
    store::Draft,
};

/// The namespaces that every cluster has.
pub(crate) const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Who made them.
const MANAGER: &str = "kube-apiserver";

/// The objects of each file, in the order in which they are made.
const FILES: [&str; 9] = [
    include_str!("data/apiservices.jsonl"),
    include_str!("data/prioritylevelconfigurations.jsonl"),
    include_str!("data/flowschemas.jsonl"),
    include_str!("data/priorityclasses.jsonl"),
    include_str!("data/clusterroles.jsonl"),
    include_str!("data/clusterrolebindings.jsonl"),
    include_str!("data/roles.jsonl"),
    include_str!("data/rolebindings.jsonl"),
    include_str!("data/network.jsonl"),
];

/// An object of a new server; it was made at no time yet.
#[derive(Debug, Clone)]
struct Prepared {
    resource: String,
    object: Value,
    managers: Option<String>,
}

/// Parsed once in a process, however many servers there are.
static OBJECTS: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    let kinds = Kinds::built_in();
    let named = |mut object: Value| {
        let kind = object["kind"].as_str().unwrap_or_default();
        let kind = kinds.of_kind(object::api_version(&object), kind).expect("a kind that is built in");
        let managers = Writer::new(&kinds, &kind, None, MANAGER, "").created(&mut object);
        Prepared { resource: kind.resource(), object, managers }
    };
    FILES.iter().flat_map(|file| objects(file)).map(named).collect()
});

/// The objects of a file.
fn objects(file: &str) -> Vec<Value> {
    let mut lines = file.lines().map(|line| serde_json::from_str(line).expect("the data is JSON"));
    let common = lines.next().unwrap_or_default();
    lines.map(|own| over(&common, own)).collect()
}

/// `own`, completed with what it does not say itself.
fn over(common: &Value, own: Value) -> Value {
    let (Value::Object(common), Value::Object(own)) = (common, &own) else { return own };
    let mut whole: Map<String, Value> = common.clone();
    for (field, value) in own {
        let value = common.get(field).map_or_else(|| value.clone(), |common| over(common, value.clone()));
        whole.insert(field.clone(), value);
    }
    Value::Object(whole)
}

/// Makes the namespaces of an empty server.
pub(crate) fn make_namespaces(context: &Context) {
    for name in NAMESPACES {
        let mut namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "uid": context.random.uid(),
                "creationTimestamp": context.clock.text(),
                "labels": {"kubernetes.io/metadata.name": name},
            },
        });
        let kind = context.kinds.get("", "v1", "namespaces").expect("a built-in kind");
        let now = context.clock.seconds();
        let managers = Writer::new(&context.kinds, &kind, None, MANAGER, &now).created(&mut namespace);
        namespace["spec"] = json!({"finalizers": ["kubernetes"]});
        namespace["status"] = json!({"phase": "Active"});
        let draft = Draft::managed(namespace, managers.as_deref());
        context.store.put("namespaces", &Key::new("", name), None, draft).expect("a new store is empty");
    }
}

/// Makes everything else. The UIDs come from `random`: whether a server begins bare or full changes no
/// other name and no other UID.
pub(crate) fn make_objects(context: &Context, random: &Random) {
    for Prepared { resource, object, managers } in OBJECTS.iter() {
        make(context, random, resource, object.clone(), managers.as_deref());
    }
}

/// Makes one object of a new server, which has no other of its name; its managers have written it at no time yet.
pub(crate) fn make(
    context: &Context,
    random: &Random,
    resource: &str,
    mut object: Value,
    managers: Option<&str>,
) {
    let now = context.clock.text();
    let managers = managers.map(|managers| managers.replacen(r#""time":"""#, &format!(r#""time":{now}"#), 1));
    let metadata = object::metadata_mut(&mut object);
    metadata.insert("uid".to_owned(), random.uid().into());
    metadata.insert("creationTimestamp".to_owned(), now.clone());
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"] = now.clone();
    }
    let key = object::key(&object);
    let draft = Draft::managed(object, managers.as_deref());
    context.store.put(resource, &key, None, draft).expect("a new server has no other of that name");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_s_objects_have_in_common_is_said_once() {
        let file =
            "{\"kind\":\"K\",\"metadata\":{\"labels\":{\"a\":\"b\"}}}\n{\"metadata\":{\"name\":\"n\"}}\n";
        assert_eq!(objects(file), [json!({"kind": "K", "metadata": {"name": "n", "labels": {"a": "b"}}})]);
    }

    #[test]
    fn there_is_as_much_as_in_a_new_kube_apiserver() {
        let count = |wanted: &str| OBJECTS.iter().filter(|prepared| prepared.resource == wanted).count();
        let rbac = ["clusterroles", "clusterrolebindings", "roles", "rolebindings"]
            .map(|plural| count(&format!("{plural}.rbac.authorization.k8s.io")));
        assert_eq!(rbac, [69, 50, 7, 7]);
        assert_eq!(count("flowschemas.flowcontrol.apiserver.k8s.io"), 11);
        assert_eq!(count("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io"), 8);
        assert_eq!(count("apiservices.apiregistration.k8s.io"), 21);
    }
}
