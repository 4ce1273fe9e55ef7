//! The IP families of a Service, in a cluster that has IPv4 alone.

use serde_json::{Value, json};

use super::{
    spec::{is_external_name, spec_mut},
    validation::cluster_ips,
};
use crate::{
    api::{path::Path, status::Cause},
    registry::validation::{items, text},
};

const POLICY: &str = "spec.ipFamilyPolicy";

/// Sets the policy and the families of a Service that its writer left out. Refuses those that contradict its addresses, or that
/// the cluster does not have. `old` is its state before an update.
pub(super) fn complete(old: Option<&Value>, service: &mut Value) -> Result<(), Vec<Cause>> {
    if is_external_name(&service["spec"])
        || old.is_some_and(|old| prefers_two_still(&old["spec"], &service["spec"]))
    {
        return Ok(());
    }
    set_policy(old, service);
    let mut causes = Vec::new();
    cluster_ips::validate(&service["spec"], &mut causes);
    none(causes)?;
    let mut causes = Vec::new();
    if let Some(old) = old {
        release_second(&old["spec"], service, &mut causes);
    }
    refuse_second(&service["spec"], &mut causes);
    infer(service, &mut causes);
    none(causes)?;
    let spec = &service["spec"];
    if spec["clusterIP"] == "None" && spec["selector"].as_object().is_none_or(serde_json::Map::is_empty) {
        set_both(service);
        return Ok(());
    }
    let mut causes = Vec::new();
    refuse_unconfigured(spec, &mut causes);
    none(causes)?;
    if items(spec, "ipFamilies").is_empty() {
        service["spec"]["ipFamilies"] = json!(["IPv4"]);
    }
    Ok(())
}

fn none(causes: Vec<Cause>) -> Result<(), Vec<Cause>> {
    if causes.is_empty() { Ok(()) } else { Err(causes) }
}

fn is_single(spec: &Value) -> bool {
    spec["ipFamilyPolicy"] == "SingleStack"
}

/// Returns whether both states prefer two families and have the same ones, so that nothing is added or taken away.
fn prefers_two_still(before: &Value, after: &Value) -> bool {
    let prefers =
        |spec: &Value| spec["ipFamilyPolicy"].is_null() || spec["ipFamilyPolicy"] == "PreferDualStack";
    before["type"] == after["type"]
        && prefers(before)
        && prefers(after)
        && ["clusterIPs", "ipFamilies"].iter().all(|field| items(before, field) == items(after, field))
}

fn set_policy(old: Option<&Value>, service: &mut Value) {
    let spec = &service["spec"];
    if !spec["ipFamilyPolicy"].is_null() {
        return;
    }
    let selects = spec["selector"].as_object().is_some_and(|selector| !selector.is_empty());
    let is_free = spec["clusterIP"] == "None" && !selects;
    let known = old.and_then(|old| old["spec"]["ipFamilyPolicy"].as_str());
    let policy = known.unwrap_or(if is_free { "RequireDualStack" } else { "SingleStack" });
    service["spec"]["ipFamilyPolicy"] = policy.into();
}

/// Gives up the second address and family under the policy `SingleStack`; refuses to lose them under another one.
fn release_second(before: &Value, service: &mut Value, causes: &mut Vec<Cause>) {
    let single = is_single(&service["spec"]);
    for (field, noun) in [("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")] {
        let (had, has) = (items(before, field), items(&service["spec"], field));
        if !single && !has.is_empty() && has.len() < had.len() {
            let because = format!("must be 'SingleStack' to release the secondary {noun}");
            causes.push(Cause::invalid(POLICY, &service["spec"]["ipFamilyPolicy"], because));
        } else if single && had == has && has.len() > 1 {
            service["spec"][field] = json!([has[0]]);
        }
    }
}

fn refuse_second(spec: &Value, causes: &mut Vec<Cause>) {
    for (field, nouns) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
        if is_single(spec) && items(spec, field).len() == 2 {
            let because = format!(
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple {nouns} are specified"
            );
            causes.push(Cause::invalid(POLICY, &spec["ipFamilyPolicy"], because));
        }
    }
}

/// Adds the families of addresses that have none.
fn infer(service: &mut Value, causes: &mut Vec<Cause>) {
    let addresses = items(&service["spec"], "clusterIPs").to_vec();
    let addresses =
        if addresses.first().is_some_and(|first| first == "None") { Vec::new() } else { addresses };
    let mut families = items(&service["spec"], "ipFamilies").to_vec();
    let list = Path::Root("spec.clusterIPs");
    for (position, address) in addresses.iter().enumerate().skip(families.len()) {
        if cluster_ips::is_v6(address) {
            let because = "IPv6 is not configured on this cluster";
            causes.push(Cause::invalid(list.index(position), &json!(addresses), because));
        } else {
            families.push("IPv4".into());
        }
    }
    if !families.is_empty() {
        spec_mut(service).insert("ipFamilies".to_owned(), families.into());
    }
}

/// Sets the families of a Service without address and selector, whose endpoints may have any.
fn set_both(service: &mut Value) {
    let mut families = items(&service["spec"], "ipFamilies").to_vec();
    if families.is_empty() {
        families.push("IPv4".into());
    }
    if families.len() < 2 && !is_single(&service["spec"]) {
        let other = if families[0] == "IPv4" { "IPv6" } else { "IPv4" };
        families.push(other.into());
    }
    service["spec"]["ipFamilies"] = families.into();
}

fn refuse_unconfigured(spec: &Value, causes: &mut Vec<Cause>) {
    if text(spec, "ipFamilyPolicy") == "RequireDualStack" {
        let because = "this cluster is not configured for dual-stack services";
        causes.push(Cause::invalid(POLICY, &spec["ipFamilyPolicy"], because));
    }
    let list = Path::Root("spec.ipFamilies");
    for (position, family) in items(spec, "ipFamilies").iter().enumerate() {
        if family != "IPv4" {
            causes.push(Cause::invalid(list.index(position), family, "not configured on this cluster"));
        }
    }
}
