//! Updates of objects, and of their subresources.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values};
use super::merge::MERGE;
use super::{create, with_query};
use serde_json::{Value, json};

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    match dice.below(10) {
        0 => scale(dice, name),
        1 => of_pod(dice, name),
        2 => of_account(dice, name),
        3..=4 => status(dice, name),
        _ => update(dice, name),
    }
}

/// A PUT of the object with changes.
fn update(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = Kind::any(dice);
    let present = kind.valid(dice, name);
    let mut wanted = create::successor(dice, kind, &present, name);
    match dice.below(16) {
        0 => values::set(&mut wanted, "/metadata/resourceVersion", json!(dice.pick(&["1", "x", "", "0"]))),
        1 => values::set(&mut wanted, "/metadata/uid", json!("u-1")),
        2 => values::set(&mut wanted, "/metadata/name", json!("other")),
        3 => values::set(&mut wanted, "/metadata/namespace", json!("other")),
        4 => wanted["kind"] = json!("Other"),
        5 => wanted["apiVersion"] = json!("v7"),
        6 => wanted["metadata"] = json!({}),
        7 => values::set(&mut wanted, "/metadata/finalizers", json!(["example.com/a", "example.com/a"])),
        _ => {}
    }
    let given = if dice.one_in(10) { Vec::new() } else { vec![Ask::create(kind.collection(), &present)] };
    let options = dice.pick(&["", "", "", "", "dryRun=All", "fieldValidation=Strict", "dryRun=x"]);
    let path = with_query(kind.object(name), &[options]);
    (given, Ask::sent("PUT", path, "application/json", values::text_of(&wanted)))
}

/// A PUT or a patch of the status.
fn status(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind = loop {
        let kind = Kind::any(dice);
        if kind.has_status() {
            break kind;
        }
    };
    let mut object = kind.valid(dice, name);
    let given = vec![Ask::create(kind.collection(), &object)];
    let field = kind.schema().and_then(|schema| schema.field("status"));
    if let Some(schema) = field {
        object["status"] = values::made(dice, schema, "status", 2);
    }
    let path = format!("{}/status", kind.object(name));
    let ask = if dice.one_in(2) {
        Ask::sent("PUT", path, "application/json", values::text_of(&object))
    } else {
        Ask::sent("PATCH", path, MERGE, values::text_of(&json!({"status": object["status"]})))
    };
    (given, ask)
}

/// Reads and changes of a scale.
fn scale(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let kind =
        Kind::named(dice.pick(&["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController", "Pod"]));
    let given = vec![Ask::create(kind.collection(), &kind.valid(dice, name))];
    let path = format!("{}/scale", kind.object(name));
    let replicas = dice
        .pick(&[json!(1), json!(0), json!(-1), json!("3"), json!(1.5), json!(null), json!(4_294_967_296_u64)])
        .clone();
    let scale = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": name, "namespace": kind.namespace()},
        "spec": {"replicas": replicas},
    });
    let ask = match dice.below(4) {
        0 => Ask::bare("GET", path),
        1 => Ask::sent("PATCH", path, MERGE, json!({"spec": {"replicas": replicas}}).to_string()),
        _ => Ask::sent("PUT", path, "application/json", scale.to_string()),
    };
    (given, ask)
}

/// Bindings, evictions and debug containers.
fn of_pod(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let pod = Kind::named("Pod");
    let given = vec![Ask::create(pod.collection(), &pod.valid(dice, name))];
    let at = |subresource: &str| format!("{}/{subresource}", pod.object(name));
    let post = |subresource: &str, body: &Value| Ask::create(at(subresource), body);
    let patch = |subresource: &str, body: &Value| {
        Ask::sent("PATCH", at(subresource), super::merge::STRATEGIC, body.to_string())
    };
    let named = json!({"name": name, "namespace": pod.namespace()});
    let ask = match dice.below(8) {
        0 => post("binding", &json!({"metadata": named, "target": {"kind": "Node", "name": "n"}})),
        1 => post("binding", &json!({"metadata": {"name": "other"}, "target": {"name": ""}})),
        2 => post("binding", &json!({"target": {"kind": dice.pick(&["Pod", "", "Node"]), "name": "n"}})),
        3 => post("eviction", &json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": named})),
        4 => post(
            "eviction",
            &json!({
                "metadata": {"name": "other"},
                "deleteOptions": {"gracePeriodSeconds": dice.pick(&[0, -1, 5])},
            }),
        ),
        5 => {
            post("eviction", &json!({"deleteOptions": {"preconditions": {"uid": "u-1"}, "dryRun": ["All"]}}))
        }
        6 => {
            let (name, image) = (dice.pick(&["debug", "main", ""]), dice.pick(&["i", ""]));
            let containers = json!([{"name": name, "image": image}]);
            patch("ephemeralcontainers", &json!({"spec": {"ephemeralContainers": containers}}))
        }
        _ => {
            let resources = json!({"requests": {"cpu": dice.pick(&["1", "-1", "x"])}});
            let containers = json!([{"name": "main", "resources": resources}]);
            patch("resize", &json!({"spec": {"containers": containers}}))
        }
    };
    (given, ask)
}

/// Tokens and reviews.
fn of_account(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let account = Kind::named("ServiceAccount");
    let given = vec![Ask::create(account.collection(), &account.valid(dice, name))];
    let seconds =
        dice.pick(&[json!(600), json!(1), json!(null), json!("x"), json!(4_294_967_297_u64)]).clone();
    let attributes = json!({"verb": dice.pick(&["get", "*", ""]), "resource": "pods", "namespace": name});
    let review = |spec: Value| {
        json!({
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {"labels": {"a": name}},
            "spec": spec,
        })
    };
    let ask = match dice.below(5) {
        0 => Ask::create(
            format!("{}/token", account.object(name)),
            &json!({"spec": {"audiences": ["vault"], "expirationSeconds": seconds}}),
        ),
        1 => Ask::create(
            format!("{}/token", account.object(name)),
            &json!({"spec": {"boundObjectRef": {
                "kind": dice.pick(&["Pod", "Secret", "Bad"]),
                "name": name,
                "apiVersion": "v1",
            }}}),
        ),
        2 => Ask::create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            &review(json!({
                "user": dice.pick(&["ada", "", "admin"]),
                "groups": ["system:masters"],
                "resourceAttributes": attributes,
            })),
        ),
        3 => {
            let path = json!({"path": "/a", "verb": "get"});
            let specs = [
                json!({}),
                json!({"resourceAttributes": attributes}),
                json!({"nonResourceAttributes": path, "resourceAttributes": attributes}),
            ];
            let body = review(dice.pick(&specs).clone());
            Ask::create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &body)
        }
        _ => Ask::create(
            "/apis/authentication.k8s.io/v1/tokenreviews",
            &json!({
                "metadata": {"labels": {"a": name}},
                "spec": {"token": dice.pick(&["", "bad"])},
            }),
        ),
    };
    (given, ask)
}
