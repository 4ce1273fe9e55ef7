//! Gets and lists of objects that nobody changes: selectors, options, forms of answers.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::with_query;
use serde_json::json;

/// The namespace of the objects that are read.
pub(crate) const SHELF: &str = "differential-shelf";

const READ: [&str; 14] = [
    "Pod",
    "ConfigMap",
    "Secret",
    "Service",
    "Deployment",
    "ReplicaSet",
    "Job",
    "CronJob",
    "Lease",
    "Ingress",
    "PersistentVolumeClaim",
    "StatefulSet",
    "Event",
    "HorizontalPodAutoscaler",
];

/// The requests that make the objects: three of each kind, with labels that differ.
pub(crate) fn objects() -> impl Iterator<Item = Ask> {
    READ.iter().flat_map(|kind| {
        let kind = Kind::named(kind);
        ["one", "two", "three"].into_iter().enumerate().map(move |(number, name)| {
            let mut object = kind.example(number, name);
            values::set(&mut object, "/metadata/namespace", json!(SHELF));
            object["metadata"]["labels"] =
                json!({"shelf": "1", "number": number.to_string(), "app.kubernetes.io/name": name});
            if number == 2 {
                values::set(&mut object, "/metadata/labels/last", json!(""));
            }
            if kind.kind == "Event" {
                values::set(&mut object, "/involvedObject/namespace", json!(SHELF));
            }
            Ask::create(kind.collection_in(SHELF), &object)
        })
    })
}

const LABELS: [&str; 34] = [
    "",
    "number=1",
    "number==1",
    "number!=1",
    "number in (0,2)",
    "number notin (0)",
    "last",
    "!last",
    "last=",
    "number>0",
    "number>1,shelf=1",
    "number<x",
    "number in ()",
    "number in (0",
    "in in (in)",
    "a=b=c",
    "=",
    ",",
    "number=1,",
    "number = 1",
    "number in (0,,2)",
    "-a=b",
    "a/b/c=d",
    "a=-b",
    "app.kubernetes.io/name=one",
    "app.kubernetes.io/name notin (one, two)",
    "a=b c",
    "!",
    "number!in (1)",
    "number=é",
    "NUMBER=1",
    "x notin (1)",
    "!x,shelf",
    "a=0123456789012345678901234567890123456789012345678901234567890123",
];

const FIELDS: [&str; 24] = [
    "",
    "metadata.name=one",
    "metadata.name==one",
    "metadata.name!=one",
    "metadata.name=one,metadata.name=two",
    "metadata.namespace=differential-shelf",
    "metadata.namespace!=differential-shelf",
    "status.phase=Pending",
    "spec.nodeName=",
    "spec.nodeName!=",
    "type=Opaque",
    "bad=x",
    "metadata.name",
    "=",
    "metadata.name=a\\,b",
    "metadata.name=a\\x",
    "metadata.labels.a=b",
    "status.successful=0",
    "spec.unschedulable=true",
    "involvedObject.name=a",
    "reason=Started",
    "involvedObject.kind!=Pod",
    "metadata.uid=x",
    "spec.restartPolicy=Always",
];

const OPTIONS: [&str; 32] = [
    "",
    "",
    "",
    "",
    "limit=1",
    "limit=2",
    "limit=0",
    "limit=-1",
    "limit=x",
    "resourceVersion=0",
    "resourceVersion=x",
    "resourceVersion=-1",
    "resourceVersion=0&resourceVersionMatch=NotOlderThan",
    "resourceVersion=0&resourceVersionMatch=Exact",
    "resourceVersionMatch=Exact",
    "resourceVersion=0&resourceVersionMatch=About",
    "continue=x",
    "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
    "timeoutSeconds=x",
    "timeoutSeconds=10",
    "watch=maybe&timeoutSeconds=1",
    "watch=true&resourceVersion=x",
    "watch=true&sendInitialEvents=true",
    "watch=true&sendInitialEvents=true&resourceVersionMatch=Exact",
    "sendInitialEvents=true",
    "watch=true&resourceVersionMatch=NotOlderThan",
    "limit=1&resourceVersion=0&resourceVersionMatch=Exact",
    "pretty=true",
    "includeObject=None",
    "includeObject=Object",
    "includeObject=x",
    "allowWatchBookmarks=x",
];

