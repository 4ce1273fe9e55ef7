//! The warnings about Pods and the templates that Pods are made from.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

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

/// Returns the warnings about a Pod, or about a template whose paths begin with `prefix`.
pub(in crate::registry) fn of_pod(prefix: &str, pod: &Value) -> Vec<String> {
    let (spec, annotations) = (&pod["spec"], &pod["metadata"]["annotations"]);
    let mut warnings = Vec::new();
    let mut warn = |place: String, told: &str| warnings.push(format!("{prefix}{place}: {told}"));
    for name in spec["nodeSelector"].as_object().into_iter().flat_map(|selector| selector.keys()) {
        if let Some(told) = node_label(name) {
            warn(format!("spec.nodeSelector[{name}]"), told);
        }
    }
    affinity(spec, &mut warn);
    for (position, constraint) in list(spec, "topologySpreadConstraints") {
        let (place, key) =
            (format!("spec.topologySpreadConstraints[{position}]"), text(constraint, "/topologyKey"));
        if let Some(told) = node_label(key) {
            warn(format!("{place}.topologyKey"), &format!("{key} is {told}"));
        }
        no_selector(constraint, &place, &mut warn);
    }
    for (key, told) in ANNOTATIONS.iter().filter(|(key, _)| annotations.get(key).is_some()) {
        warn(format!("metadata.annotations[{key}]"), told);
    }
    volumes(prefix, spec, &mut warn);
    twins(spec, &mut warn);
    for resource in ["memory", "ephemeral-storage"] {
        fraction(&spec["overhead"], || "spec.overhead".to_owned(), resource, &mut warn);
    }
    seccomp(spec, annotations, &mut warn);
    for (place, container) in containers(spec) {
        of_container(container, &place, &mut warn);
    }
    ports(spec, &mut warn);
    let anti = ["podAffinity", "podAntiAffinity"];
    for kind in anti {
        let path = format!("spec.affinity.{kind}");
        let terms = &spec["affinity"][kind];
        for (position, term) in list(terms, "requiredDuringSchedulingIgnoredDuringExecution") {
            let place = format!("{path}.requiredDuringSchedulingIgnoredDuringExecution[{position}]");
            no_selector(term, &place, &mut warn);
        }
        for (position, term) in list(terms, "preferredDuringSchedulingIgnoredDuringExecution") {
            let place =
                format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{position}].podAffinityTerm");
            no_selector(&term["podAffinityTerm"], &place, &mut warn);
        }
    }
    warnings
}

/// Returns the warnings about the requests of a claim.
pub(in crate::registry) fn claim(spec: &Value, place: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |place: String, told: &str| warnings.push(format!("{place}: {told}"));
    for field in ["requests", "limits"] {
        let amounts = &spec["resources"][field];
        fraction(amounts, || format!("{place}.resources.{field}"), "storage", &mut warn);
    }
    warnings
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = (usize, &'v Value)> + use<'v> {
    value[field].as_array().into_iter().flatten().enumerate()
}

fn node_label(name: &str) -> Option<&'static str> {
    NODE_LABELS.iter().find(|(label, _)| *label == name).map(|(_, told)| *told)
}

/// All containers with their places.
fn containers(spec: &Value) -> impl Iterator<Item = (String, &Value)> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(move |field| {
        list(spec, field).map(move |(position, container)| (format!("spec.{field}[{position}]"), container))
    })
}

fn no_selector(term: &Value, place: &str, warn: &mut impl FnMut(String, &str)) {
    if term.get("labelSelector").is_none_or(Value::is_null) {
        warn(format!("{place}.labelSelector"), "a null labelSelector results in matching no pod");
    }
}

fn affinity(spec: &Value, warn: &mut impl FnMut(String, &str)) {
    let affinity = &spec["affinity"]["nodeAffinity"];
    let path = "spec.affinity.nodeAffinity";
    let mut term = |term: &Value, place: String| {
        for (position, expression) in list(term, "matchExpressions") {
            let key = text(expression, "/key");
            if let Some(told) = node_label(key) {
                warn(format!("{place}.matchExpressions[{position}].key"), &format!("{key} is {told}"));
            }
        }
    };
    let required = &affinity["requiredDuringSchedulingIgnoredDuringExecution"];
    for (position, found) in list(required, "nodeSelectorTerms") {
        let place =
            format!("{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{position}]");
        term(found, place);
    }
    for (position, found) in list(affinity, "preferredDuringSchedulingIgnoredDuringExecution") {
        let place = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{position}].preference");
        term(&found["preference"], place);
    }
}

fn volumes(prefix: &str, spec: &Value, warn: &mut impl FnMut(String, &str)) {
    for (position, volume) in list(spec, "volumes") {
        let sources = volume.as_object().into_iter().flat_map(|volume| volume.keys());
        for source in sources {
            if let Some(told) = retired(source) {
                warn(format!("spec.volumes[{position}].{source}"), told);
            }
        }
        let claim_spec = &volume["ephemeral"]["volumeClaimTemplate"]["spec"];
        if claim_spec.is_null() {
            continue;
        }
        let place = format!("spec.volumes[{position}].ephemeral.volumeClaimTemplate.spec");
        for told in claim(claim_spec, &format!("{prefix}{place}")) {
            if let Some((place, told)) = told.split_once(": ") {
                warn(place.strip_prefix(prefix).unwrap_or(place).to_owned(), told);
            }
        }
    }
}

