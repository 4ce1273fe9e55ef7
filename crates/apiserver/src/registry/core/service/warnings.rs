//! The warnings about Services (`GetWarningsForService`).

use serde_json::Value;

use crate::registry::{
    validation::{items, text},
    warnings::addresses,
};

pub(super) fn of(service: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (spec, kind) = (&service["spec"], text(&service["spec"], "type"));
    let has = |field: &str| !items(spec, field).is_empty() || !text(spec, field).is_empty();
    let warn =
        |found: &mut Vec<String>, holds: bool, told: &str| found.extend(holds.then(|| told.to_owned()));
    let (is_headless, is_external) =
        (kind == "ClusterIP" && spec["clusterIP"] == "None", kind == "ExternalName");
    warn(
        &mut found,
        service["metadata"]["annotations"].get("service.kubernetes.io/topology-aware-hints").is_some(),
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use \
         service.kubernetes.io/topology-mode instead",
    );
    found.extend(addresses::of_all(spec, "clusterIPs", "spec"));
    for (holds, told) in [
        (has("loadBalancerIP"), "spec.loadBalancerIP is ignored for headless services"),
        (has("externalIPs"), "spec.externalIPs is ignored for headless services"),
        (spec["sessionAffinity"] != "None", "spec.SessionAffinity is ignored for headless services"),
    ] {
        warn(&mut found, is_headless && holds, told);
    }
    found.extend(addresses::of_all(spec, "externalIPs", "spec"));
    warn(
        &mut found,
        has("externalIPs") && !is_headless && !is_external,
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    );
    found.extend(addresses::of_address(&spec["loadBalancerIP"], "spec.loadBalancerIP"));
    for (position, range) in items(spec, "loadBalancerSourceRanges").iter().enumerate() {
        found.extend(addresses::of_range(range, format!("spec.loadBalancerSourceRanges[{position}]")));
    }
    let ignored = "spec.externalIPs is ignored when spec.type is \"ExternalName\"";
    warn(&mut found, is_external && has("externalIPs"), ignored);
    let ignored = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
    warn(&mut found, !is_external && has("externalName"), ignored);
    warn(
        &mut found,
        spec["trafficDistribution"] == "PreferClose",
        "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
    );
    found
}
