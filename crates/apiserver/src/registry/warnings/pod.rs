//! The warnings about Pods and the templates that Pods are made from.

use serde_json::{Value, json};

use super::{paths, ports::ports};
use crate::{
    api::{names, path::Path},
    registry::validation::{self, items, object, seen::Seen},
};

/// The lists of a Pod's containers, in upstream's order.
pub(super) const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Labels of nodes that have other names now.
const NODE_LABELS: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
];

/// Annotations that do nothing any more.
const ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

/// Returns upstream's warning of a deprecated volume source.
pub(in crate::registry) fn retired(source: &str) -> Option<&'static str> {
    Some(match source {
        "photonPersistentDisk" => "deprecated in v1.11, non-functional in v1.16+",
        "gitRepo" => "deprecated in v1.11, and disabled by default in v1.33+",
        "scaleIO" => "deprecated in v1.16, non-functional in v1.22+",
        "flocker" | "storageOS" | "quobyte" => "deprecated in v1.22, non-functional in v1.25+",
        "glusterfs" => "deprecated in v1.25, non-functional in v1.26+",
        "cephfs" | "rbd" => "deprecated in v1.28, non-functional in v1.31+",
        _ => return None,
    })
}

/// Returns the warnings about a Pod, or about the template at `path`.
pub(in crate::registry) fn of_pod(path: Option<&Path<'_>>, pod: &Value) -> Vec<String> {
    let (spec, annotations) = (&pod["spec"], &pod["metadata"]["annotations"]);
    let root = |field| path.map_or(Path::Root(field), |template| template.child(field));
    let (path, metadata) = (root("spec"), root("metadata"));
    let path = &path;
    let mut warnings = Vec::new();
    let mut warn = at_places(&mut warnings);
    for name in spec["nodeSelector"].as_object().into_iter().flat_map(|selector| selector.keys()) {
        if let Some(told) = node_label(name) {
            warn(path.child("nodeSelector").key(name), told);
        }
    }
    let affinity = object(spec, "affinity");
    if let Some(nodes) = affinity.and_then(|affinity| object(affinity, "nodeAffinity")) {
        node_affinity(nodes, &path.child("affinity").child("nodeAffinity"), &mut warn);
    }
    spread(spec, path, &mut warn);
    for (key, told) in ANNOTATIONS.iter().filter(|(key, _)| annotations.get(key).is_some()) {
        warn(metadata.child("annotations").key(key), told);
    }
    volumes(spec, path, &mut warn);
    drop(warn);
    warnings.extend(paths::overlaps(items(spec, "volumes")));
    let mut warn = at_places(&mut warnings);
    twins(spec, path, &mut warn);
    if let Some(overhead) = object(spec, "overhead") {
        fractions(overhead, &path.child("overhead"), &mut warn);
    }
    seccomp(spec, annotations, &metadata.child("annotations"), &mut warn);
    app_armor(spec, annotations, &metadata.child("annotations"), &mut warn);
    for field in CONTAINERS {
        let list = path.child(field);
        for (position, container) in items(spec, field).iter().enumerate() {
            of_container(container, &list.index(position), &mut warn);
        }
    }
    ports(spec, path, &mut warn);
    if spec["terminationGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds < 0) {
        let place = path.child("terminationGracePeriodSeconds");
        warn(place, "must be >= 0; negative values are invalid and will be treated as 1");
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        if let Some(terms) = affinity.and_then(|affinity| object(affinity, kind)) {
            pod_affinity(terms, &path.child("affinity").child(kind), &mut warn);
        }
    }
    drop(warn);
    warnings
}

/// Returns a function that adds a warning about a place.
fn at_places(warnings: &mut Vec<String>) -> impl FnMut(Path<'_>, &str) {
    |place, told| warnings.push(format!("{place}: {told}"))
}

/// Returns the warnings about the nodes that a volume requires.
pub(in crate::registry) fn nodes_of_volume(spec: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let list = Path::Root("spec.nodeAffinity.required.nodeSelectorTerms");
    let terms = items(&spec["nodeAffinity"]["required"], "nodeSelectorTerms");
    for (position, term) in terms.iter().enumerate() {
        node_term(term, &list.index(position), &mut at_places(&mut warnings));
    }
    warnings
}

