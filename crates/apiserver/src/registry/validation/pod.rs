//! Validation of Pods and Pod templates.

use serde_json::{Value, json};

use super::{
    container::{Pod, Role, container, not_found, one_of_or_required},
    duplicate, faulty, items, names, object, parts, placement,
    resources::{of_pod, resources},
    security,
    seen::Seen,
    subdomain, text, volume,
};
use crate::api::{path::Path, status::Cause};

/// Adds the errors of the spec of a Pod at `path`.
pub(in crate::registry) fn spec(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let is_pod = matches!(path, Path::Root("spec"));
    let volumes = volume::volumes(spec, path, causes);
    let pod = volume::pod(spec, &volumes, is_pod);
    resource_claims(spec, path, causes);
    if items(spec, "containers").is_empty() {
        causes.push(Cause::required(path.child("containers"), ""));
    }
    let mut known = Seen::default();
    for (field, role) in [
        ("containers", Role::Regular),
        ("initContainers", Role::Init),
        ("ephemeralContainers", Role::Ephemeral),
    ] {
        let list = path.child(field);
        for (position, one) in items(spec, field).iter().enumerate() {
            let path = list.index(position);
            container(one, &path, &pod, role, causes);
            let name = text(one, "name");
            if !known.insert(name) && (role == Role::Ephemeral || !name.is_empty()) {
                causes.push(duplicate(path.child("name"), &json!(name)));
            }
            let target = if role == Role::Ephemeral { text(one, "targetContainerName") } else { "" };
            if !target.is_empty() && !known.contains(target) {
                causes.push(not_found(path.child("targetContainerName"), target));
            }
        }
    }
    if let Some(requirements) = object(spec, "resources") {
        of_pod(requirements, &path.child("resources"), &pod, causes);
    }
    host_network(spec, path, is_pod, causes);
    policies(spec, path, causes);
    parts::labels(&spec["nodeSelector"], path.child("nodeSelector"), causes);
    security::of_pod(spec, path, causes);
    if let Some(affinity) = object(spec, "affinity") {
        placement::affinity(affinity, &path.child("affinity"), causes);
    }
    placement::hosts(spec, path, causes);
    placement::gates(spec, path, causes);
    placement::spread(spec, path, causes);
    words(spec, path, causes);
    placement::tolerations(spec, path, causes);
    placement::aliases(spec, path, causes);
    overhead(spec, path, &pod, causes);
}

/// Adds the errors of the claims of devices (`validatePodResourceClaims`).
fn resource_claims(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut known = Seen::default();
    let list = path.child("resourceClaims");
    for (position, claim) in items(spec, "resourceClaims").iter().enumerate() {
        let (path, name) = (list.index(position), text(claim, "name"));
        if name.is_empty() {
            causes.push(Cause::required(path.child("name"), ""));
        } else if !known.insert(name) {
            causes.push(duplicate(path.child("name"), &json!(name)));
        } else {
            faulty(name, path.child("name"), names::label_faults(name), causes);
        }
        let fields = ["resourceClaimName", "resourceClaimTemplateName"];
        let because = match fields.map(|field| claim[field].is_string()) {
            [true, true] => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
            [false, false] => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            _ => "",
        };
        if !because.is_empty() {
            // Upstream shows its Go struct, in its order.
            let [of_claim, of_template] = fields.map(|field| claim.get(field).cloned().unwrap_or_default());
            let shown = format!(
                "{{\"Name\":{name:?},\"ResourceClaimName\":{of_claim},\"ResourceClaimTemplateName\":{of_template}}}"
            );
            causes.push(Cause::invalid_json(path, &shown, because));
        }
        for field in fields {
            if let Some(name) = claim[field].as_str() {
                faulty(name, path.child(field), names::subdomain_faults(name), causes);
            }
        }
    }
}

/// Adds the errors of the names of the claims that are made for a Pod's own volumes.
pub(in crate::registry) fn claim_names(pod: &str, spec: &Value, causes: &mut Vec<Cause>) {
    for (position, volume) in items(spec, "volumes").iter().enumerate() {
        let name = text(volume, "name");
        if pod.is_empty() || name.is_empty() || !volume["ephemeral"].is_object() {
            continue;
        }
        let (claim, field) = (format!("{pod}-{name}"), format!("spec.volumes[{position}].name"));
        for fault in names::subdomain_faults(&claim) {
            causes.push(Cause::invalid(&*field, &json!(name), format!("PVC name {claim:?}: {fault}")));
        }
    }
}

