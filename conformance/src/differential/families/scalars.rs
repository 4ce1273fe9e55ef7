//! Values of one field at a time: names, labels, owners, quantities, times, numbers, base64.

use super::super::{dice::Dice, kinds::Kind, probe::Ask, values, words};
use serde_json::{Value, json};

pub(super) fn draw(dice: &mut Dice, name: &str) -> (Vec<Ask>, Ask) {
    let text = match dice.below(9) {
        0..=1 => return (Vec::new(), named(dice, name)),
        2 => labels(dice, name),
        3 => owners(dice, name),
        4..=5 => quantity(dice, name),
        6 => time(dice, name),
        7 => number(dice, name),
        _ => bytes(dice, name),
    };
    let (kind, text) = text;
    (Vec::new(), Ask::sent("POST", kind.collection(), "application/json", text))
}

/// The text of an object with `place` for a raw JSON text at this pointer.
fn raw(kind: &Kind, name: &str, pointer: &str, text: &str) -> String {
    let mut object = kind.plain(name);
    let (parent, field) = pointer.rsplit_once('/').unwrap_or_default();
    let mut at = &mut object;
    for key in parent.split('/').filter(|key| !key.is_empty()) {
        at = match key.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[key],
        };
    }
    at[field] = json!("@RAW@");
    object.to_string().replace("\"@RAW@\"", text)
}

fn named(dice: &mut Dice, name: &str) -> Ask {
    let kind = Kind::any(dice);
    let mut object = kind.valid(dice, name);
    let long = |length: usize| format!("{name}{}", "x".repeat(length - name.len()));
    let names = [
        name.to_owned(),
        name.to_uppercase(),
        format!("{name}."),
        format!(".{name}"),
        format!("{name}.a"),
        format!("{name}..a"),
        format!("{name}-"),
        format!("-{name}"),
        format!("{name}_"),
        format!("{name}/a"),
        format!("{name}%"),
        format!("{name}:a"),
        format!("{name} "),
        format!("{name}é"),
        long(63),
        long(64),
        long(253),
        long(254),
        long(52),
        long(53),
        String::new(),
        format!("9{name}"),
    ];
    let chosen = dice.pick(&names).clone();
    match dice.below(8) {
        0 => object["metadata"] = json!({"generateName": format!("{chosen}-")}),
        1 => object["metadata"] = json!({"generateName": chosen}),
        2 => object["metadata"] = json!({"namespace": kind.namespace(), "labels": {"a": name}}),
        _ => values::set(&mut object, "/metadata/name", json!(chosen)),
    }
    Ask::create(kind.collection(), &object)
}

fn labels(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let kind = Kind::any(dice);
    let long = "x".repeat(64);
    let keys = words::KEYS.iter().copied().chain([
        "UPPER.example.com/a",
        "example.com/",
        "a/b/c",
        "_a",
        "a.",
        &long,
    ]);
    let keys: Vec<_> = keys.collect();
    let values = ["", "a", "A_b.c-d", "-a", "a-", "a b", "é", "a/b", &long];
    let map = json!({(dice.pick(&keys)): dice.pick(&values)});
    let field = dice.pick(&["labels", "labels", "annotations"]);
    let text = if dice.one_in(8) { "{\"a\": 1}".to_owned() } else { map.to_string() };
    (kind, raw(kind, name, &format!("/metadata/{field}"), &text))
}

fn owners(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u-1"});
    let mut other = owner.clone();
    let (field, value) = dice
        .pick(&[
            ("uid", json!("")),
            ("uid", json!("u-2")),
            ("name", json!("")),
            ("kind", json!("")),
            ("kind", json!("Event")),
            ("apiVersion", json!("")),
            ("apiVersion", json!("a/b/c")),
            ("controller", json!(true)),
            ("blockOwnerDeletion", json!("x")),
            ("controller", json!(null)),
            ("unknown", json!(1)),
        ])
        .clone();
    other[field] = value;
    let list = match dice.below(5) {
        0 => json!([owner, other]),
        1 => json!([other.clone(), other]),
        2 => json!([null]),
        _ => json!([other]),
    };
    let place = dice.pick(&["ownerReferences", "ownerReferences", "finalizers"]);
    let finalizers = [
        "[\"a\"]",
        "[\"example.com/a\"]",
        "[\"\"]",
        "[\"a b/c\"]",
        "[\"example.com/a\",\"example.com/a\"]",
        "[1]",
        "\"a\"",
        "[\"foregroundDeletion\",\"orphan\"]",
        "[null]",
        "[\"kubernetes\"]",
    ];
    let text = if place == "finalizers" { dice.pick(&finalizers).to_owned() } else { list.to_string() };
    let kind = Kind::any(dice);
    (kind, raw(kind, name, &format!("/metadata/{place}"), &text))
}

