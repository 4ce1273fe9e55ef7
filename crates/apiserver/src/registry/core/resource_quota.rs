//! `ResourceQuota`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::{path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, column, defaults, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "ResourceQuota", "resourcequotas")
        .short("quota")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |quota| {
        defaults::quantities(defaults::spec(quota), "hard");
        if let Some(status) = quota.get_mut("status").and_then(Value::as_object_mut) {
            ["hard", "used"].iter().for_each(|list| defaults::quantities(status, list));
        }
    },
    validate: validation::quota::quota,
    validate_change: |old, new, causes| {
        if old["spec"]["scopes"] != new["spec"]["scopes"] {
            causes.push(Cause::invalid("spec.scopes", &new["spec"]["scopes"], "field is immutable"));
        }
    },
    validate_part: |subresource, _, new, causes| {
        if subresource == Some(Subresource::Status) {
            for list in ["hard", "used"] {
                let path = Path::Root("status");
                validation::quota::quota_amounts(&new["status"][list], &path.child(list), causes);
            }
        }
    },
    returns_deleted: true,
    counts_by_name: true,
    ..Strategy::PLAIN
};

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::computed("Request", requests_of_quota),
        column::computed("Limit", limits_of_quota),
    ])
}

/// The usage of a quota, without limits.
fn requests_of_quota(quota: &Value, _: Timestamp) -> Value {
    used(quota, |resource| !resource.starts_with("limits.")).into()
}

fn limits_of_quota(quota: &Value, _: Timestamp) -> Value {
    used(quota, |resource| resource.starts_with("limits.")).into()
}

fn used(quota: &Value, shown: impl Fn(&str) -> bool) -> String {
    let hard = quota.pointer("/status/hard").and_then(Value::as_object).into_iter().flatten();
    let mut all: Vec<_> = hard
        .filter(|(resource, _)| shown(resource))
        .map(|(resource, hard)| {
            let used = quota["status"]["used"][resource].as_str().unwrap_or("0");
            format!("{resource}: {used}/{}", hard.as_str().unwrap_or("0"))
        })
        .collect();
    all.sort();
    all.join(", ")
}