/// Adds the errors of tokens of no account, which the templates of Pods may have.
pub(in crate::registry) fn tokens(spec: &Value, causes: &mut Vec<Cause>) {
    if !text(spec, "serviceAccountName").is_empty() {
        return;
    }
    for (position, volume) in items(spec, "volumes").iter().enumerate() {
        for (source, part) in items(&volume["projected"], "sources").iter().enumerate() {
            if part["serviceAccountToken"].is_object() {
                let because = "must not be specified when serviceAccountName is not set";
                let field =
                    format!("spec.volumes[{position}].projected.sources[{source}].serviceAccountToken");
                causes.push(Cause::forbidden(field, because));
            }
        }
    }
}

/// Adds the errors of the template of a Pod at `path`.
pub(in crate::registry) fn template(template: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let (metadata, spec) = (&template["metadata"], &template["spec"]);
    parts::labels(&metadata["labels"], path.child("labels"), causes);
    super::annotations(&metadata["annotations"], path.child("annotations"), causes);
    self::spec(spec, &path.child("spec"), causes);
    if !items(spec, "ephemeralContainers").is_empty() {
        let because = "ephemeral containers not allowed in pod template";
        causes.push(Cause::forbidden(path.child("spec").child("ephemeralContainers"), because));
    }
}

/// The fields with few values, and the deadline.
fn policies(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let known: [(&str, &[&str]); 3] = [
        ("restartPolicy", &["Always", "OnFailure", "Never"]),
        ("dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
        ("preemptionPolicy", &["PreemptLowerPriority", "Never"]),
    ];
    for (field, known) in known {
        one_of_or_required(spec, field, path, known, causes);
    }
    if let Some(seconds) =
        spec["activeDeadlineSeconds"].as_i64().filter(|n| !(1..=i64::from(i32::MAX)).contains(n))
    {
        let because = "must be between 1 and 2147483647, inclusive";
        causes.push(Cause::invalid(path.child("activeDeadlineSeconds"), &json!(seconds), because));
    }
    if let Some(system) = object(spec, "os") {
        match text(system, "name") {
            "" => causes.push(Cause::required(path.child("os").child("name"), "cannot be empty")),
            "linux" | "windows" => {}
            // Upstream names the field that has the name.
            other => {
                let known = ["linux", "windows"];
                causes.push(Cause::not_supported(path.child("os"), &json!(other), &known));
            }
        }
    }
}

/// The names in a Pod's spec.
fn words(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(name) = spec["hostnameOverride"].as_str() {
        hostname_override(name, spec, path.child("hostnameOverride"), causes);
    }
    for field in ["serviceAccountName", "nodeName"] {
        subdomain(text(spec, field), path.child(field), causes);
    }
    for field in ["hostname", "subdomain"] {
        let name = text(spec, field);
        if !name.is_empty() {
            faulty(name, path.child(field), names::label_faults(name), causes);
        }
    }
    subdomain(text(spec, "priorityClassName"), path.child("priorityClassName"), causes);
    if let Some(name) = spec["runtimeClassName"].as_str() {
        faulty(name, path.child("runtimeClassName"), names::subdomain_faults(name), causes);
    }
}

/// The name that a Pod has for itself (`validatePodHostName`).
fn hostname_override(name: &str, spec: &Value, field: Path<'_>, causes: &mut Vec<Cause>) {
    for other in ["setHostnameAsFQDN", "hostNetwork"].into_iter().filter(|other| spec[other] == true) {
        causes.push(Cause::forbidden(field, format!("may not be specified when {other} is true")));
    }
    if name.len() > 64 {
        causes.push(Cause::new("FieldValueTooLong", field, "Too long: may not be more than 64 bytes"));
    }
    faulty(name, field, names::subdomain_faults(name), causes);
}

/// On the network of its node, a Pod's ports are the node's.
fn host_network(spec: &Value, path: &Path<'_>, is_pod: bool, causes: &mut Vec<Cause>) {
    if spec["hostNetwork"] != true {
        return;
    }
    for (index, container) in items(spec, "containers").iter().enumerate() {
        for (position, port) in items(container, "ports").iter().enumerate() {
            let [host, own] = ["hostPort", "containerPort"].map(|field| port[field].as_i64().unwrap_or(0));
            if (is_pod || host != 0) && host != own {
                let because = "must match `containerPort` when `hostNetwork` is true";
                causes.push(Cause::invalid(
                    path.child("containers").index(index).child("ports").index(position).child("hostPort"),
                    &json!(host),
                    because,
                ));
            }
        }
    }
}

/// The overhead of running a Pod; upstream checks it as it checks limits.
fn overhead(spec: &Value, path: &Path<'_>, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    if let Some(overhead) = object(spec, "overhead") {
        resources(&json!({ "limits": overhead }), &path.child("overhead"), pod, causes);
    }
}
