//! [`RbacReport`]: permissions beside the roles of a manifest.

use std::{collections::BTreeSet, fmt};

use super::{
    Permission,
    manifest::{Role, Roles, Rule, is_resource},
};

/// The differences between the permissions that a run used and those that a manifest grants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RbacReport {
    /// The permissions that were used and are not granted.
    pub missing: Vec<Permission>,
    /// The permissions that are granted and were not used, each as a line with its role.
    pub in_vain: Vec<String>,
}

impl RbacReport {
    pub(super) fn new(used: &BTreeSet<Permission>, Roles(roles): &Roles) -> Self {
        let is_granted = |permission: &&Permission| {
            let mut applying = roles.iter().filter(|role| role.applies_to(permission));
            applying.any(|role| role.rules.iter().any(|rule| rule.grants(permission)))
        };
        let missing = used.iter().filter(|permission| !is_granted(permission)).cloned().collect();
        let in_vain = roles.iter().flat_map(|role| in_vain(role, used)).collect();
        Self { missing, in_vain }
    }

    /// Returns whether the manifest grants every permission that was used.
    pub fn suffices(&self) -> bool {
        self.missing.is_empty()
    }

    /// Returns whether the manifest grants the permissions that were used and no others.
    pub fn is_exact(&self) -> bool {
        self.missing.is_empty() && self.in_vain.is_empty()
    }
}

/// Returns the grants of a role that no permission needed.
fn in_vain(role: &Role, used: &BTreeSet<Permission>) -> Vec<String> {
    let used: Vec<_> = used.iter().filter(|permission| role.applies_to(permission)).collect();
    let mut lines = Vec::new();
    for rule in &role.rules {
        for group in &rule.api_groups {
            for resource in &rule.resources {
                for verb in &rule.verbs {
                    if !used.iter().any(|permission| is_used(rule, group, resource, verb, permission)) {
                        let of_group = if group.is_empty() { String::new() } else { format!(" of {group}") };
                        lines.push(format!("{}: {verb} {resource}{of_group}", role.name));
                    }
                }
            }
        }
    }
    lines
}

fn is_used(rule: &Rule, group: &str, resource: &str, verb: &str, permission: &Permission) -> bool {
    rule.grants(permission)
        && (group == "*" || group == permission.group)
        && is_resource(resource, &permission.resource)
        && (verb == "*" || verb == permission.verb)
}

impl fmt::Display for RbacReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact() {
            return f.write_str("the manifest grants the permissions that were used, and no others");
        }
        let mut separator = "";
        if !self.missing.is_empty() {
            f.write_str("not granted:")?;
            self.missing.iter().try_for_each(|permission| write!(f, "\n  {permission}"))?;
            separator = "\n";
        }
        if !self.in_vain.is_empty() {
            write!(f, "{separator}granted in vain:")?;
            self.in_vain.iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        }
        Ok(())
    }
}
