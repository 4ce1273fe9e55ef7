//! Validation of the source of a volume, of a Pod's or of a `PersistentVolume`.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::{
    faulty, items, names, projected, text,
    volume::{descending, downward_files, keys, mode, without_backsteps},
};
use crate::{
    api::{path::Path, status::Cause},
    registry::quantity,
};

/// The object that has a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Owner<'a> {
    /// A Pod, or the template of one.
    Pod,
    /// A `PersistentVolume` of this name.
    Volume(&'a str),
}

/// The forms of the names of iSCSI's initiators and targets, each with its beginning.
static ISCSI_NAMES: LazyLock<[(&str, Regex); 3]> = LazyLock::new(|| {
    let form = |form| Regex::new(form).expect("a regular expression");
    [
        ("iqn", form(r"iqn\.[0-9]{4}-[0-9]{2}\.[[:alnum:].-]+:[^,;*&$|\s]+$")),
        ("eui", form(r"^eui.[[:alnum:]]{16}$")),
        ("naa", form(r"^naa.[[:alnum:]]{32}$")),
    ]
});

const PARTITION_RULE: &str = "must be between 1 and 255, inclusive";
const UNIT_RULE: &str = "must be between 0 and 255, inclusive";
const REGISTRY_RULE: &str = "must be a host:port pair or multiple pairs separated by commas";

/// Adds the errors of a source of one type (`validateVolumeSource`, `ValidatePersistentVolumeSpec`).
pub(in crate::registry) fn of_type(
    name: &str,
    source: &Value,
    path: &Path<'_>,
    owner: Owner<'_>,
    causes: &mut Vec<Cause>,
) {
    for field in required(name).iter().filter(|field| text(source, field).is_empty()) {
        // Upstream names this one by another path.
        let field = path.child(field).to_string().replace("gcePersistentDisk", "persistentDisk");
        causes.push(Cause::required(field, ""));
    }
    match name {
        "emptyDir" if quantity::of(&source["sizeLimit"]).is_some_and(|limit| limit.signum() < 0) => {
            let because = "SizeLimit field must be a valid resource quantity";
            causes.push(Cause::forbidden(path.child("sizeLimit"), because));
        }
        "hostPath" if !text(source, "path").is_empty() => host_path(source, path, causes),
        "gitRepo" => descending(text(source, "directory"), path.child("directory"), causes),
        "secret" | "configMap" => {
            mode(&source["defaultMode"], path.child("defaultMode"), causes);
            keys(source, path, causes);
        }
        "nfs" if !text(source, "path").starts_with('/') => {
            let because = "must be an absolute path";
            causes.push(Cause::invalid(path.child("path"), &json!(text(source, "path")), because));
        }
        "cephfs" | "rbd" if items(source, "monitors").is_empty() => {
            causes.push(Cause::required(path.child("monitors"), ""));
        }
        "gcePersistentDisk" | "awsElasticBlockStore" => partition(source, path, causes),
        "iscsi" => iscsi(source, path, owner, causes),
        "fc" => fibre_channel(source, path, causes),
        "quobyte" => quobyte(source, path, causes),
        "flocker" => flocker(source, path, causes),
        "flexVolume" => flex(source, path, causes),
        "azureDisk" => azure_disk(source, path, causes),
        "storageos" => storage_os(source, path, owner, causes),
        "cinder" => secret(source, "secretRef", path, owner, causes),
        "csi" => csi(source, path, owner, causes),
        "downwardAPI" => {
            mode(&source["defaultMode"], path.child("defaultMode"), causes);
            downward_files(source, path, causes);
        }
        "projected" => projected::validate(source, path, causes),
        "ephemeral" => ephemeral(source, path, causes),
        _ => {}
    }
}

/// The texts without which a source of one type is not valid, whatever else it says.
fn required(name: &str) -> &'static [&'static str] {
    match name {
        "gitRepo" => &["repository"],
        "gcePersistentDisk" => &["pdName"],
        "awsElasticBlockStore" | "portworxVolume" | "cinder" => &["volumeID"],
        "secret" => &["secretName"],
        "nfs" => &["server", "path"],
        "iscsi" => &["targetPortal", "iqn"],
        "glusterfs" => &["endpoints", "path"],
        "persistentVolumeClaim" => &["claimName"],
        "rbd" => &["image"],
        "flexVolume" => &["driver"],
        "configMap" => &["name"],
        "azureFile" => &["secretName", "shareName"],
        "azureDisk" => &["diskName", "diskURI"],
        "vsphereVolume" => &["volumePath"],
        "photonPersistentDisk" => &["pdID"],
        "storageos" => &["volumeName"],
        "scaleIO" => &["gateway", "system", "volumeName"],
        "hostPath" => &["path"],
        _ => &[],
    }
}