/// Warns of duplicate entries in lists with keys.
fn twins(spec: &Value, warn: &mut impl FnMut(String, &str)) {
    for (field, key) in [("hostAliases", "ip"), ("imagePullSecrets", "name")] {
        let mut seen = Vec::new();
        for (position, item) in list(spec, field) {
            let value = item[key].as_str().unwrap_or_default();
            if seen.contains(&value) {
                warn(format!("spec.{field}[{position}].{key}"), &format!("duplicate {key} {value:?}"));
            }
            seen.push(value);
        }
    }
    for (position, secret) in list(spec, "imagePullSecrets") {
        if text(secret, "/name").is_empty() {
            warn(format!("spec.imagePullSecrets[{position}].name"), "invalid empty name \"\"");
        }
    }
}

/// An amount of bytes that is no whole number of them.
fn fraction(
    amounts: &Value,
    place: impl FnOnce() -> String,
    resource: &str,
    warn: &mut impl FnMut(String, &str),
) {
    let Some(amount) = amounts[resource].as_str() else { return };
    let parsed = amount.parse::<trimtab_quantity::Quantity>();
    if parsed.is_ok_and(|parsed| parsed.milli_value() % 1000 != 0) {
        let told = format!("fractional byte value {amount:?} is invalid, must be an integer");
        warn(format!("{}[{resource}]", place()), &told);
    }
}

fn seccomp(spec: &Value, annotations: &Value, warn: &mut impl FnMut(String, &str)) {
    const TOLD: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
    if annotations.is_null() {
        return;
    }
    let mut of = |context: &Value, key: String| {
        if context.get("seccompProfile").is_none() && annotations.get(&key).is_some() {
            warn(format!("metadata.annotations[{key}]"), TOLD);
        }
    };
    of(&spec["securityContext"], "seccomp.security.alpha.kubernetes.io/pod".to_owned());
    for (_, container) in containers(spec) {
        let key = format!("container.seccomp.security.alpha.kubernetes.io/{}", text(container, "/name"));
        of(&container["securityContext"], key);
    }
}

fn of_container(container: &Value, place: &str, warn: &mut impl FnMut(String, &str)) {
    for resource in ["memory", "ephemeral-storage"] {
        for field in ["limits", "requests"] {
            let amounts = &container["resources"][field];
            fraction(amounts, || format!("{place}.resources.{field}"), resource, warn);
        }
    }
    let mut seen = HashSet::new();
    for (position, variable) in list(container, "env") {
        let name = text(variable, "/name");
        let hides = || {
            let (value, reference) = (text(variable, "/value"), format!("$({name})"));
            variable.get("valueFrom").is_some() || value == reference || !value.contains(&reference)
        };
        if !seen.insert(name) && hides() {
            let told =
                format!("hides previous definition of {name:?}, which may be dropped when using apply");
            warn(format!("{place}.env[{position}]"), &told);
        }
    }
}

fn ports(spec: &Value, warn: &mut impl FnMut(String, &str)) {
    let all = || {
        containers(spec).flat_map(|(place, container)| {
            list(container, "ports").map(move |(position, port)| (format!("{place}.ports[{position}]"), port))
        })
    };
    let mut numbers: BTreeMap<(i64, &str), Vec<(String, &Value)>> = BTreeMap::new();
    for (place, port) in all() {
        let host_port = |port: &Value| port["hostPort"].as_i64().unwrap_or(0);
        let key = (port["containerPort"].as_i64().unwrap_or(0), text(port, "/protocol"));
        let others = numbers.entry(key).or_default();
        for (other_place, other) in others.iter() {
            let (address, other_address) = (text(port, "/hostIP"), text(other, "/hostIP"));
            let (number, other_number) = (host_port(port), host_port(other));
            if address == other_address && number == other_number {
                warn(place.clone(), &format!("duplicate port definition with {other_place}"));
            } else if number == 0 || other_number == 0 {
                warn(place.clone(), &format!("overlapping port definition with {other_place}"));
            } else if number == other_number && address.is_empty() != other_address.is_empty() {
                warn(place.clone(), &format!("dangerously ambiguous port definition with {other_place}"));
            }
        }
        others.push((place, port));
    }
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (place, port) in all() {
        let name = text(port, "/name");
        if name.is_empty() {
            continue;
        }
        match names.get(name) {
            None => drop(names.insert(name, place)),
            Some(other) => {
                let told = format!(
                    "duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
                );
                warn(place, &told);
            }
        }
    }
}

/// Returns a text by its path: the names of fields, each after a slash. Unlike in a JSON pointer, nothing is escaped.
pub(in crate::registry) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    let found = path.split('/').skip(1).try_fold(value, |value, field| value.get(field));
    found.and_then(Value::as_str).unwrap_or_default()
}