fn quantity(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let text = dice.pick(&words::QUANTITIES);
    let resource = dice.pick(&words::RESOURCES[..9]);
    let places = [
        ("Pod", "/spec/containers/0/resources/limits"),
        ("Pod", "/spec/containers/0/resources/requests"),
        ("Deployment", "/spec/template/spec/containers/0/resources/requests"),
        ("PersistentVolumeClaim", "/spec/resources/requests"),
        ("PersistentVolume", "/spec/capacity"),
        ("ResourceQuota", "/spec/hard"),
        ("LimitRange", "/spec/limits/0/max"),
        ("Pod", "/spec/overhead"),
        ("LimitRange", "/spec/limits/0/default"),
        ("Node", "/status/capacity"),
    ];
    let (kind, place) = dice.pick(&places);
    let kind = Kind::named(kind);
    let both = dice.one_in(4).then(|| format!("{{\"memory\":\"1Gi\",\"{resource}\":{text}}}"));
    (kind, raw(kind, name, place, &both.unwrap_or_else(|| format!("{{\"{resource}\":{text}}}"))))
}

fn time(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let places = [
        ("Lease", "/spec/renewTime", true),
        ("Lease", "/spec/acquireTime", true),
        ("Event", "/firstTimestamp", false),
        ("Event", "/lastTimestamp", false),
        ("Event", "/eventTime", true),
        ("Pod", "/metadata/creationTimestamp", false),
        ("ConfigMap", "/metadata/deletionTimestamp", false),
        ("Node", "/spec/taints/0/timeAdded", false),
    ];
    let (kind, place, micro) = dice.pick(&places);
    let text =
        if micro && dice.one_in(2) { dice.pick(&words::MICRO_TIMES) } else { dice.pick(&words::TIMES) };
    let kind = Kind::named(kind);
    (kind, raw(kind, name, place, text))
}

fn number(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let places = [
        ("Deployment", "/spec/replicas"),
        ("Deployment", "/spec/minReadySeconds"),
        ("Deployment", "/spec/revisionHistoryLimit"),
        ("Deployment", "/spec/progressDeadlineSeconds"),
        ("StatefulSet", "/spec/replicas"),
        ("Job", "/spec/parallelism"),
        ("Job", "/spec/completions"),
        ("Job", "/spec/backoffLimit"),
        ("Job", "/spec/activeDeadlineSeconds"),
        ("Job", "/spec/ttlSecondsAfterFinished"),
        ("CronJob", "/spec/startingDeadlineSeconds"),
        ("CronJob", "/spec/successfulJobsHistoryLimit"),
        ("Pod", "/spec/terminationGracePeriodSeconds"),
        ("Pod", "/spec/activeDeadlineSeconds"),
        ("Pod", "/spec/priority"),
        ("Service", "/spec/ports/0/port"),
        ("Service", "/spec/ports/0/targetPort"),
        ("Lease", "/spec/leaseDurationSeconds"),
        ("Lease", "/spec/leaseTransitions"),
        ("HorizontalPodAutoscaler", "/spec/maxReplicas"),
        ("HorizontalPodAutoscaler", "/spec/minReplicas"),
        ("PodDisruptionBudget", "/spec/minAvailable"),
        ("Pod", "/metadata/generation"),
        ("ControllerRevision", "/revision"),
        ("EndpointSlice", "/ports/0/port"),
        ("Ingress", "/spec/rules/0/http/paths/0/backend/service/port/number"),
    ];
    let (kind, place) = dice.pick(&places);
    let kind = Kind::named(kind);
    let texts = if dice.one_in(3) { &words::INT_OR_STRINGS[..] } else { &words::INTEGERS[..] };
    (kind, raw(kind, name, place, dice.pick(texts)))
}

fn bytes(dice: &mut Dice, name: &str) -> (&'static Kind, String) {
    let text = dice.pick(&words::BYTES);
    let text = if dice.one_in(6) { dice.pick(&["[97,98]", "[256]", "[]", "{}", "[\"a\"]"]) } else { text };
    let key = dice.pick(&["a", "a", "a.b", "-x", "a b", "", "..", ".a", "é"]);
    let (kind, place) = dice.pick(&[
        ("Secret", "/data"),
        ("Secret", "/data"),
        ("ConfigMap", "/binaryData"),
        ("Secret", "/stringData"),
        ("ConfigMap", "/data"),
    ]);
    let kind = Kind::named(kind);
    let key = Value::from(key);
    (kind, raw(kind, name, place, &format!("{{{key}:{text}}}")))
}