/// Returns the warnings about the requests of a claim.
pub(in crate::registry) fn claim(spec: &Value, path: &Path<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    amounts_of_claim(spec, path, &mut at_places(&mut warnings));
    warnings
}

fn amounts_of_claim(spec: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let Some(resources) = object(spec, "resources") else { return };
    for field in ["requests", "limits"] {
        fraction(&resources[field], &path.child("resources").child(field), "storage", warn);
    }
}

fn node_label(name: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(label, _)| *label == name).map(|(_, told)| *told)
}

fn no_selector(term: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    if term.get("labelSelector").is_none_or(Value::is_null) {
        warn(path.child("labelSelector"), "a null labelSelector results in matching no pod");
    }
}

fn node_affinity(affinity: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let required = path.child(REQUIRED);
    let terms = required.child("nodeSelectorTerms");
    for (position, term) in items(&affinity[REQUIRED], "nodeSelectorTerms").iter().enumerate() {
        node_term(term, &terms.index(position), warn);
    }
    let terms = path.child(PREFERRED);
    for (position, term) in items(affinity, PREFERRED).iter().enumerate() {
        let path = terms.index(position);
        node_term(&term["preference"], &path.child("preference"), warn);
        values(&term["preference"], &path.child("preference"), warn);
    }
}

/// Warns of values that no label can have. In a required term they are refused.
fn values(term: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let list = path.child("matchExpressions");
    for (position, expression) in items(term, "matchExpressions").iter().enumerate() {
        let path = list.index(position);
        for (position, value) in items(expression, "values").iter().enumerate() {
            let value = value.as_str().unwrap_or_default();
            for fault in names::value_faults(value) {
                warn(path.child("values").index(position), &format!("{value} is invalid, {fault}"));
            }
        }
    }
}

fn node_term(term: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    for (position, expression) in items(term, "matchExpressions").iter().enumerate() {
        let key = validation::text(expression, "key");
        if let Some(told) = node_label(key) {
            let place = path.child("matchExpressions");
            warn(place.index(position).child("key"), &format!("{key} is {told}"));
        }
    }
}

fn pod_affinity(affinity: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    for (position, term) in items(affinity, REQUIRED).iter().enumerate() {
        no_selector(term, &path.child(REQUIRED).index(position), warn);
    }
    for (position, term) in items(affinity, PREFERRED).iter().enumerate() {
        let place = path.child(PREFERRED);
        no_selector(&term["podAffinityTerm"], &place.index(position).child("podAffinityTerm"), warn);
    }
}

fn spread(spec: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let list = path.child("topologySpreadConstraints");
    for (position, constraint) in items(spec, "topologySpreadConstraints").iter().enumerate() {
        let (path, key) = (list.index(position), validation::text(constraint, "topologyKey"));
        if let Some(told) = node_label(key) {
            warn(path.child("topologyKey"), &format!("{key} is {told}"));
        }
        no_selector(constraint, &path, warn);
    }
}

fn volumes(spec: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let list = path.child("volumes");
    for (position, volume) in items(spec, "volumes").iter().enumerate() {
        let path = list.index(position);
        for source in volume.as_object().into_iter().flat_map(|volume| volume.keys()) {
            if let Some(told) = retired(source) {
                warn(path.child(source), told);
            }
        }
        if let Some(claim) = object(volume, "ephemeral") {
            let path = path.child("ephemeral");
            let path = path.child("volumeClaimTemplate");
            amounts_of_claim(&claim["volumeClaimTemplate"]["spec"], &path.child("spec"), warn);
        }
    }
}

/// Warns of duplicate entries in lists with keys.
fn twins(spec: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    for (field, key) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut seen = Seen::default();
        for (position, item) in items(spec, field).iter().enumerate() {
            let value = validation::text(item, key);
            if !seen.insert(value) {
                let place = path.child(field);
                warn(place.index(position).child(key), &format!("duplicate {key} {value:?}"));
            }
        }
    }
    for (position, secret) in items(spec, "imagePullSecrets").iter().enumerate() {
        if validation::text(secret, "name").is_empty() {
            let place = path.child("imagePullSecrets");
            warn(place.index(position).child("name"), "invalid empty name \"\"");
        }
    }
}

