//! Validation of containers: ports, environment, mounts, resources, security.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    data, duplicate, items, names,
    probe::{lifecycle, probes},
    resources::{resize_policies, resources},
    text, volume,
};
use crate::api::status::Cause;

/// A container's place in its Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Regular,
    Init,
    Ephemeral,
}

/// The facts of a Pod that the rules of its containers need.
pub(super) struct Pod<'a> {
    pub(super) spec: &'a Value,
    /// The sources of the valid volumes.
    pub(super) volumes: &'a BTreeMap<&'a str, &'a Value>,
    /// Whether it is a Pod, and not a template.
    pub(super) is_pod: bool,
}

/// Adds the errors of a container.
pub(super) fn container(container: &Value, path: &str, pod: &Pod<'_>, role: Role, causes: &mut Vec<Cause>) {
    let at = |field: &str| format!("{path}.{field}");
    let name = text(container, "name");
    if name.is_empty() {
        causes.push(Cause::required(at("name"), ""));
    }
    for fault in names::label_faults(name).into_iter().filter(|_| !name.is_empty()) {
        causes.push(Cause::invalid(at("name"), &json!(name), fault));
    }
    let image = text(container, "image");
    if image.is_empty() {
        causes.push(Cause::required(at("image"), ""));
    }
    one_of_or_required(
        container,
        "terminationMessagePolicy",
        path,
        &["File", "FallbackToLogsOnError"],
        causes,
    );
    ports(container, path, causes);
    environment(container, path, causes);
    sources_of_environment(container, path, causes);
    mounts(container, path, pod, causes);
    devices(container, path, pod, causes);
    one_of_or_required(container, "imagePullPolicy", path, &["Always", "IfNotPresent", "Never"], causes);
    resources(&container["resources"], &at("resources"), pod, causes);
    resize_policies(container, path, pod, causes);
    security(&container["securityContext"], &at("securityContext"), causes);
    if pod.is_pod && image.trim() != image {
        let because = "must not have leading or trailing whitespace";
        causes.push(Cause::invalid(at("image"), &json!(image), because));
    }
    roles(container, path, pod, role, causes);
}

/// The fields that only some containers have.
fn roles(container: &Value, path: &str, pod: &Pod<'_>, role: Role, causes: &mut Vec<Cause>) {
    let restarts = container["restartPolicy"] == "Always";
    match role {
        Role::Regular => {}
        Role::Init if restarts => {}
        Role::Init => {
            for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container[field].is_object() {
                    let because = "may not be set for init containers without restartPolicy=Always";
                    causes.push(Cause::forbidden(format!("{path}.{field}"), because));
                }
            }
            return;
        }
        Role::Ephemeral => {
            for field in
                ["lifecycle", "livenessProbe", "ports", "readinessProbe", "resizePolicy", "startupProbe"]
            {
                let value = &container[field];
                if value.is_object() || value.as_array().is_some_and(|list| !list.is_empty()) {
                    let because = "cannot be set for an Ephemeral Container";
                    causes.push(Cause::forbidden(format!("{path}.{field}"), because));
                }
            }
            return;
        }
    }
    if container["lifecycle"].is_object() {
        lifecycle(&container["lifecycle"], &format!("{path}.lifecycle"), &pod.spec["os"], causes);
    }
    probes(container, path, causes);
    let policy = &container["restartPolicy"];
    if policy.is_string() {
        super::one_of(policy, || format!("{path}.restartPolicy"), &["Always", "Never", "OnFailure"], causes);
    } else if !items(container, "restartPolicyRules").is_empty() {
        let because = "must specify restartPolicy when restart rules are used";
        causes.push(Cause::required(format!("{path}.restartPolicy"), because));
    }
}

/// A field that has a default, and one of `known` as its value.
fn one_of_or_required(owner: &Value, field: &str, path: &str, known: &[&str], causes: &mut Vec<Cause>) {
    match owner[field].as_str() {
        Some("") => causes.push(Cause::required(format!("{path}.{field}"), "")),
        _ => super::one_of(&owner[field], || format!("{path}.{field}"), known, causes),
    }
}

