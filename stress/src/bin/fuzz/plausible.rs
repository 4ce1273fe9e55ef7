//! Requests that a client might send: mostly about objects that exist, with bodies of the right kind.

use rand::{Rng, rngs::SmallRng};
use serde_json::{Value, json};

use crate::{
    bodies::{self, COLLECTIONS},
    mutation,
    request::{Draft, Memory, NAMES, pick},
};

/// Indexes of the collections whose objects have a status.
const WITH_STATUS: [usize; 6] = [2, 3, 5, 6, 8, 9];
/// Indexes of the collections whose objects have a scale.
const SCALED: [usize; 3] = [5, 6, 8];
const PODS: usize = 2;
const DEFINITIONS: usize = 9;

const SELECTORS: [&str; 8] = [
    "labelSelector=a%3Db",
    "labelSelector=a+in+(b,c),!z",
    "labelSelector=a+notin+(b)",
    "labelSelector=app",
    "fieldSelector=metadata.name%3Da",
    "fieldSelector=metadata.namespace%3Ddefault,metadata.name!%3Db",
    "resourceVersion=0",
    "limit=2",
];

const FORMS: [&str; 6] = [
    "application/json",
    "application/json",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
];

/// Draws a request of a client that remembers `memory`.
pub(crate) fn draft(random: &mut SmallRng, memory: &Memory) -> Draft {
    let kind = random.random_range(0..COLLECTIONS.len());
    let collection = COLLECTIONS[kind];
    let name = if kind == DEFINITIONS { "widgets.fuzz.example.com" } else { pick(random, &NAMES[..4]) };
    let object = format!("{collection}/{name}");
    match random.random_range(0..100) {
        0..22 => {
            let uri = with_options(random, collection);
            sent(random, "POST", uri, kind, name)
        }
        22..32 => read(random, object),
        32..44 => list(random, collection, memory),
        44..50 => watch(random, collection, memory),
        50..58 => update(random, &object, kind, name),
        58..74 => patch(random, object, kind, name),
        74..80 => apply(random, &object, kind, name),
        80..86 if WITH_STATUS.contains(&kind) => patch(random, format!("{object}/status"), kind, name),
        86..90 if SCALED.contains(&kind) => scale(random, &object),
        80..90 if kind == PODS => of_pod(random, &object),
        // Deleting the definition also deletes all its objects, so it is rare.
        90..99 if kind != DEFINITIONS || random.random_ratio(1, 8) => delete(random, &object),
        99 => bodiless("DELETE", format!("{collection}?{}", pick(random, &SELECTORS[..6]))),
        _ => read(random, object),
    }
}

fn bodiless(method: &'static str, uri: String) -> Draft {
    Draft { method, uri, headers: Vec::new(), body: Vec::new() }
}

fn with_body(method: &'static str, uri: String, content_type: &str, body: &Value) -> Draft {
    let headers = vec![("content-type", content_type.to_owned())];
    Draft { method, uri, headers, body: body.to_string().into_bytes() }
}

/// Appends options of a write to the path; half of the writes have none.
fn with_options(random: &mut SmallRng, path: &str) -> String {
    let options = ["", "", "", "?dryRun=All", "?fieldValidation=Strict", "?fieldManager=one"];
    format!("{path}{}", pick(random, &options))
}

/// Draws an object; one in four has an invalid value.
fn body(random: &mut SmallRng, kind: usize, name: &str) -> Value {
    let mut object = bodies::of_kind(random, kind, name);
    if random.random_ratio(1, 4) {
        mutation::value(random, &mut object);
    }
    object
}

fn sent(random: &mut SmallRng, method: &'static str, uri: String, kind: usize, name: &str) -> Draft {
    let mut object = body(random, kind, name);
    if method == "POST" && random.random_ratio(1, 8) && object["metadata"].is_object() {
        object["metadata"] = json!({"generateName": "g-"});
    }
    with_body(method, uri, "application/json", &object)
}

fn read(random: &mut SmallRng, uri: String) -> Draft {
    let headers = vec![("accept", pick(random, &FORMS).to_owned())];
    Draft { headers, ..bodiless("GET", uri) }
}

