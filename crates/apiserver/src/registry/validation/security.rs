//! Validation of security contexts: as whom and with which limits a Pod runs.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::{duplicate, items, object, one_of, text};
use crate::api::{path::Path, status::Cause};

/// The form of the name of a kernel's parameter.
const SYSCTL_RULE: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
static SYSCTL: LazyLock<Regex> = LazyLock::new(|| Regex::new(SYSCTL_RULE).expect("a regular expression"));

/// Adds the errors of a Pod's security context.
pub(super) fn of_pod(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let Some(context) = object(spec, "securityContext") else { return };
    let path = &path.child("securityContext");
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        identity(&context[field], path.child(field), causes);
    }
    for (position, group) in items(context, "supplementalGroups").iter().enumerate() {
        identity(group, path.child("supplementalGroups").index(position), causes);
    }
    if spec["shareProcessNamespace"] == true && spec["hostPID"] == true {
        let because = "ShareProcessNamespace and HostPID cannot both be enabled";
        causes.push(Cause::invalid(path.child("shareProcessNamespace"), &json!(true), because));
    }
    sysctls(items(context, "sysctls"), &path.child("sysctls"), causes);
    for (field, known) in [
        ("supplementalGroupsPolicy", ["Merge", "Strict"]),
        ("fsGroupChangePolicy", ["Always", "OnRootMismatch"]),
        ("seLinuxChangePolicy", ["MountOption", "Recursive"]),
    ] {
        one_of(&context[field], path.child(field), &known, causes);
    }
    profiles(context, path, causes);
}

/// The parameters of the kernel (`validateSysctls`).
fn sysctls(sysctls: &[Value], path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, sysctl) in sysctls.iter().enumerate() {
        let element = path.index(position);
        let (field, name) = (element.child("name"), text(sysctl, "name"));
        if name.is_empty() {
            causes.push(Cause::required(field, ""));
        } else if name.len() > 253 || !SYSCTL.is_match(name) {
            let because = format!("must have at most 253 characters and match regex {SYSCTL_RULE}");
            causes.push(Cause::invalid(field, &json!(name), because));
        } else if sysctls[..position].iter().any(|other| text(other, "name") == name) {
            causes.push(duplicate(field, &json!(name)));
        }
    }
}

/// The number of a user or a group.
pub(super) fn identity(number: &Value, field: Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(number) = number.as_i64().filter(|number| !(0..=i64::from(i32::MAX)).contains(number)) {
        causes.push(Cause::invalid(field, &json!(number), "must be between 0 and 2147483647, inclusive"));
    }
}

/// Adds the errors of the profiles of seccomp and `AppArmor`.
pub(super) fn profiles(context: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (name, shown) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
        let Some(profile) = object(context, name) else { continue };
        let path = path.child(name);
        let (kind, local) = (text(profile, "type"), &profile["localhostProfile"]);
        match kind {
            "Localhost" | "RuntimeDefault" | "Unconfined" => {}
            "" => causes
                .push(Cause::required(path.child("type"), &format!("type is required when {name} is set"))),
            _ => {
                let known = ["Localhost", "RuntimeDefault", "Unconfined"];
                causes.push(Cause::not_supported(path.child("type"), &json!(kind), &known));
            }
        }
        if kind == "Localhost" && local.as_str().is_none_or(str::is_empty) {
            let because = format!("must be set when {shown} type is Localhost");
            causes.push(Cause::required(path.child("localhostProfile"), &because));
        } else if kind == "Localhost" && shown == "seccomp" {
            super::volume::descending(
                local.as_str().unwrap_or_default(),
                path.child("localhostProfile"),
                causes,
            );
        } else if kind != "Localhost" && local.is_string() && shown == "seccomp" {
            // Upstream shows its Go struct.
            let value = format!("{{\"Type\":{kind:?},\"LocalhostProfile\":{local}}}");
            causes.push(Cause::invalid_json(
                path.child("localhostProfile"),
                &value,
                "can only be set when seccomp type is Localhost",
            ));
        } else if kind != "Localhost" && local.is_string() {
            let because = "can only be set when AppArmor type is Localhost";
            causes.push(Cause::invalid(path.child("localhostProfile"), local, because));
        }
    }
}
