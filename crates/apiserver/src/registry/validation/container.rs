//! Validation of containers: ports, environment, mounts, resources, security.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    data, duplicate, items, names, object,
    probe::{lifecycle, probes},
    resources::{resize_policies, resources},
    security::{identity, profiles},
    seen::Seen,
    text, volume,
};
use crate::api::{path::Path, status::Cause};

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
pub(super) fn container(
    container: &Value,
    path: &Path<'_>,
    pod: &Pod<'_>,
    role: Role,
    causes: &mut Vec<Cause>,
) {
    match text(container, "name") {
        "" => causes.push(Cause::required(path.child("name"), "")),
        name => super::faulty(name, path.child("name"), names::label_faults(name), causes),
    }
    let image = text(container, "image");
    if image.is_empty() {
        causes.push(Cause::required(path.child("image"), ""));
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
    if let Some(requirements) = object(container, "resources") {
        resources(requirements, &path.child("resources"), pod, causes);
    }
    resize_policies(container, path, pod, causes);
    if let Some(context) = object(container, "securityContext") {
        security(context, &path.child("securityContext"), causes);
    }
    if pod.is_pod && image.trim() != image {
        let because = "must not have leading or trailing whitespace";
        causes.push(Cause::invalid(path.child("image"), &json!(image), because));
    }
    roles(container, path, pod, role, causes);
}

/// The fields that only some containers have.
fn roles(container: &Value, path: &Path<'_>, pod: &Pod<'_>, role: Role, causes: &mut Vec<Cause>) {
    let policy = &container["restartPolicy"];
    match role {
        Role::Regular => {}
        Role::Init if policy == "Always" => {}
        Role::Init => {
            for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container[field].is_object() {
                    let because = "may not be set for init containers without restartPolicy=Always";
                    causes.push(Cause::forbidden(path.child(field), because));
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
                    causes.push(Cause::forbidden(path.child(field), because));
                }
            }
            return;
        }
    }
    if let Some(hooks) = object(container, "lifecycle") {
        lifecycle(hooks, &path.child("lifecycle"), &pod.spec["os"], causes);
    }
    probes(container, path, causes);
    if policy.is_string() {
        super::one_of(policy, path.child("restartPolicy"), &["Always", "Never", "OnFailure"], causes);
    } else if !items(container, "restartPolicyRules").is_empty() {
        let because = "must specify restartPolicy when restart rules are used";
        causes.push(Cause::required(path.child("restartPolicy"), because));
    }
}

/// A field that has a default, and one of `known` as its value.
pub(super) fn one_of_or_required(
    owner: &Value,
    field: &str,
    path: &Path<'_>,
    known: &[&str],
    causes: &mut Vec<Cause>,
) {
    let value = &owner[field];
    match value.as_str() {
        Some("") => causes.push(Cause::required(path.child(field), "")),
        _ => super::one_of(value, path.child(field), known, causes),
    }
}

fn ports(container: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    const PORT_RULE: &str = "must be between 1 and 65535, inclusive";
    let mut names = Seen::default();
    let list = path.child("ports");
    for (position, port) in items(container, "ports").iter().enumerate() {
        let path = list.index(position);
        let name = text(port, "name");
        if !name.is_empty() {
            let faults = names::port_name_faults(name);
            if faults.is_empty() && !names.insert(name) {
                causes.push(duplicate(path.child("name"), &json!(name)));
            }
            super::faulty(name, path.child("name"), faults, causes);
        }
        match port["containerPort"].as_i64().unwrap_or(0) {
            0 => causes.push(Cause::required(path.child("containerPort"), "")),
            1..=65535 => {}
            number => causes.push(Cause::invalid(path.child("containerPort"), &json!(number), PORT_RULE)),
        }
        if let Some(number) = port["hostPort"].as_i64().filter(|number| !(0..=65535).contains(number)) {
            causes.push(Cause::invalid(path.child("hostPort"), &json!(number), PORT_RULE));
        }
        one_of_or_required(port, "protocol", &path, &["SCTP", "TCP", "UDP"], causes);
    }
}

/// Validates the name of a variable, or a prefix of names.
fn variable_name(name: &str, field: Path<'_>, causes: &mut Vec<Cause>) {
    if !name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        let because = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        causes.push(Cause::invalid(field, &json!(name), because));
    }
}

