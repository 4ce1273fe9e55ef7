//! Upstream's warnings when objects are written: fields and annotations that are deprecated, or do not do what they seem
//! to. A warning refuses nothing.

pub(super) mod addresses;
mod paths;
pub(super) mod pod;
mod ports;

use serde_json::Value;

pub(super) use self::pod::text;
use super::Kind;
use crate::api::{names, object, path::Path, subresource::Subresource};

/// Returns the warnings of a write of the object itself; `old` is the state before an update.
pub(crate) fn of_write(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: Option<&Value>,
    new: &Value,
) -> Vec<String> {
    if subresource.is_some() {
        return Vec::new();
    }
    (kind.strategy.warnings)(old, new)
}

/// Returns the warning of every request to a deprecated kind.
pub(crate) fn of_kind(kind: &Kind) -> Option<String> {
    kind.strategy.deprecation.map(str::to_owned).or_else(|| kind.deprecation.clone())
}

/// Returns the warnings of a workload whose Pods are named after it.
pub(super) fn of_workload(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = of_new_name(old, new, "Pod names and hostnames");
    warnings.extend(template(old, new, "spec.template"));
    warnings
}

/// Returns the warnings of a new object whose name is used elsewhere, such as in hostnames.
pub(super) fn of_new_name(old: Option<&Value>, new: &Value, used: &str) -> Vec<String> {
    if old.is_none() { name(new, used) } else { Vec::new() }
}

/// Returns the warnings about new finalizers of custom objects that have no domain.
pub(super) fn finalizers(old: Option<&Value>, new: &Value) -> Vec<String> {
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

/// Returns the warning about a name that is no DNS label.
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

pub(super) fn annotations(new: &Value, deprecated: &[(&str, &str)]) -> Vec<String> {
    let annotations = &new["metadata"]["annotations"];
    let present = deprecated.iter().filter(|(key, _)| annotations.get(key).is_some());
    present.map(|(key, told)| format!("metadata.annotations[{key}]: {told}")).collect()
}

/// Returns the warnings about a template, unless an update changed nothing in the spec.
pub(super) fn template(old: Option<&Value>, new: &Value, path: &str) -> Vec<String> {
    let place = path.split('.').next().unwrap_or_default();
    if old.is_some_and(|old| old[place] == new[place]) {
        return Vec::new();
    }
    let template = path.split('.').try_fold(new, |value, field| value.get(field));
    template.map(|template| pod::of_pod(Some(&Path::Root(path)), template)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
