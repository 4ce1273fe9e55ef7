//! Validation of a Pod's volumes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    container::Pod,
    duplicate, items, names, object, text,
    volume_source::{Owner, of_type},
};
use crate::{
    api::{path::Path, status::Cause},
    registry::quantity,
};

/// The sources of volumes, in upstream's order.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

const MODE_RULE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// Adds the errors of the volumes of a Pod, and returns those without errors.
pub(super) fn volumes<'a>(
    spec: &'a Value,
    path: &Path<'_>,
    causes: &mut Vec<Cause>,
) -> BTreeMap<&'a str, &'a Value> {
    let mut known = BTreeMap::new();
    let list = path.child("volumes");
    for (position, volume) in items(spec, "volumes").iter().enumerate() {
        let (name, path) = (text(volume, "name"), list.index(position));
        let before = causes.len();
        source(volume, &path, causes);
        match name {
            "" => causes.push(Cause::required(path.child("name"), "")),
            name => super::faulty(name, path.child("name"), names::label_faults(name), causes),
        }
        if known.contains_key(name) {
            causes.push(duplicate(path.child("name"), &json!(name)));
        }
        if causes.len() == before {
            known.insert(name, volume);
        }
    }
    known
}

/// Adds the errors of a volume's source.
fn source(volume: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let fields = volume.as_object().into_iter().flatten();
    let mut set = fields.filter(|(name, source)| source.is_object() && SOURCES.contains(&name.as_str()));
    match (set.next(), set.next()) {
        (None, _) => causes.push(Cause::required(path, "must specify a volume type")),
        (Some((name, source)), None) => of_type(name, source, &path.child(name), Owner::Pod, causes),
        (Some(_), Some(_)) => {
            let mut in_order = SOURCES.into_iter().filter_map(|name| Some((name, object(volume, name)?)));
            if let Some((name, source)) = in_order.next() {
                of_type(name, source, &path.child(name), Owner::Pod, causes);
            }
            let because = "may not specify more than 1 volume type";
            // Upstream's misspelling.
            let field = |name| if name == "downwardAPI" { "downwarAPI" } else { name };
            causes.extend(in_order.map(|(name, _)| Cause::forbidden(path.child(field(name)), because)));
        }
    }
}

/// The bits of a file's mode.
pub(super) fn mode(mode: &Value, field: Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(mode) = mode.as_i64().filter(|mode| !(0..=0o777).contains(mode)) {
        causes.push(Cause::invalid(field, &json!(mode), MODE_RULE));
    }
}

/// The keys of a Secret or a `ConfigMap` that become files.
pub(super) fn keys(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let list = path.child("items");
    for (position, item) in items(source, "items").iter().enumerate() {
        let (path, file) = (list.index(position), text(item, "path"));
        if text(item, "key").is_empty() {
            causes.push(Cause::required(path.child("key"), ""));
        }
        if file.is_empty() {
            causes.push(Cause::required(path.child("path"), ""));
        }
        not_reserved(file, path.child("path"), causes);
        mode(&item["mode"], path.child("mode"), causes);
    }
}

pub(super) fn downward_files(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, item) in items(source, "items").iter().enumerate() {
        downward_file(item, &path.child("items").index(position), causes);
    }
}