fn environment(container: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    const SOURCES: [&str; 5] =
        ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
    let list = path.child("env");
    for (position, variable) in items(container, "env").iter().enumerate() {
        let path = list.index(position);
        match text(variable, "name") {
            "" => causes.push(Cause::required(path.child("name"), "")),
            name => variable_name(name, path.child("name"), causes),
        }
        let Some(from) = object(variable, "valueFrom") else { continue };
        let path = path.child("valueFrom");
        let mut count = 0;
        for source in SOURCES {
            let Some(reference) = object(from, source) else { continue };
            source_of_value(source, reference, &path.child(source), causes);
            count += 1;
        }
        let because = match count {
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

fn source_of_value(source: &str, from: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    match source {
        "fieldRef" => volume::field_reference(from, path, false, causes),
        "resourceFieldRef" => volume::resource_reference(from, path, false, causes),
        "fileKeyRef" => {
            for field in
                ["key", "volumeName", "path"].into_iter().filter(|field| text(from, field).is_empty())
            {
                causes.push(Cause::required(path.child(field), ""));
            }
        }
        _ => {
            let name = text(from, "name");
            super::faulty(name, path.child("name"), names::subdomain_faults(name), causes);
            match text(from, "key") {
                "" => causes.push(Cause::required(path.child("key"), "")),
                key => data::key(key, path.child("key"), causes),
            }
        }
    }
}

fn sources_of_environment(container: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let list = path.child("envFrom");
    for (position, source) in items(container, "envFrom").iter().enumerate() {
        let path = list.index(position);
        variable_name(text(source, "prefix"), path.child("prefix"), causes);
        let mut count = 0;
        for kind in ["configMapRef", "secretRef"] {
            let Some(reference) = object(source, kind) else { continue };
            count += 1;
            let path = path.child(kind);
            match text(reference, "name") {
                "" => causes.push(Cause::required(path.child("name"), "")),
                name => {
                    // Upstream looks at the name as at a prefix of one.
                    let faults = names::subdomain_faults(name.strip_suffix('-').map_or(name, |_| "a"));
                    super::faulty(name, path.child("name"), faults, causes);
                }
            }
        }
        let because = match count {
            0 => "must specify one of: `configMapRef` or `secretRef`",
            1 => continue,
            _ => "may not have more than one field specified at a time",
        };
        causes.push(Cause::invalid(list, &json!(""), because));
    }
}

fn mounts(container: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let devices = items(container, "volumeDevices");
    let mut points = Seen::default();
    let list = path.child("volumeMounts");
    for (position, mount) in items(container, "volumeMounts").iter().enumerate() {
        let path = list.index(position);
        let (name, point) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            causes.push(Cause::required(path.child("name"), ""));
        }
        if !pod.volumes.contains_key(name) {
            causes.push(not_found(path.child("name"), name));
        }
        if point.is_empty() {
            causes.push(Cause::required(path.child("mountPath"), ""));
        }
        if !points.insert(point) {
            causes.push(Cause::invalid(path.child("mountPath"), &json!(point), "must be unique"));
        }
        if devices.iter().any(|device| text(device, "name") == name) {
            causes.push(Cause::invalid(
                path.child("name"),
                &json!(name),
                "must not already exist in volumeDevices",
            ));
        }
        if devices.iter().any(|device| text(device, "devicePath") == point) {
            let because = "must not already exist as a path in volumeDevices";
            causes.push(Cause::invalid(path.child("mountPath"), &json!(point), because));
        }
        let (sub_path, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
        volume::descending(sub_path, list.child("subPath"), causes);
        if !sub_path.is_empty() && !expression.is_empty() {
            let because = "subPathExpr and subPath are mutually exclusive";
            causes.push(Cause::invalid(path.child("subPathExpr"), &json!(expression), because));
        }
        volume::descending(expression, list.child("subPathExpr"), causes);
        propagation(container, mount, &list, causes);
    }
}

fn propagation(container: &Value, mount: &Value, list: &Path<'_>, causes: &mut Vec<Cause>) {
    let (field, propagation) = (list.child("mountPropagation"), &mount["mountPropagation"]);
    super::one_of(propagation, field, &["Bidirectional", "HostToContainer", "None"], causes);
    if propagation == "Bidirectional" && container["securityContext"]["privileged"] != true {
        let because = "Bidirectional mount propagation is available only to privileged containers";
        causes.push(Cause::forbidden(field, because));
    }
    let (field, recursive) = (list.child("recursiveReadOnly"), &mount["recursiveReadOnly"]);
    match recursive.as_str() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount["readOnly"] != true {
                causes.push(Cause::forbidden(field, "may only be specified when readOnly is true"));
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

fn devices(container: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    let (mut names, mut paths) = (Seen::default(), Seen::default());
    let list = path.child("volumeDevices");
    let mounts = items(container, "volumeMounts");
    for (position, device) in items(container, "volumeDevices").iter().enumerate() {
        let path = list.index(position);
        let (name, device_path) = (text(device, "name"), text(device, "devicePath"));
        if name.is_empty() {
            causes.push(Cause::required(path.child("name"), ""));
        }
        if !names.insert(name) {
            causes.push(Cause::invalid(path.child("name"), &json!(name), "must be unique"));
        }
        match pod.volumes.get(name) {
            Some(volume)
                if !volume["persistentVolumeClaim"].is_object() && !volume["ephemeral"].is_object() =>
            {
                let because =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                causes.push(Cause::invalid(path.child("name"), &json!(name), because));
            }
            Some(_) => {}
            None => causes.push(not_found(path.child("name"), name)),
        }
        if device_path.is_empty() {
            causes.push(Cause::required(path.child("devicePath"), ""));
        }
        if !paths.insert(device_path) {
            causes.push(Cause::invalid(path.child("devicePath"), &json!(device_path), "must be unique"));
        }
        if !device_path.is_empty() && device_path.split('/').any(|part| part == "..") {
            let because = "can not contain backsteps ('..')";
            causes.push(Cause::invalid(path.child("devicePath"), &json!(device_path), because));
        }
        if mounts.iter().any(|mount| text(mount, "name") == name) {
            causes.push(Cause::invalid(
                path.child("name"),
                &json!(name),
                "must not already exist in volumeMounts",
            ));
        }
        if mounts.iter().any(|mount| text(mount, "mountPath") == device_path) {
            let because = "must not already exist as a path in volumeMounts";
            causes.push(Cause::invalid(path.child("devicePath"), &json!(device_path), because));
        }
    }
}

pub(super) fn not_found(field: Path<'_>, name: &str) -> Cause {
    Cause::new("FieldValueNotFound", field, format!("Not found: {name:?}"))
}

/// Adds the errors of a container's security context.
fn security(context: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for field in ["runAsUser", "runAsGroup"] {
        identity(&context[field], path.child(field), causes);
    }
    let mount = &context["procMount"];
    super::one_of(mount, path.child("procMount"), &["Default", "Unmasked"], causes);
    if mount == "Unmasked" {
        let because = "`hostUsers` must be false to use `Unmasked`";
        causes.push(Cause::invalid(path.child("procMount"), mount, because));
    }
    profiles(context, path, causes);
}