fn host_path(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let known =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
    without_backsteps(text(source, "path"), path.child("path"), causes);
    super::one_of(&source["type"], path.child("type"), &known, causes);
}

fn ephemeral(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let template = &source["volumeClaimTemplate"];
    let path = path.child("volumeClaimTemplate");
    if template.is_object() {
        if items(&template["spec"], "accessModes").is_empty() {
            let because = "at least 1 access mode is required";
            causes.push(Cause::required(path.child("spec").child("accessModes"), because));
        }
    } else {
        causes.push(Cause::required(path, ""));
    }
}

fn partition(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if source["partition"].as_i64().is_some_and(|partition| !(0..=255).contains(&partition)) {
        causes.push(Cause::invalid(path.child("partition"), &source["partition"], PARTITION_RULE));
    }
}

fn iscsi(source: &Value, path: &Path<'_>, owner: Owner<'_>, causes: &mut Vec<Cause>) {
    let portal = text(source, "targetPortal");
    if let Owner::Volume(name) = owner
        && source["initiatorName"].is_string()
        && name.len() + 1 + portal.len() > 64
    {
        let because = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                       iscsi.initiatorName is specified.";
        causes.push(Cause::invalid(path.child("targetportal"), &json!(portal), because));
    }
    let target = text(source, "iqn");
    if !target.is_empty() {
        iscsi_name(target, path.child("iqn"), owner, causes);
    }
    if let Some(unit) = source["lun"].as_i64().filter(|unit| !(0..=255).contains(unit)) {
        causes.push(Cause::invalid(path.child("lun"), &json!(unit), UNIT_RULE));
    }
    let authenticates = ["chapAuthDiscovery", "chapAuthSession"].iter().any(|field| source[field] == true);
    if authenticates && !source["secretRef"].is_object() {
        causes.push(Cause::required(path.child("secretRef"), ""));
    }
    if matches!(owner, Owner::Volume(_))
        && source["secretRef"].is_object()
        && text(&source["secretRef"], "name").is_empty()
    {
        causes.push(Cause::required(path.child("secretRef").child("name"), ""));
    }
    if let Some(initiator) = source["initiatorName"].as_str() {
        iscsi_name(initiator, path.child("initiatorname"), owner, causes);
    }
}

fn iscsi_name(name: &str, field: Path<'_>, owner: Owner<'_>, causes: &mut Vec<Cause>) {
    let because = match ISCSI_NAMES.iter().find(|(start, _)| name.starts_with(start)) {
        Some((_, form)) if form.is_match(name) => return,
        None if owner == Owner::Pod => "must be valid format starting with iqn, eui, or naa",
        _ => "must be valid format",
    };
    causes.push(Cause::invalid(field, &json!(name), because));
}

fn fibre_channel(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (targets, ids) = (items(source, "targetWWNs"), items(source, "wwids"));
    if targets.is_empty() && ids.is_empty() {
        let because = "must specify either targetWWNs or wwids, but not both";
        causes.push(Cause::required(path.child("targetWWNs"), because));
    }
    if targets.is_empty() {
        return;
    }
    if !ids.is_empty() {
        let because = "targetWWNs and wwids can not be specified simultaneously";
        causes.push(Cause::invalid(path.child("targetWWNs"), &source["targetWWNs"], because));
    }
    match source["lun"].as_i64() {
        None => {
            causes.push(Cause::required(path.child("lun"), "lun is required if targetWWNs is specified"));
        }
        Some(0..=255) => {}
        Some(unit) => causes.push(Cause::invalid(path.child("lun"), &json!(unit), UNIT_RULE)),
    }
}

fn quobyte(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let registry = text(source, "registry");
    if registry.is_empty() {
        causes.push(Cause::required(path.child("registry"), REGISTRY_RULE));
    } else if text(source, "tenant").len() > 64 {
        let because = "must be a UUID and may not exceed a length of 64 characters";
        causes.push(Cause::required(path.child("tenant"), because));
    } else {
        for _ in registry.split(',').filter(|pair| !is_host_and_port(pair)) {
            causes.push(Cause::invalid(path.child("registry"), &json!(registry), REGISTRY_RULE));
        }
    }
    if text(source, "volume").is_empty() {
        causes.push(Cause::required(path.child("volume"), ""));
    }
}

/// Whether a text has the form of a host and a port; what they are is not looked at (`net.SplitHostPort`).
fn is_host_and_port(pair: &str) -> bool {
    let Some((host, port)) = pair.rsplit_once(':') else { return false };
    let host = match host.strip_prefix('[') {
        Some(inner) => match inner.strip_suffix(']') {
            Some(inner) => inner,
            None => return false,
        },
        None if host.contains(':') => return false,
        None => host,
    };
    ![host, port].iter().any(|part| part.contains(['[', ']']))
}