fn list(random: &mut SmallRng, collection: &str, memory: &Memory) -> Draft {
    let version = &memory.version;
    let query = match random.random_range(0..5) {
        0 if !memory.token.is_empty() => format!("limit=1&continue={}", memory.token),
        1 => "limit=1".to_owned(),
        2 if !version.is_empty() => format!("resourceVersion={version}&resourceVersionMatch=NotOlderThan"),
        3 if !version.is_empty() => format!("resourceVersion={version}&resourceVersionMatch=Exact&limit=1"),
        _ => pick(random, &SELECTORS).to_owned(),
    };
    read(random, format!("{collection}?{query}"))
}

fn watch(random: &mut SmallRng, collection: &str, memory: &Memory) -> Draft {
    let (version, selector) = (&memory.version, pick(random, &SELECTORS[..4]));
    let query = match random.random_range(0..3) {
        0 => "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true".to_owned(),
        1 => format!("resourceVersion={version}&{selector}"),
        _ => "resourceVersion=0&allowWatchBookmarks=true".to_owned(),
    };
    bodiless("GET", format!("{collection}?watch=true&timeoutSeconds=1&{query}"))
}

/// Draws a PUT without a resource version. Most kinds accept it; the server refuses the others, as upstream does.
fn update(random: &mut SmallRng, object: &str, kind: usize, name: &str) -> Draft {
    let uri = with_options(random, object);
    sent(random, "PUT", uri, kind, name)
}

fn patch(random: &mut SmallRng, uri: String, kind: usize, name: &str) -> Draft {
    let strategic = "application/strategic-merge-patch+json";
    let merge = "application/merge-patch+json";
    let label = json!({"metadata": {"labels": {"a": pick(random, &["b", "c"]), "n": null}, "annotations": {"k": "v"}}});
    match random.random_range(0..5) {
        0 => with_body("PATCH", uri, merge, &label),
        1 => with_body("PATCH", uri, if kind < 8 { strategic } else { merge }, &body(random, kind, name)),
        2 => with_body(
            "PATCH",
            uri,
            merge,
            &json!({"status": {"x": 3, "phase": "Running", "replicas": 1}, "spec": {"x": 4}}),
        ),
        3 => {
            let operations = json!([
                {"op": "add", "path": "/metadata/labels", "value": {"a": "c"}},
                {"op": "test", "path": "/metadata/name", "value": name},
                {"op": "copy", "from": "/metadata/labels", "path": "/metadata/annotations"},
            ]);
            with_body("PATCH", uri, "application/json-patch+json", &operations)
        }
        _ => with_body("PATCH", uri, if kind < 8 { strategic } else { merge }, &label),
    }
}

fn apply(random: &mut SmallRng, object: &str, kind: usize, name: &str) -> Draft {
    let manager = pick(random, &["one", "two"]);
    let force = pick(random, &["", "&force=true"]);
    let uri = format!("{object}?fieldManager={manager}{force}");
    with_body("PATCH", uri, "application/apply-patch+yaml", &body(random, kind, name))
}

fn scale(random: &mut SmallRng, object: &str) -> Draft {
    let uri = format!("{object}/scale");
    match random.random_range(0..3) {
        0 => read(random, uri),
        _ => with_body(
            "PATCH",
            uri,
            "application/merge-patch+json",
            &json!({"spec": {"replicas": random.random_range(1..9)}}),
        ),
    }
}

fn of_pod(random: &mut SmallRng, object: &str) -> Draft {
    match random.random_range(0..4) {
        0 => with_body(
            "POST",
            format!("{object}/binding"),
            "application/json",
            &json!({"target": {"name": "n"}}),
        ),
        1 => with_body("POST", format!("{object}/eviction"), "application/json", &json!({})),
        2 => bodiless("GET", format!("{object}/log")),
        _ => {
            let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debugger", "image": "i"}]}});
            let strategic = "application/strategic-merge-patch+json";
            with_body("PATCH", format!("{object}/ephemeralcontainers"), strategic, &debugger)
        }
    }
}

fn delete(random: &mut SmallRng, object: &str) -> Draft {
    let policy = pick(
        random,
        &[
            "",
            "?propagationPolicy=Foreground",
            "?propagationPolicy=Orphan",
            "?gracePeriodSeconds=0",
            "?dryRun=All",
        ],
    );
    bodiless("DELETE", format!("{object}{policy}"))
}