fn ports(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    const PORT_RULE: &str = "must be between 1 and 65535, inclusive";
    let mut names = BTreeSet::new();
    for (position, port) in items(container, "ports").iter().enumerate() {
        let at = |field: &str| format!("{path}.ports[{position}].{field}");
        let name = text(port, "name");
        if !name.is_empty() {
            let faults = names::port_name_faults(name);
            if faults.is_empty() && !names.insert(name) {
                causes.push(duplicate(at("name"), &json!(name)));
            }
            for fault in faults {
                causes.push(Cause::invalid(at("name"), &json!(name), fault));
            }
        }
        match port["containerPort"].as_i64().unwrap_or(0) {
            0 => causes.push(Cause::required(at("containerPort"), "")),
            1..=65535 => {}
            number => causes.push(Cause::invalid(at("containerPort"), &json!(number), PORT_RULE)),
        }
        if let Some(number) = port["hostPort"].as_i64().filter(|number| !(0..=65535).contains(number)) {
            causes.push(Cause::invalid(at("hostPort"), &json!(number), PORT_RULE));
        }
        let path = format!("{path}.ports[{position}]");
        one_of_or_required(port, "protocol", &path, &["SCTP", "TCP", "UDP"], causes);
    }
}

/// Validates the name of a variable, or a prefix of names.
fn variable_name(name: &str, field: String, causes: &mut Vec<Cause>) {
    if !name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        let because = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        causes.push(Cause::invalid(field, &json!(name), because));
    }
}

fn environment(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    const SOURCES: [&str; 5] =
        ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
    for (position, variable) in items(container, "env").iter().enumerate() {
        let field = format!("{path}.env[{position}].name");
        match text(variable, "name") {
            "" => causes.push(Cause::required(field, "")),
            name => variable_name(name, field, causes),
        }
        let from = &variable["valueFrom"];
        if !from.is_object() {
            continue;
        }
        let path = format!("{path}.env[{position}].valueFrom");
        let set: Vec<&str> = SOURCES.into_iter().filter(|source| from[source].is_object()).collect();
        for source in &set {
            source_of_value(source, &from[source], &format!("{path}.{source}"), causes);
        }
        let because = match set.len() {
            0 => {
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            }
            _ if !text(variable, "value").is_empty() => "may not be specified when `value` is not empty",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        causes.push(Cause::invalid(path, &json!(""), because));
    }
}

fn source_of_value(source: &str, from: &Value, path: &str, causes: &mut Vec<Cause>) {
    match source {
        "fieldRef" => volume::field_reference(from, path, false, causes),
        "resourceFieldRef" => volume::resource_reference(from, path, false, causes),
        "fileKeyRef" => {
            for field in
                ["key", "volumeName", "path"].into_iter().filter(|field| text(from, field).is_empty())
            {
                causes.push(Cause::required(format!("{path}.{field}"), ""));
            }
        }
        _ => {
            for fault in names::subdomain_faults(text(from, "name")) {
                causes.push(Cause::invalid(format!("{path}.name"), &json!(text(from, "name")), fault));
            }
            match text(from, "key") {
                "" => causes.push(Cause::required(format!("{path}.key"), "")),
                key => data::key(key, &format!("{path}.key"), causes),
            }
        }
    }
}

fn sources_of_environment(container: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (position, source) in items(container, "envFrom").iter().enumerate() {
        let at = |field: &str| format!("{path}.envFrom[{position}].{field}");
        variable_name(text(source, "prefix"), at("prefix"), causes);
        let set: Vec<&str> =
            ["configMapRef", "secretRef"].into_iter().filter(|name| source[name].is_object()).collect();
        for name in &set {
            match text(&source[name], "name") {
                "" => causes.push(Cause::required(at(&format!("{name}.name")), "")),
                of => {
                    // Upstream looks at the name as at a prefix of one.
                    for fault in names::subdomain_faults(of.strip_suffix('-').map_or(of, |_| "a")) {
                        causes.push(Cause::invalid(at(&format!("{name}.name")), &json!(of), fault));
                    }
                }
            }
        }
        let because = match set.len() {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        causes.push(Cause::invalid(format!("{path}.envFrom"), &json!(""), because));
    }
}

fn mounts(container: &Value, path: &str, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let devices = items(container, "volumeDevices");
    let mut points = BTreeSet::new();
    let list = format!("{path}.volumeMounts");
    for (position, mount) in items(container, "volumeMounts").iter().enumerate() {
        let at = |field: &str| format!("{list}[{position}].{field}");
        let (name, point) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            causes.push(Cause::required(at("name"), ""));
        }
        if !pod.volumes.contains_key(name) {
            causes.push(not_found(at("name"), name));
        }
        if point.is_empty() {
            causes.push(Cause::required(at("mountPath"), ""));
        }
        if !points.insert(point) {
            causes.push(Cause::invalid(at("mountPath"), &json!(point), "must be unique"));
        }
        if devices.iter().any(|device| text(device, "name") == name) {
            causes.push(Cause::invalid(at("name"), &json!(name), "must not already exist in volumeDevices"));
        }
        if devices.iter().any(|device| text(device, "devicePath") == point) {
            let because = "must not already exist as a path in volumeDevices";
            causes.push(Cause::invalid(at("mountPath"), &json!(point), because));
        }
        for field in ["subPath", "subPathExpr"].into_iter().filter(|field| !text(mount, field).is_empty()) {
            if field == "subPathExpr" && !text(mount, "subPath").is_empty() {
                let because = "subPathExpr and subPath are mutually exclusive";
                causes.push(Cause::invalid(at(field), &mount[field], because));
            }
            volume::descending(text(mount, field), &format!("{list}.{field}"), causes);
        }
        propagation(container, mount, &list, causes);
    }
}

fn propagation(container: &Value, mount: &Value, list: &str, causes: &mut Vec<Cause>) {
    let (field, propagation) = (format!("{list}.mountPropagation"), &mount["mountPropagation"]);
    super::one_of(propagation, || field.as_str(), &["Bidirectional", "HostToContainer", "None"], causes);
    if propagation == "Bidirectional" && container["securityContext"]["privileged"] != true {
        let because = "Bidirectional mount propagation is available only to privileged containers";
        causes.push(Cause::forbidden(field, because));
    }
    let (field, recursive) = (format!("{list}.recursiveReadOnly"), &mount["recursiveReadOnly"]);
    match recursive.as_str() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount["readOnly"] != true {
                causes.push(Cause::forbidden(field.as_str(), "may only be specified when readOnly is true"));
            }
            if propagation.as_str().is_some_and(|propagation| propagation != "None") {
                let because = "may only be specified when mountPropagation is None or not specified";
                causes.push(Cause::forbidden(field, because));
            }
        }
        Some(_) => {
            causes.push(Cause::not_supported(field, recursive, &["Disabled", "Enabled", "IfPossible"]));
        }
    }
}