fn flocker(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let name = text(source, "datasetName");
    match (name.is_empty(), text(source, "datasetUUID").is_empty()) {
        (true, true) => {
            causes.push(Cause::required(path, "one of datasetName and datasetUUID is required"));
        }
        (false, false) => {
            let because = "datasetName and datasetUUID can not be specified simultaneously";
            causes.push(Cause::invalid(path, &json!("resource"), because));
        }
        _ => {}
    }
    if name.contains('/') {
        causes.push(Cause::invalid(path.child("datasetName"), &json!(name), "must not contain '/'"));
    }
}

fn flex(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let list = path.child("options");
    for (option, _) in source["options"].as_object().into_iter().flatten() {
        let namespace = option.split_once('/').map_or(&**option, |(namespace, _)| namespace).to_lowercase();
        let ends = |domain: &str| format!(".{namespace}").ends_with(domain);
        if ends(".kubernetes.io") || ends(".k8s.io") {
            let because = "kubernetes.io and k8s.io namespaces are reserved";
            causes.push(Cause::invalid(list.key(option), &json!(option), because));
        }
    }
}

fn azure_disk(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let caching = ["None", "ReadOnly", "ReadWrite"];
    super::one_of(&source["cachingMode"], path.child("cachingMode"), &caching, causes);
    super::one_of(&source["kind"], path.child("kind"), &["Dedicated", "Managed", "Shared"], causes);
    let Some(kind) = source["kind"].as_str() else { return };
    let (start, form) = match kind {
        "Managed" => (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ),
        _ => ("https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"),
    };
    let disk = text(source, "diskURI");
    if !disk.starts_with(start) {
        causes.push(Cause::not_supported(path.child("diskURI"), &json!(disk), &[form]));
    }
}

fn storage_os(source: &Value, path: &Path<'_>, owner: Owner<'_>, causes: &mut Vec<Cause>) {
    for field in ["volumeName", "volumeNamespace"] {
        let name = text(source, field);
        if !name.is_empty() {
            faulty(name, path.child(field), names::label_faults(name), causes);
        }
    }
    secret(source, "secretRef", path, owner, causes);
}

/// A Secret that is named by a source: by its name alone in a Pod, whose namespace it shares.
fn secret(source: &Value, field: &str, path: &Path<'_>, owner: Owner<'_>, causes: &mut Vec<Cause>) {
    let Some(reference) = super::object(source, field) else { return };
    let parts: &[&str] = if owner == Owner::Pod { &["name"] } else { &["name", "namespace"] };
    for part in parts.iter().filter(|part| text(reference, part).is_empty()) {
        causes.push(Cause::required(path.child(field).child(part), ""));
    }
}

fn csi(source: &Value, path: &Path<'_>, owner: Owner<'_>, causes: &mut Vec<Cause>) {
    driver_name(text(source, "driver"), path.child("driver"), causes);
    if owner == Owner::Pod {
        secret(source, "nodePublishSecretRef", path, owner, causes);
        let name = text(&source["nodePublishSecretRef"], "name");
        super::subdomain(name, path.child("name"), causes);
        return;
    }
    if text(source, "volumeHandle").is_empty() {
        causes.push(Cause::required(path.child("volumeHandle"), ""));
    }
    for operation in ["controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"] {
        volume_secret(source, &format!("{operation}SecretRef"), path, causes);
    }
}

/// A Secret of a `PersistentVolume`'s driver (`validatePVSecretReference`).
fn volume_secret(source: &Value, field: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let Some(reference) = super::object(source, field) else { return };
    let path = path.child(field);
    match text(reference, "name") {
        "" => causes.push(Cause::required(path.child("name"), "")),
        name => super::subdomain(name, path.child("name"), causes),
    }
    match text(reference, "namespace") {
        "" => causes.push(Cause::required(path.child("namespace"), "")),
        namespace => faulty(namespace, path.child("namespace"), names::label_faults(namespace), causes),
    }
}

/// Adds the errors of the name of a driver for volumes (`ValidateCSIDriverName`).
pub(in crate::registry) fn driver_name(name: &str, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    if name.is_empty() {
        causes.push(Cause::required(field, ""));
        return;
    }
    if name.len() > 63 {
        causes.push(Cause::new("FieldValueTooLong", field, "Too long: may not be more than 63 bytes"));
    }
    faulty(name, field, names::subdomain_faults(&name.to_lowercase()), causes);
}
