//! The texts that values are drawn from, by the names of fields.

use super::dice::Dice;

/// Keys of maps: of labels, annotations, data, selectors.
pub(crate) const KEYS: [&str; 12] = [
    "app",
    "a",
    "example.com/a",
    "a.b",
    "A_b",
    "-x",
    "a b",
    "",
    "/a",
    "kubernetes.io/a",
    "é",
    "app.kubernetes.io/name",
];

/// Names of resources.
pub(crate) const RESOURCES: [&str; 12] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "storage",
    "pods",
    "example.com/gpu",
    "hugepages-2Mi",
    "requests.cpu",
    "a b",
    "count/pods",
    "nvidia.com/",
    "limits.memory",
];

/// JSON values for strings of any meaning.
pub(crate) const STRINGS: [&str; 12] = [
    "\"\"",
    "\"a\"",
    "\"A B\"",
    "\"é\"",
    "\"a\\nb\"",
    "5",
    "true",
    "null",
    "[]",
    "{}",
    "\" a\"",
    "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
];

pub(crate) const BYTES: [&str; 10] = [
    "\"YQ==\"",
    "\"YQ\"",
    "\"Y\\nQ==\"",
    "\"!!\"",
    "\"\"",
    "\"YR==\"",
    "5",
    "null",
    "\"YQ==YQ==\"",
    "\"_-8=\"",
];

pub(crate) const TIMES: [&str; 13] = [
    "\"2020-01-02T03:04:05Z\"",
    "\"2020-01-02T03:04:05.123456Z\"",
    "\"2020-01-02T03:04:05+02:00\"",
    "\"2020-01-02\"",
    "\"\"",
    "null",
    "5",
    "\"2020-02-30T00:00:00Z\"",
    "\"2020-01-02t03:04:05z\"",
    "\"2020-01-02T03:04:60Z\"",
    "\"2020-01-02 03:04:05Z\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"2020-01-02T24:00:00Z\"",
];

pub(crate) const MICRO_TIMES: [&str; 9] = [
    "\"2020-01-02T03:04:05.123456Z\"",
    "\"2020-01-02T03:04:05Z\"",
    "\"2020-01-02T03:04:05.1234567Z\"",
    "null",
    "\"\"",
    "\"2020-01-02T03:04:05.123Z\"",
    "\"2020-01-02T03:04:05.123456+02:00\"",
    "1577934245",
    "\"soon\"",
];

pub(crate) const INTEGERS: [&str; 20] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "80",
    "443",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "1.0",
    "1.5",
    "1e3",
    "\"1\"",
    "null",
    "true",
];

pub(crate) const INT_OR_STRINGS: [&str; 18] = [
    "1",
    "0",
    "-1",
    "80",
    "65536",
    "\"http\"",
    "\"50%\"",
    "\"150%\"",
    "\"-1%\"",
    "\"80\"",
    "\"\"",
    "1.5",
    "true",
    "null",
    "\"a--b\"",
    "\"UPPER\"",
    "\"sixteen-letters-and\"",
    "\"0%\"",
];

pub(crate) const QUANTITIES: [&str; 26] = [
    "\"1\"",
    "\"100m\"",
    "\"0.1\"",
    "\"1Gi\"",
    "\"1.5Gi\"",
    "\"0.1Gi\"",
    "\"-1\"",
    "\"1e3\"",
    "\"1E3\"",
    "\"1n\"",
    "\"0.1n\"",
    "\"\"",
    "\".5\"",
    "\"5.\"",
    "\"+1\"",
    "\"1 Gi\"",
    "\"1gi\"",
    "1",
    "1.5",
    "\"9223372036854775808\"",
    "\"16Ei\"",
    "null",
    "\"1k\"",
    "\"1K\"",
    "\"1u\"",
    "\"0\"",
];

const NAMES: [&str; 8] = ["a", "main", "web-1", "a.b", "UPPER", "a_b", "data", "-a"];

