//! The API groups that Kubernetes itself serves, whose kinds know strategic merge patches.

/// Built-in groups whose name has a dot. Every other group with a dot belongs to custom resources.
const DOTTED: [&str; 18] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Returns whether kinds of `group` are built into Kubernetes.
pub(crate) fn is_built_in(group: &str) -> bool {
    !group.contains('.') || DOTTED.contains(&group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_custom_resources_are_told_from_built_in_ones() {
        for group in ["", "apps", "batch", "policy", "storage.k8s.io", "rbac.authorization.k8s.io"] {
            assert!(is_built_in(group), "{group}");
        }
        for group in ["example.com", "gateway.networking.k8s.io", "snapshot.storage.k8s.io"] {
            assert!(!is_built_in(group), "{group}");
        }
    }
}