fn fractions(amounts: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    for resource in ["memory", "ephemeral-storage"] {
        fraction(amounts, path, resource, warn);
    }
}

/// An amount of bytes that is no whole number of them.
fn fraction(amounts: &Value, path: &Path<'_>, resource: &str, warn: &mut impl FnMut(Path<'_>, &str)) {
    let Some(amount) = amounts[resource].as_str() else { return };
    // A whole number, as most are; one beyond 2^63 thousandths has more digits, and is warned of.
    if amount.len() <= 8 && amount.bytes().all(|byte| byte.is_ascii_digit() || b"kKMGi".contains(&byte)) {
        return;
    }
    let parsed = amount.parse::<trimtab_quantity::Quantity>();
    if parsed.is_ok_and(|parsed| parsed.milli_value() % 1000 != 0) {
        let told = format!("fractional byte value {amount:?} is invalid, must be an integer");
        warn(path.key(resource), &told);
    }
}

fn seccomp(spec: &Value, annotations: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    const TOLD: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
    const OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
    const OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
    let mut keys = annotations.as_object().into_iter().flat_map(|annotations| annotations.keys());
    if !keys.any(|key| key == OF_POD || key.starts_with(OF_CONTAINER)) {
        return;
    }
    let mut of = |context: &Value, key: &str| {
        if context.get("seccompProfile").is_none() && annotations.get(key).is_some() {
            warn(path.key(key), TOLD);
        }
    };
    of(&spec["securityContext"], OF_POD);
    for container in CONTAINERS.into_iter().flat_map(|field| items(spec, field)) {
        let key = format!("{OF_CONTAINER}{}", validation::text(container, "name"));
        of(&container["securityContext"], &key);
    }
}

/// Warns of annotations of `AppArmor` for containers without the field, unless the Pod has the same profile.
fn app_armor(spec: &Value, annotations: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    let of_pod = &spec["securityContext"]["appArmorProfile"];
    for container in CONTAINERS.into_iter().flat_map(|field| items(spec, field)) {
        let key = format!("{PREFIX}{}", validation::text(container, "name"));
        let noted = annotations.get(&key).and_then(Value::as_str);
        let noted = noted.filter(|_| container["securityContext"]["appArmorProfile"].is_null());
        if noted.is_some_and(|noted| of_pod.is_null() || *of_pod != profile(noted)) {
            warn(path.key(&key), "deprecated since v1.30; use the \"appArmorProfile\" field instead");
        }
    }
}

/// Returns the profile that an annotation stands for; null if it is none.
fn profile(annotation: &str) -> Value {
    match (annotation, annotation.strip_prefix("localhost/")) {
        ("unconfined", _) => json!({"type": "Unconfined"}),
        ("runtime/default", _) => json!({"type": "RuntimeDefault"}),
        (_, Some(name)) if !name.is_empty() => json!({"type": "Localhost", "localhostProfile": name}),
        _ => Value::Null,
    }
}

fn of_container(container: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    if let Some(resources) = object(container, "resources") {
        for resource in ["memory", "ephemeral-storage"] {
            for field in ["limits", "requests"] {
                fraction(&resources[field], &path.child("resources").child(field), resource, warn);
            }
        }
    }
    let mut seen = Seen::default();
    for (position, variable) in items(container, "env").iter().enumerate() {
        let name = validation::text(variable, "name");
        let hides = || {
            let (value, reference) = (validation::text(variable, "value"), format!("$({name})"));
            variable.get("valueFrom").is_some() || value == reference || !value.contains(&reference)
        };
        if !seen.insert(name) && hides() {
            let told =
                format!("hides previous definition of {name:?}, which may be dropped when using apply");
            warn(path.child("env").index(position), &told);
        }
    }
}

/// Returns a text by its path: the names of fields, each after a slash. Unlike in a JSON pointer, nothing is escaped.
pub(in crate::registry) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let found = path.split('/').skip(1).try_fold(value, |value, field| value.get(field));
    found.and_then(Value::as_str).unwrap_or_default()
}
