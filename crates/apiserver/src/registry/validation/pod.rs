//! Validation of Pods and Pod templates.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    container::{Pod, Role, container, not_found},
    duplicate, faulty, items, names, one_of, parts, placement,
    resources::{of_pod, resources},
    text, volume,
};
use crate::api::status::Cause;

/// Adds the errors of the spec of a Pod at `path`.
pub(in crate::registry) fn spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let is_pod = path == "spec";
    let volumes = volume::volumes(spec, path, causes);
    let pod = volume::pod(spec, &volumes, is_pod);
    resource_claims(spec, path, causes);
    if items(spec, "containers").is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    let mut known = BTreeSet::new();
    for (field, role) in [
        ("containers", Role::Regular),
        ("initContainers", Role::Init),
        ("ephemeralContainers", Role::Ephemeral),
    ] {
        for (position, one) in items(spec, field).iter().enumerate() {
            let path = format!("{path}.{field}[{position}]");
            container(one, &path, &pod, role, causes);
            let name = text(one, "name");
            if !known.insert(name) && (role == Role::Ephemeral || !name.is_empty()) {
                causes.push(duplicate(format!("{path}.name"), &json!(name)));
            }
            let target = text(one, "targetContainerName");
            if role == Role::Ephemeral && !target.is_empty() && !known.contains(target) {
                causes.push(not_found(format!("{path}.targetContainerName"), target));
            }
        }
    }
    if spec["resources"].is_object() {
        of_pod(&spec["resources"], &format!("{path}.resources"), &pod, causes);
    }
    host_network(spec, path, is_pod, causes);
    policies(spec, path, causes);
    parts::labels(&spec["nodeSelector"], &format!("{path}.nodeSelector"), causes);
    placement::security(&spec["securityContext"], &format!("{path}.securityContext"), causes);
    placement::affinity(&spec["affinity"], &format!("{path}.affinity"), causes);
    placement::hosts(spec, path, causes);
    placement::gates(spec, path, causes);
    placement::spread(spec, path, causes);
    words(spec, path, causes);
    placement::tolerations(spec, path, causes);
    placement::aliases(spec, path, causes);
    overhead(spec, path, &pod, causes);
}

/// Adds the errors of the claims of devices (`validatePodResourceClaims`).
fn resource_claims(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let mut known = BTreeSet::new();
    for (position, claim) in items(spec, "resourceClaims").iter().enumerate() {
        let (path, name) = (format!("{path}.resourceClaims[{position}]"), text(claim, "name"));
        if name.is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        } else if !known.insert(name) {
            causes.push(duplicate(format!("{path}.name"), &json!(name)));
        } else {
            faulty(name, &format!("{path}.name"), names::label_faults(name), causes);
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
            causes.push(Cause::invalid_json(&*path, &shown, because));
        }
        for field in fields {
            if let Some(name) = claim[field].as_str() {
                faulty(name, &format!("{path}.{field}"), names::subdomain_faults(name), causes);
            }
        }
    }
}

/// Adds the errors of the template of a Pod at `path`.
pub(in crate::registry) fn template(template: &Value, path: &str, causes: &mut Vec<Cause>) {
    parts::labels(&template["metadata"]["labels"], &format!("{path}.labels"), causes);
    super::annotations(&template["metadata"]["annotations"], &format!("{path}.annotations"), causes);
    self::spec(&template["spec"], &format!("{path}.spec"), causes);
    if !items(&template["spec"], "ephemeralContainers").is_empty() {
        let because = "ephemeral containers not allowed in pod template";
        causes.push(Cause::forbidden(format!("{path}.spec.ephemeralContainers"), because));
    }
}

/// The fields with few values, and the deadline.
fn policies(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let known: [(&str, &[&str]); 3] = [
        ("restartPolicy", &["Always", "OnFailure", "Never"]),
        ("dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
        ("preemptionPolicy", &["PreemptLowerPriority", "Never"]),
    ];
    for (field, known) in known {
        match spec[field].as_str() {
            Some("") => causes.push(Cause::required(format!("{path}.{field}"), "")),
            _ => one_of(&spec[field], || format!("{path}.{field}"), known, causes),
        }
    }
    if let Some(seconds) =
        spec["activeDeadlineSeconds"].as_i64().filter(|n| !(1..=i64::from(i32::MAX)).contains(n))
    {
        let because = "must be between 1 and 2147483647, inclusive";
        causes.push(Cause::invalid(format!("{path}.activeDeadlineSeconds"), &json!(seconds), because));
    }
    let system = &spec["os"];
    if system.is_object() {
        match text(system, "name") {
            "" => causes.push(Cause::required(format!("{path}.os.name"), "cannot be empty")),
            "linux" | "windows" => {}
            // Upstream names the field that has the name.
            other => {
                let known = ["linux", "windows"];
                causes.push(Cause::not_supported(format!("{path}.os"), &json!(other), &known));
            }
        }
    }
}

/// The names in a Pod's spec.
fn words(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    for field in ["hostnameOverride", "serviceAccountName", "nodeName"] {
        let name = text(spec, field);
        for fault in names::subdomain_faults(name).into_iter().filter(|_| !name.is_empty()) {
            causes.push(Cause::invalid(format!("{path}.{field}"), &json!(name), fault));
        }
    }
    for field in ["hostname", "subdomain"] {
        let name = text(spec, field);
        for fault in names::label_faults(name).into_iter().filter(|_| !name.is_empty()) {
            causes.push(Cause::invalid(format!("{path}.{field}"), &json!(name), fault));
        }
    }
    for field in ["priorityClassName", "runtimeClassName"] {
        let name = text(spec, field);
        let is_there = field == "runtimeClassName" && spec[field].is_string() || !name.is_empty();
        for fault in names::subdomain_faults(name).into_iter().filter(|_| is_there) {
            causes.push(Cause::invalid(format!("{path}.{field}"), &json!(name), fault));
        }
    }
}

/// On the network of its node, a Pod's ports are the node's.
fn host_network(spec: &Value, path: &str, is_pod: bool, causes: &mut Vec<Cause>) {
    if spec["hostNetwork"] != true {
        return;
    }
    for (index, container) in items(spec, "containers").iter().enumerate() {
        for (position, port) in items(container, "ports").iter().enumerate() {
            let [host, own] = ["hostPort", "containerPort"].map(|field| port[field].as_i64().unwrap_or(0));
            if (is_pod || host != 0) && host != own {
                let field = format!("{path}.containers[{index}].ports[{position}].hostPort");
                let because = "must match `containerPort` when `hostNetwork` is true";
                causes.push(Cause::invalid(field, &json!(host), because));
            }
        }
    }
}

/// The overhead of running a Pod; upstream checks it as it checks limits.
fn overhead(spec: &Value, path: &str, pod: &Pod<'_>, causes: &mut Vec<Cause>) {
    if spec["overhead"].is_object() {
        resources(&json!({"limits": spec["overhead"]}), &format!("{path}.overhead"), pod, causes);
    }
}