fn devices(container: &Value, path: &str, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let mounts = items(container, "volumeMounts");
    for (position, device) in items(container, "volumeDevices").iter().enumerate() {
        let at = |field: &str| format!("{path}.volumeDevices[{position}].{field}");
        let (name, device_path) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            causes.push(Cause::required(at("name"), ""));
        }
        if !names.insert(name) {
            causes.push(Cause::invalid(at("name"), &json!(name), "must be unique"));
        }
        match pod.volumes.get(name) {
            Some(volume)
                if !volume["persistentVolumeClaim"].is_object() && !volume["ephemeral"].is_object() =>
            {
                let because =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                causes.push(Cause::invalid(at("name"), &json!(name), because));
            }
            Some(_) => {}
            None => causes.push(not_found(at("name"), name)),
        }
        if device_path.is_empty() {
            causes.push(Cause::required(at("devicePath"), ""));
        }
        if !paths.insert(device_path) {
            causes.push(Cause::invalid(at("devicePath"), &json!(device_path), "must be unique"));
        }
        if !device_path.is_empty() && device_path.split('/').any(|part| part == "..") {
            let because = "can not contain backsteps ('..')";
            causes.push(Cause::invalid(at("devicePath"), &json!(device_path), because));
        }
        if mounts.iter().any(|mount| text(mount, "name") == name) {
            causes.push(Cause::invalid(at("name"), &json!(name), "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|mount| text(mount, "mountPath") == device_path) {
            let because = "must not already exist as a path in volumeMounts";
            causes.push(Cause::invalid(at("devicePath"), &json!(device_path), because));
        }
    }
}

pub(super) fn not_found(field: String, name: &str) -> Cause {
    Cause::new("FieldValueNotFound", field, format!("Not found: {name:?}"))
}

/// Adds the errors of a container's security context.
fn security(context: &Value, path: &str, causes: &mut Vec<Cause>) {
    for field in ["runAsUser", "runAsGroup"] {
        super::placement::identity(&context[field], format!("{path}.{field}"), causes);
    }
    if context["procMount"].is_string() {
        let known = ["Default", "Unmasked"];
        super::one_of(&context["procMount"], || format!("{path}.procMount"), &known, causes);
        if context["procMount"] == "Unmasked" {
            let because = "`hostUsers` must be false to use `Unmasked`";
            causes.push(Cause::invalid(format!("{path}.procMount"), &context["procMount"], because));
        }
    }
    super::placement::profiles(context, path, causes);
}
