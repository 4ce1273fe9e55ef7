//! Upstream's warnings when objects are written: fields and annotations that are deprecated, or do not do what they seem
//! to. A warning refuses nothing.

mod pod;

use serde_json::Value;
use trimtab_cel::formats;

use super::Kind;
use crate::api::{names, object, subresource::Subresource};

/// The warnings of a write to the object itself; `old` is what it was before an update.
pub(crate) fn of_write(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: Option<&Value>,
    new: &Value,
) -> Vec<String> {
    if subresource.is_some() {
        return Vec::new();
    }
    if kind.is_custom() {
        return finalizers(old, new);
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") if old.is_none() => {
            let mut warnings = name(new, "the Pod's hostname");
            warnings.extend(pod::of_pod("", new));
            warnings
        }
        ("", "ReplicationController") | ("apps", "Deployment" | "ReplicaSet") => {
            let mut warnings = if old.is_none() { name(new, "Pod names and hostnames") } else { Vec::new() };
            warnings.extend(template(old, new, "spec.template"));
            warnings
        }
        ("apps", "DaemonSet") => template(old, new, "spec.template"),
        ("apps", "StatefulSet") => stateful_set(old, new),
        ("", "PodTemplate") => template(old, new, "template"),
        ("batch", "Job") => {
            let mut warnings = if old.is_none() { name(new, "Pod names and hostnames") } else { Vec::new() };
            warnings.extend(job(old, new, "spec"));
            warnings
        }
        ("batch", "CronJob") => {
            let mut warnings = if old.is_none() { name(new, "Pod names and hostnames") } else { Vec::new() };
            warnings.extend(job(old, new, "spec.jobTemplate.spec"));
            if text(new, "/spec/schedule").contains("TZ") {
                warnings.push(
                    "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \
                     https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                        .to_owned(),
                );
            }
            warnings
        }
        ("", "PersistentVolumeClaim") => {
            let annotation = "volume.beta.kubernetes.io/storage-class";
            let mut warnings = annotations(
                new,
                &[(annotation, "deprecated since v1.8; use \"storageClassName\" attribute instead")],
            );
            warnings.extend(pod::claim(&new["spec"], "spec"));
            warnings
        }
        ("", "PersistentVolume") => volume(new),
        ("", "Service") => service(new),
        ("networking.k8s.io", "Ingress") => ingress(new),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let before: Vec<String> = old.map(unrecognized_formats).unwrap_or_default();
            let added = unrecognized_formats(new).into_iter().filter(|format| !before.contains(format));
            added.map(|format| format!("unrecognized format {format:?}")).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the warning of every request to a deprecated kind.
pub(crate) fn of_kind(kind: &Kind) -> Option<String> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Endpoints") => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned())
        }
        ("", "ComponentStatus") => Some("v1 ComponentStatus is deprecated in v1.19+".to_owned()),
        _ => kind.deprecation.clone(),
    }
}

/// Finalizers of custom objects that have no domain, as far as they are new.
fn finalizers(old: Option<&Value>, new: &Value) -> Vec<String> {
    let before: Vec<&str> = old.into_iter().flat_map(object::finalizers).collect();
    let mut added: Vec<&str> =
        object::finalizers(new).filter(|name| !before.contains(name) && !name.contains('/')).collect();
    added.sort_unstable();
    added.retain(|name| !matches!(*name, "orphan" | "foregroundDeletion" | "kubernetes"));
    let told = |name| {
        let path = if str::contains(name, '.') { " including a path (/)" } else { "" };
        format!(
            "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name{path} to avoid accidental conflicts \
             with other finalizer writers"
        )
    };
    added.into_iter().map(told).collect()
}

/// A name that is no label.
fn name(new: &Value, used: &str) -> Vec<String> {
    let name = object::name(new);
    let rules = names::label_faults(name);
    if rules.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: [{}]",
        rules.join(" ")
    )]
}

fn annotations(new: &Value, deprecated: &[(&str, &str)]) -> Vec<String> {
    let annotations = &new["metadata"]["annotations"];
    let present = deprecated.iter().filter(|(key, _)| annotations.get(key).is_some());
    present.map(|(key, told)| format!("metadata.annotations[{key}]: {told}")).collect()
}

/// A template, unless an update left all of the spec as it was.
fn template(old: Option<&Value>, new: &Value, path: &str) -> Vec<String> {
    let place = path.split('.').next().unwrap_or_default();
    if old.is_some_and(|old| old[place] == new[place]) {
        return Vec::new();
    }
    let template = new.pointer(&format!("/{}", path.replace('.', "/")));
    template.map(|template| pod::of_pod(&format!("{path}."), template)).unwrap_or_default()
}