/// Draws a string that the field may have, or nearly.
pub(crate) fn text(dice: &mut Dice, field: &str) -> &'static str {
    let choices: &[&'static str] = match field {
        "image" => &["app:1", "app", "registry.example.com/a/b:1", "", " app", "app:1 "],
        "mountPath" | "devicePath" => &["/data", "relative", "/a:b", "", "/data/../b"],
        "path" | "subPath" => &["/", "/a", "a", "a/../b", "", "/a//b", "../a"],
        "host" | "hostname" => &["example.com", "*.example.com", "UPPER.example.com", "1.2.3.4", "a", "a..b"],
        "clusterIP" | "clusterIPs" => &["None", "1.2.3.4", "", "bad", "::1"],
        "loadBalancerIP" | "ip" | "podIP" | "hostIP" | "externalIPs" | "addresses" => {
            &["192.0.2.1", "::1", "bad", "127.0.0.1", "192.0.2.01", "169.254.1.1", "0.0.0.0"]
        }
        "cidr" | "except" | "loadBalancerSourceRanges" | "podCIDR" | "podCIDRs" => {
            &["192.0.2.0/24", "192.0.2.1/24", "::/0", "bad", "192.0.2.0", "192.0.2.0/33"]
        }
        "schedule" => &[
            "* * * * *",
            "@daily",
            "60 * * * *",
            "* * *",
            "TZ=UTC * * * * *",
            "",
            "*/5 1-3 * 1,2 MON",
            "@every 1h",
        ],
        "timeZone" => &["Etc/UTC", "Local", "bad-zone", "", "Europe/Paris", "europe/paris"],
        "key" | "topologyKey" => &["a", "example.com/a", "A B", "", "kubernetes.io/hostname", "-a"],
        "operator" => &["In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt", "bad", ""],
        "apiVersion" => &["v1", "apps/v1", "bad/v1/x", ""],
        "kind" => &["Pod", "ConfigMap", "Deployment", ""],
        "apiGroup" | "apiGroups" => &["", "apps", "rbac.authorization.k8s.io", "bad group", "*"],
        "resources" => &["pods", "*", "deployments/scale", "", "pods/*"],
        "verbs" => &["get", "*", "list", "", "GET"],
        "uid" => &["u-1", ""],
        "resourceVersion" => &["", "0", "1", "x"],
        "generateName" => &["", "a-", "x.", "UPPER-"],
        "namespace" => &["differential", "default", "other", ""],
        "fieldPath" => &[
            "metadata.name",
            "spec.nodeName",
            "metadata.labels['a']",
            "metadata.labels",
            "bad",
            "status.podIP",
        ],
        "resource" => &["limits.cpu", "requests.memory", "cpu", "bad", ""],
        "finalizers" => &["example.com/a", "a", "kubernetes", "foregroundDeletion", "a b", "orphan", ""],
        "accessModes" => &["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod", "Bad"],
        "policyTypes" => &["Ingress", "Egress", "Bad"],
        "storageClassName" | "volumeName" | "serviceName" | "secretName" | "claimName"
        | "serviceAccountName" | "nodeName" | "ingressClassName" | "priorityClassName"
        | "runtimeClassName" | "schedulerName" => &NAMES,
        "holderIdentity" => &["a", "", "b c"],
        "command" | "args" => &["sh", "", "$(A)", "-c"],
        "value" => &["1", "", "a b", "$(A)", "-a"],
        "effect" => &["NoSchedule", "PreferNoSchedule", "NoExecute", "Bad", ""],
        "type" => &[
            "ClusterIP",
            "NodePort",
            "ExternalName",
            "RollingUpdate",
            "Recreate",
            "OnDelete",
            "Bad",
            "Opaque",
            "Utilization",
        ],
        "externalName" => &["example.com", "a_b", "", "example.com."],
        "managedBy" => &["example.com/a", "a", "kubernetes.io/job-controller", ""],
        "successPolicy" | "action" => &["FailJob", "Ignore", "Count", "FailIndex", "Bad"],
        "appProtocol" => &["http", "kubernetes.io/h2c", "bad protocol", ""],
        "sysctls" => &["kernel.shm_rmid_forced", "bad"],
        _ => &NAMES,
    };
    dice.pick(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_values_are_json() {
        let texts = [&STRINGS[..], &BYTES, &TIMES, &MICRO_TIMES, &INTEGERS, &INT_OR_STRINGS, &QUANTITIES];
        for text in texts.concat() {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
    }
}