fn downward_file(file: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let name = text(file, "path");
    if name.is_empty() {
        causes.push(Cause::required(path.child("path"), ""));
    }
    not_reserved(name, path.child("path"), causes);
    let (field, resource) = (&file["fieldRef"], &file["resourceFieldRef"]);
    match (field.is_object(), resource.is_object()) {
        (true, both) => {
            field_reference(field, &path.child("fieldRef"), true, causes);
            if both {
                let because = "fieldRef and resourceFieldRef can not be specified simultaneously";
                causes.push(Cause::invalid(path, &json!("resource"), because));
            }
        }
        (false, true) => resource_reference(resource, &path.child("resourceFieldRef"), true, causes),
        (false, false) => {
            causes.push(Cause::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    mode(&file["mode"], path.child("mode"), causes);
}

/// A path that stays within its folder (`validateLocalDescendingPath`).
pub(in crate::registry) fn descending(path: &str, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    if path.starts_with('/') {
        causes.push(Cause::invalid(field, &json!(path), "must be a relative path"));
    }
    without_backsteps(path, field, causes);
}

/// A path that leads nowhere up (`validatePathNoBacksteps`).
pub(in crate::registry) fn without_backsteps(path: &str, field: impl Into<String>, causes: &mut Vec<Cause>) {
    if path.split('/').any(|part| part == "..") {
        causes.push(Cause::invalid(field, &json!(path), "must not contain '..'"));
    }
}

pub(super) fn not_reserved(path: &str, field: Path<'_>, causes: &mut Vec<Cause>) {
    descending(path, field, causes);
    if path.starts_with("..") && !path.starts_with("../") && path != ".." {
        causes.push(Cause::invalid(field, &json!(path), "must not start with '..'"));
    }
}

/// A reference to a field of the Pod (`validateObjectFieldSelector`).
pub(super) fn field_reference(reference: &Value, path: &Path<'_>, is_file: bool, causes: &mut Vec<Cause>) {
    let in_files =
        ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
    let in_variables = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let (version, whole) = (text(reference, "apiVersion"), text(reference, "fieldPath"));
    for (field, value) in [("apiVersion", version), ("fieldPath", whole)] {
        if value.is_empty() {
            causes.push(Cause::required(path.child(field), ""));
            return;
        }
    }
    let field = path.child("fieldPath");
    if version != "v1" {
        let because = format!("error converting fieldPath: unsupported pod version: {version}");
        causes.push(Cause::invalid(field, &json!(whole), because));
        return;
    }
    let subscript = whole.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    match subscript {
        Some((of @ ("metadata.annotations" | "metadata.labels"), key)) => {
            let key = if of == "metadata.annotations" { super::lower_case(key) } else { key.into() };
            super::faulty(&key, path, names::qualified_faults(&key), causes);
        }
        Some((of, _)) if in_variables.contains(&of) => {
            let because = "error converting fieldPath: field label does not support subscript";
            causes.push(Cause::invalid(field, &json!(whole), because));
        }
        _ => {
            let is_label = in_variables.contains(&whole)
                || in_files.contains(&whole)
                || matches!(
                    whole,
                    "spec.restartPolicy" | "spec.schedulerName" | "status.phase" | "spec.hostNetwork"
                );
            let known: &[&str] = if is_file { &in_files } else { &in_variables };
            if !is_label {
                let because = format!("error converting fieldPath: field label not supported: {whole}");
                causes.push(Cause::invalid(field, &json!(whole), because));
            } else if !known.contains(&whole) {
                causes.push(Cause::not_supported(field, &json!(whole), known));
            }
        }
    }
}

/// A reference to a resource of a container (`validateContainerResourceFieldSelector`).
pub(super) fn resource_reference(reference: &Value, path: &Path<'_>, is_file: bool, causes: &mut Vec<Cause>) {
    let known = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = text(reference, "resource");
    let is_huge = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if is_file && text(reference, "containerName").is_empty() {
        causes.push(Cause::required(path.child("containerName"), ""));
    } else if resource.is_empty() {
        causes.push(Cause::required(path.child("resource"), ""));
    } else if !known.contains(&resource) && !is_huge {
        causes.push(Cause::not_supported(path.child("resource"), &json!(resource), &known));
    }
    divisor(reference, resource, path, causes);
}

fn divisor(reference: &Value, resource: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let Some(divisor) = quantity::of(&reference["divisor"]).filter(|divisor| !divisor.is_zero()) else {
        return;
    };
    let shown = divisor.to_string();
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let what = match resource.split_once('.') {
        Some((_, "cpu")) if !matches!(&*shown, "1m" | "1") => {
            let because = "only divisor's values 1m and 1 are supported with the cpu resource";
            causes.push(Cause::invalid(path.child("divisor"), &json!(resource), because));
            return;
        }
        Some((_, "memory")) => "memory",
        Some((_, "ephemeral-storage")) => "local ephemeral storage",
        Some((_, other)) if other.starts_with("hugepages-") => "hugepages",
        _ => return,
    };
    if !sizes.contains(&&*shown) {
        let because =
            format!("only divisor's values {} are supported with the {what} resource", sizes.join(", "));
        causes.push(Cause::invalid(path.child("divisor"), &json!(resource), because));
    }
}

/// The Pod's rules need its volumes.
pub(super) fn pod<'a>(spec: &'a Value, volumes: &'a BTreeMap<&'a str, &'a Value>, is_pod: bool) -> Pod<'a> {
    Pod { spec, volumes, is_pod }
}