fn job(old: Option<&Value>, new: &Value, path: &str) -> Vec<String> {
    if old.is_some_and(|old| old["spec"] == new["spec"]) {
        return Vec::new();
    }
    let spec = new.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
    let number = |field: &str| spec[field].as_i64().unwrap_or(0);
    let mut warnings = Vec::new();
    if spec["completionMode"] == "Indexed"
        && number("completions") > 100_000
        && number("parallelism") > 10_000
    {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    warnings.extend(template(old, new, &format!("{path}.template")));
    warnings
}

fn stateful_set(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = template(old, new, "spec.template");
    let suffix = if old.is_some() { ".Spec" } else { "" }; // as upstream writes it
    for (position, claim) in new["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten().enumerate()
    {
        warnings
            .extend(pod::claim(&claim["spec"], &format!("spec.volumeClaimTemplates[{position}]{suffix}")));
    }
    if new["spec"]["revisionHistoryLimit"].as_i64().is_some_and(|limit| limit < 0) {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
    warnings
}

fn volume(new: &Value) -> Vec<String> {
    let mut warnings = annotations(
        new,
        &[
            (
                "volume.beta.kubernetes.io/storage-class",
                "deprecated since v1.8; use \"storageClassName\" attribute instead",
            ),
            (
                "volume.beta.kubernetes.io/mount-options",
                "deprecated since v1.31; use \"mountOptions\" attribute instead",
            ),
        ],
    );
    if text(new, "/spec/persistentVolumeReclaimPolicy") == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    let sources = ["cephfs", "photonPersistentDisk", "scaleIO", "storageOS", "glusterfs", "rbd"];
    for source in sources.into_iter().filter(|source| new["spec"].get(source).is_some()) {
        warnings.extend(pod::retired(source).map(|told| format!("spec.{source}: {told}")));
    }
    warnings
}

fn service(new: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let (spec, kind) = (&new["spec"], text(new, "/spec/type"));
    let has = |field: &str| match &spec[field] {
        Value::Array(items) => !items.is_empty(),
        value => value.as_str().is_some_and(|text| !text.is_empty()),
    };
    let mut warn = |holds: bool, told: &str| warnings.extend(holds.then(|| told.to_owned()));
    let annotation = "service.kubernetes.io/topology-aware-hints";
    warn(
        new["metadata"]["annotations"].get(annotation).is_some(),
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode \
         instead",
    );
    let is_headless = kind == "ClusterIP" && spec["clusterIP"] == "None";
    warn(is_headless && has("loadBalancerIP"), "spec.loadBalancerIP is ignored for headless services");
    warn(is_headless && has("externalIPs"), "spec.externalIPs is ignored for headless services");
    warn(
        is_headless && text(new, "/spec/sessionAffinity") != "None",
        "spec.SessionAffinity is ignored for headless services",
    );
    let is_external = kind == "ExternalName";
    warn(
        has("externalIPs") && !is_headless && !is_external,
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    );
    warn(is_external && has("externalIPs"), "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    warn(
        !is_external && has("externalName"),
        "spec.externalName is ignored when spec.type is not \"ExternalName\"",
    );
    warn(
        spec["trafficDistribution"] == "PreferClose",
        "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
    );
    warnings
}

fn ingress(new: &Value) -> Vec<String> {
    let annotation = "kubernetes.io/ingress.class";
    let is_set = new["metadata"]["annotations"].get(annotation).is_some();
    let is_deprecated = is_set && new["spec"].get("ingressClassName").is_none();
    let told = format!("annotation {annotation:?} is deprecated, please use 'spec.ingressClassName' instead");
    is_deprecated.then_some(told).into_iter().collect()
}

/// The formats in a definition that upstream does not know, in the order of the schemas' fields.
fn unrecognized_formats(definition: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
        formats_within(&version["schema"]["openAPIV3Schema"], &mut found);
    }
    found
}

fn formats_within(schema: &Value, found: &mut Vec<String>) {
    let Some(fields) = schema.as_object() else { return };
    let format = text(schema, "/format");
    let is_known = match text(schema, "/type") {
        _ if format.is_empty() => true,
        "" | "string" => formats::is_known(format),
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    };
    if !is_known {
        found.push(format.to_owned());
    }
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(schemas)) => {
                schemas.values().for_each(|schema| formats_within(schema, found));
            }
            ("items" | "additionalProperties" | "not", schema) => formats_within(schema, found),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter().for_each(|schema| formats_within(schema, found));
            }
            _ => {}
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
