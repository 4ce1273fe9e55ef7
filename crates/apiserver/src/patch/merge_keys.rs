//! How the lists of the built-in kinds are merged: upstream's `patchStrategy` and `patchMergeKey`.

use crate::kinds::Kind;

/// How a strategic merge patch changes a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListRule {
    /// The patch's list takes its place.
    Atomic,
    /// Items with the same value of this field are merged.
    ByKey(&'static str),
    /// A set of plain values, to which the patch adds.
    Set,
}

/// The rule of the list at `path`: the names of the fields that lead to it, without positions in lists.
pub(super) fn rule(kind: &Kind, path: &[&str]) -> ListRule {
    let by_key = match *path {
        ["metadata", "finalizers"] => return ListRule::Set,
        ["metadata", "ownerReferences"] => "uid",
        ["status", "conditions"] => "type",
        [.., "spec", field] if has_pod_spec(kind, path) => match pod_spec(field) {
            Some(key) => key,
            None => return ListRule::Atomic,
        },
        [.., "spec", "containers" | "initContainers" | "ephemeralContainers", field] => {
            match container(field) {
                Some(key) => key,
                None => return ListRule::Atomic,
            }
        }
        _ => match (kind.kind.as_str(), path) {
            ("Node", ["spec", "podCIDRs"]) => return ListRule::Set,
            ("Node", ["status", "addresses"]) => "type",
            ("Pod", ["status", "podIPs"]) => "ip",
            ("Pod", ["status", "resourceClaimStatuses"]) | ("ServiceAccount", ["secrets"]) => "name",
            ("Service", ["spec", "ports"]) => "port",
            ("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", ["webhooks"]) => "name",
            ("CSINode", ["spec", "drivers"]) => "name",
            _ => return ListRule::Atomic,
        },
    };
    ListRule::ByKey(by_key)
}

/// Whether the last but one part of `path` is the spec of a Pod or of a template of Pods.
fn has_pod_spec(kind: &Kind, path: &[&str]) -> bool {
    match path {
        ["spec", _] => kind.group.is_empty() && kind.kind == "Pod",
        [.., "template", "spec", _] => true,
        _ => false,
    }
}

fn pod_spec(field: &str) -> Option<&'static str> {
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "schedulingGates" => Some("name"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        _ => None,
    }
}

fn container(field: &str) -> Option<&'static str> {
    match field {
        "env" => Some("name"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        _ => None,
    }
}
