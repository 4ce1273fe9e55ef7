//! Discovery: which groups, versions and kinds are served, piece by piece or all at once. Pure
//! functions of the served kinds.

use std::{cmp::Reverse, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::{Map, Value, json};

use super::{
    document::{json_answer, not_found, typed},
    head::cached,
};
use crate::{
    api::subresource::SUBRESOURCE_VERBS,
    registry::{Kind, Kinds},
};

/// The order in which upstream lists its groups; custom ones follow, by name.
const GROUPS: [&str; 21] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "storagemigration.k8s.io",
];

/// The answer to a GET of `path`, if it is one of discovery's. `accept` decides between one document
/// and all of them in one.
pub(super) fn answer(
    kinds: &Kinds,
    path: &str,
    accept: &str,
    headers: &HeaderMap,
) -> Option<Response<Bytes>> {
    let all = kinds.all();
    let whole = |core| aggregated(&all, core, accept).map(|document| cached(document, headers));
    match path.trim_end_matches('/').split('/').skip(1).collect::<Vec<_>>()[..] {
        ["api"] => whole(true).or_else(|| Some(json_answer(&core_versions()))),
        ["apis"] => whole(false).or_else(|| Some(json_answer(&group_list(&all)))),
        ["api", "v1"] => resources(&all, "", "v1"),
        ["api", "v1", ..] => None,
        ["apis", name] => Some(group(&all, name).map_or_else(not_found, |group| json_answer(&group))),
        ["apis", group, ref rest @ ..] if all.iter().any(|kind| kind.group == group) => match rest {
            [version] => resources(&all, group, version),
            _ => None,
        },
        _ => Some(not_found()),
    }
}

/// The paths of all groups and versions, as the root lists them.
pub(super) fn paths(kinds: &Kinds) -> Vec<String> {
    let all = kinds.all();
    let groups = groups(&all).into_iter().filter(|group| !group.is_empty());
    let mut paths: Vec<String> = groups
        .flat_map(|group| {
            let versions = versions(&all, group);
            let versions: Vec<_> =
                versions.iter().map(|version| format!("/apis/{group}/{version}")).collect();
            [format!("/apis/{group}")].into_iter().chain(versions)
        })
        .chain(["/api", "/api/v1", "/apis", "/apis/"].map(str::to_owned))
        .collect();
    paths.sort();
    paths
}

/// All served group versions in the order of preference, such as `("apps", "v1")`.
pub(super) fn group_versions(all: &[Arc<Kind>]) -> Vec<(&str, &str)> {
    groups(all)
        .into_iter()
        .flat_map(|group| versions(all, group).into_iter().map(move |version| (group, version)))
        .collect()
}

fn groups(all: &[Arc<Kind>]) -> Vec<&str> {
    let mut groups: Vec<&str> = all.iter().map(|kind| kind.group.as_str()).collect();
    groups.sort_by_key(|group| {
        (!group.is_empty(), GROUPS.iter().position(|known| known == group).unwrap_or(GROUPS.len()), *group)
    });
    groups.dedup();
    groups
}

/// The versions of a group, the preferred one first.
fn versions<'a>(all: &'a [Arc<Kind>], group: &str) -> Vec<&'a str> {
    let mut versions: Vec<&str> =
        all.iter().filter(|kind| kind.group == group).map(|kind| kind.version.as_str()).collect();
    versions.sort_by_key(|version| (Reverse(priority(version)), *version));
    versions.dedup();
    versions
}

/// Stable before beta before alpha before any other name, then the higher number first.
fn priority(version: &str) -> Option<(u8, u32, u32)> {
    let version = version.strip_prefix('v')?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    let (major, stage) = version.split_at(digits);
    let major = major.parse().ok()?;
    match stage
        .strip_prefix("beta")
        .map(|minor| (1, minor))
        .or(stage.strip_prefix("alpha").map(|minor| (0, minor)))
    {
        Some((stage, minor)) => Some((stage, major, minor.parse().ok()?)),
        None => stage.is_empty().then_some((2, major, 0)),
    }
}

fn core_versions() -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
    })
}

