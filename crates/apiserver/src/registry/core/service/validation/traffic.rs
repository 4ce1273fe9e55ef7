//! Validation of the fields of Services that say from where they are reached, and how clients are led to them.

use serde_json::Value;

use super::super::spec::{has_health_check, is_externally_accessible};
use crate::{
    api::{names, path::Path, status::Cause},
    registry::validation,
};

const FOR_BALANCERS: &str = "may only be used when `type` is 'LoadBalancer'";
const ANNOTATIONS: Path<'static> = Path::Root("metadata.annotations");

/// Validates that the two annotations about topology agree.
pub(super) fn topology(service: &Value, causes: &mut Vec<Cause>) {
    let (hints, mode) = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode");
    let annotations = &service["metadata"]["annotations"];
    let (old, new) = (&annotations[hints], &annotations[mode]);
    if !old.is_null() && !new.is_null() && old != new {
        let because = format!("must match annotations[{hints}] when both are specified");
        causes.push(Cause::invalid(ANNOTATIONS.key(mode), new, because));
    }
}

/// Validates the ranges from which a load balancer is reached, in the spec or else in the annotation.
pub(super) fn source_ranges(service: &Value, causes: &mut Vec<Cause>) {
    let annotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let (spec, list) = (&service["spec"], Path::Root("spec.LoadBalancerSourceRanges"));
    let ranges = validation::items(spec, "loadBalancerSourceRanges");
    let noted = service["metadata"]["annotations"][annotation].as_str();
    let is_set = !ranges.is_empty() || noted.is_some();
    if is_set && spec["type"] != "LoadBalancer" {
        let field = if ranges.is_empty() { ANNOTATIONS.key(annotation) } else { list };
        causes.push(Cause::forbidden(field, FOR_BALANCERS));
    }
    for (position, range) in ranges.iter().enumerate() {
        let range = range.as_str().unwrap_or_default().trim();
        validation::address::range(&range.into(), list.index(position), causes);
    }
    let noted = noted.map(str::trim).filter(|noted| !noted.is_empty() && ranges.is_empty());
    for range in noted.into_iter().flat_map(|noted| noted.split(',')) {
        validation::address::range(&range.trim().into(), ANNOTATIONS.key(annotation), causes);
    }
}

/// Validates the fields of load balancers.
pub(super) fn balancer(spec: &Value, causes: &mut Vec<Cause>) {
    let field = "allocateLoadBalancerNodePorts";
    if spec["type"] != "LoadBalancer" && spec[field].is_boolean() {
        causes.push(Cause::forbidden(format!("spec.{field}"), FOR_BALANCERS));
    }
    class(spec, causes);
}

/// Validates the class of a load balancer.
pub(super) fn class(spec: &Value, causes: &mut Vec<Cause>) {
    let Some(class) = spec["loadBalancerClass"].as_str() else { return };
    if spec["type"] == "LoadBalancer" {
        validation::faulty(class, "spec.loadBalancerClass", names::qualified_faults(class), causes);
    } else {
        causes.push(Cause::forbidden("spec.loadBalancerClass", FOR_BALANCERS));
    }
}

/// Validates the policies of traffic.
pub(super) fn policies(spec: &Value, causes: &mut Vec<Cause>) {
    let policy = &spec["externalTrafficPolicy"];
    let is_set = policy.as_str().is_some_and(|policy| !policy.is_empty());
    if is_externally_accessible(spec) {
        validation::one_of(policy, "spec.externalTrafficPolicy", &["Cluster", "Local"], causes);
    } else if is_set {
        let because = "may only be set for externally-accessible services";
        causes.push(Cause::invalid("spec.externalTrafficPolicy", policy, because));
    }
    let port = &spec["healthCheckNodePort"];
    if !has_health_check(spec) && port.as_i64().is_some_and(|port| port != 0) {
        let because = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.push(Cause::invalid("spec.healthCheckNodePort", port, because));
    }
    let internal = &spec["internalTrafficPolicy"];
    validation::one_of(internal, "spec.internalTrafficPolicy", &["Cluster", "Local"], causes);
    let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    validation::one_of(&spec["trafficDistribution"], "spec.trafficDistribution", &known, causes);
}