const FORMS: [&str; 22] = [
    "",
    "",
    "",
    "application/json",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/json;as=Table;v=v2;g=meta.k8s.io",
    "application/json;as=Table;v=v2;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=Other;v=v1;g=meta.k8s.io",
    "text/html",
    "*/*",
    "application/*",
    "text/html,application/json;q=0.1",
    "application/yaml;as=Table;v=v1;g=meta.k8s.io",
    "application/json;q=0",
    ";",
    "application/json; stream=watch",
];

const PATHS: [&str; 34] = [
    "/version",
    "/api",
    "/apis",
    "/api/v1",
    "/apis/apps",
    "/apis/apps/v1",
    "/apis/batch/v1",
    "/apis/nowhere",
    "/apis/apps/v7",
    "/api/v2",
    "/nowhere",
    "/apis/policy/v1",
    "/apis/coordination.k8s.io",
    "/healthz",
    "/livez",
    "/readyz/ping",
    "/healthz/nowhere",
    "/",
    "/apis/",
    "/api/v1/",
    "/api/v1/namespaces/differential-shelf/nowhere",
    "/api/v1/namespaces/differential-shelf/pods/one/nowhere",
    "/api/v1/namespaces/nowhere",
    "/api/v1/namespaces/nowhere/pods",
    "/api/v1/namespaces/nowhere/pods/x",
    "/apis/apps/v1/namespaces/differential-shelf/pods",
    "/api/v1/namespaces/differential-shelf/pods/one/status",
    "/apis/apps/v1/namespaces/differential-shelf/deployments/one/scale",
    "/apis/apps/v1/namespaces/differential-shelf/deployments/one/status",
    "/api/v1/namespaces/differential-shelf/configmaps/one/status",
    "/apis/differential.example.com/v1",
    "/apis/differential.example.com",
    "/api/v1/watch/namespaces/differential-shelf/pods/one/x",
    "/api/v1/componentstatuses/none",
];

pub(super) fn draw(dice: &mut Dice, _: &str) -> (Vec<Ask>, Ask) {
    let accept = dice.pick(&FORMS);
    let kind = Kind::named(dice.pick(&READ));
    let shelf = kind.collection_in(SHELF);
    let path = match dice.below(10) {
        0 => dice.pick(&PATHS).to_owned(),
        1..=2 => with_query(
            format!("{shelf}/{}", dice.pick(&["one", "two", "none", "UPPER"])),
            &[dice.pick(&OPTIONS[..12])],
        ),
        3..=4 => with_query(shelf, &[&selector("fieldSelector", dice.pick(&FIELDS))]),
        5..=7 => with_query(shelf, &[&selector("labelSelector", dice.pick(&LABELS)), dice.pick(&OPTIONS)]),
        // Of all namespaces.
        8 => {
            let all = kind.collection_in(SHELF).replace(&format!("namespaces/{SHELF}/"), "");
            with_query(
                all,
                &[
                    &selector("labelSelector", "shelf=1,number!=0"),
                    &selector("fieldSelector", dice.pick(&FIELDS[..7])),
                ],
            )
        }
        _ => with_query(
            shelf,
            &[&selector("labelSelector", dice.pick(&LABELS)), &selector("fieldSelector", dice.pick(&FIELDS))],
        ),
    };
    let method = dice.pick(&[
        "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "OPTIONS", "POST",
    ]);
    let method = if accept.is_empty() || method == "GET" { method } else { "GET" };
    let mut ask = Ask::bare(method, path);
    if method == "POST" {
        // No body: nothing is made.
        "application/json".clone_into(&mut ask.content_type);
    }
    accept.clone_into(&mut ask.accept);
    (Vec::new(), ask)
}

/// A query parameter, escaped.
fn selector(name: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let escaped: String =
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    format!("{name}={escaped}")
}