fn group_list(all: &[Arc<Kind>]) -> Value {
    let groups: Vec<Value> = groups(all)
        .into_iter()
        .filter(|group| !group.is_empty())
        .map(|group| Value::Object(group_entry(all, group)))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn group(all: &[Arc<Kind>], name: &str) -> Option<Value> {
    if name.is_empty() || versions(all, name).is_empty() {
        return None;
    }
    let mut group = group_entry(all, name);
    group.insert("kind".to_owned(), "APIGroup".into());
    group.insert("apiVersion".to_owned(), "v1".into());
    Some(Value::Object(group))
}

fn group_entry(all: &[Arc<Kind>], name: &str) -> Map<String, Value> {
    let versions: Vec<Value> = versions(all, name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first().cloned();
    let fields =
        [("name", name.into()), ("versions", versions.into()), ("preferredVersion", preferred.into())];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

/// The kinds of one group version; `None` if it is not served.
fn resources(all: &[Arc<Kind>], group: &str, version: &str) -> Option<Response<Bytes>> {
    let kinds: Vec<&Arc<Kind>> =
        all.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    let api_version = kinds.first()?.api_version();
    let resources: Vec<Value> = kinds.iter().flat_map(|kind| resource(kind)).collect();
    Some(json_answer(&json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
    })))
}

/// One kind's entry and those of its subresources.
fn resource(kind: &Kind) -> Vec<Value> {
    let mut entry = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs,
    });
    add_names(&mut entry, kind);
    if kind.is_stored() {
        entry["storageVersionHash"] = kind.storage_version_hash().into();
    }
    let subresources = subresources(kind).into_iter().map(|sub| {
        let mut entry = json!({
            "name": format!("{}/{}", kind.plural, sub.name), "singularName": "", "namespaced": kind.namespaced,
            "kind": sub.kind, "verbs": sub.verbs,
        });
        if (sub.group, sub.version) != (&kind.group, &kind.version) {
            entry["group"] = sub.group.into();
            entry["version"] = sub.version.into();
        }
        entry
    });
    [entry].into_iter().chain(subresources).collect()
}

fn add_names(entry: &mut Value, kind: &Kind) {
    for (field, names) in [("shortNames", &kind.short_names), ("categories", &kind.categories)] {
        if !names.is_empty() {
            entry[field] = names.clone().into();
        }
    }
}

/// The subresources of a kind, and the kinds of their bodies.
struct Sub<'a> {
    name: &'a str,
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    verbs: &'a [&'a str],
}

fn subresources(kind: &Kind) -> Vec<Sub<'_>> {
    let status = kind.status.then_some(Sub {
        name: "status",
        group: &kind.group,
        version: &kind.version,
        kind: &kind.kind,
        verbs: SUBRESOURCE_VERBS,
    });
    let scale = kind.scale.as_ref().map(|_| Sub {
        name: "scale",
        group: "autoscaling",
        version: "v1",
        kind: "Scale",
        verbs: SUBRESOURCE_VERBS,
    });
    let more = kind.subresources.iter().map(|sub| {
        let (group, version) = sub.group_version(kind);
        Sub { name: sub.name, group, version, kind: sub.kind, verbs: sub.verbs }
    });
    let mut all: Vec<Sub<'_>> = status.into_iter().chain(scale).chain(more).collect();
    if kind.schema.is_none() {
        all.sort_by_key(|sub| sub.name); // upstream sorts built-in kinds, and puts a custom kind's status first
    }
    all
}

/// All groups in one document, if `accept` asks for that before it asks for plain JSON.
fn aggregated(all: &[Arc<Kind>], core: bool, accept: &str) -> Option<Response<Bytes>> {
    let (version, content_type) = accept.split(',').find_map(|range| {
        let asked: Vec<&str> = range.split(';').map(str::trim).collect();
        let has = |parameter| asked.contains(&parameter);
        if !has("as=APIGroupDiscoveryList") || !has("g=apidiscovery.k8s.io") {
            return (asked.first() == Some(&"application/json")).then_some(None);
        }
        match () {
            () if has("v=v2") => {
                Some(Some(("v2", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")))
            }
            () if has("v=v2beta1") => Some(Some((
                "v2beta1",
                "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            ))),
            () => None,
        }
    })??;
    let groups = groups(all).into_iter().filter(|group| group.is_empty() == core);
    let items: Vec<Value> = groups
        .map(|group| {
            let versions = versions(all, group).into_iter().map(|version| {
                let kinds = all.iter().filter(|kind| kind.group == group && kind.version == version);
                let resources: Vec<Value> = kinds.map(|kind| aggregated_resource(kind)).collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            });
            let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
            json!({"metadata": metadata, "versions": versions.collect::<Vec<_>>()})
        })
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {}, "items": items,
    });
    Some(typed(content_type, document.to_string()))
}

fn aggregated_resource(kind: &Kind) -> Value {
    // Upstream leaves a built-in kind's own group and version out here.
    let own = kind.schema.is_some();
    let response = |group: &str, version: &str, name: &str| {
        let told = own || (group, version) != (&kind.group, &kind.version);
        let [group, version] = if told { [group, version] } else { ["", ""] };
        json!({"group": group, "version": version, "kind": name})
    };
    let mut entry = json!({
        "resource": kind.plural,
        "responseKind": response(&kind.group, &kind.version, &kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    add_names(&mut entry, kind);
    let subresources: Vec<Value> = subresources(kind)
        .into_iter()
        .map(|sub| {
            let kind = response(sub.group, sub.version, sub.kind);
            json!({"subresource": sub.name, "responseKind": kind, "verbs": sub.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

#[cfg(test)]
mod tests;
