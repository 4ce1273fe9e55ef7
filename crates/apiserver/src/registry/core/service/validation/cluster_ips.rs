//! Validation of the addresses and IP families of Services.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::Value;

use super::super::spec::{is_external_name, is_headless};
use crate::{
    api::{path::Path, status::Cause},
    registry::validation::{self, items, text},
};

const ADDRESSES: Path<'static> = Path::Root("spec.clusterIPs");
const FAMILIES: Path<'static> = Path::Root("spec.ipFamilies");
const POLICY: &str = "spec.ipFamilyPolicy";
const FIXED: &str = "may not change once set";

/// Returns whether an address is one of IPv6.
pub(in super::super) fn is_v6(address: &Value) -> bool {
    address.as_str().and_then(|text| text.parse::<IpAddr>().ok()).is_some_and(|address| address.is_ipv6())
}

/// Validates the addresses, the families and their policy against each other.
pub(in super::super) fn validate(spec: &Value, causes: &mut Vec<Cause>) {
    if is_external_name(spec) {
        return;
    }
    agree(spec, causes);
    families(spec, causes);
    let known = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    validation::one_of(&spec["ipFamilyPolicy"], POLICY, &known, causes);
    if addresses(spec, causes) {
        pairs(spec, causes);
    }
}

/// The first of the addresses is the one in `clusterIP`.
fn agree(spec: &Value, causes: &mut Vec<Cause>) {
    let (address, addresses) = (text(spec, "clusterIP"), &spec["clusterIPs"]);
    match (address, items(spec, "clusterIPs").first()) {
        ("", Some(_)) => {
            let because = "must be empty when `clusterIP` is not specified";
            causes.push(Cause::invalid(ADDRESSES, addresses, because));
        }
        ("", None) => {}
        (_, None) => causes.push(Cause::required(ADDRESSES, "")),
        (address, Some(first)) if first != address => {
            causes.push(Cause::invalid(ADDRESSES, addresses, "first value must match `clusterIP`"));
        }
        _ => {}
    }
}

fn families(spec: &Value, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for (position, family) in items(spec, "ipFamilies").iter().enumerate() {
        validation::one_of(family, FAMILIES.index(position), &["IPv4", "IPv6"], causes);
        if !seen.insert(family.as_str()) {
            causes.push(validation::duplicate(FAMILIES.index(position), family));
        }
    }
}

/// Validates each address, and returns whether all are valid.
fn addresses(spec: &Value, causes: &mut Vec<Cause>) -> bool {
    let (all, value, before) = (items(spec, "clusterIPs"), &spec["clusterIPs"], causes.len());
    for (position, address) in all.iter().enumerate() {
        if position == 0 && address == "None" {
            if all.len() > 1 {
                let because = "'None' must be the first and only value";
                causes.push(Cause::invalid(ADDRESSES, value, because));
            }
        } else {
            validation::address::address(address, ADDRESSES.index(position), causes);
        }
    }
    let is_valid = causes.len() == before;
    if all.len() > 2 {
        causes.push(Cause::invalid(ADDRESSES, value, "may only hold up to 2 values"));
    }
    is_valid
}

/// Validates that two addresses are of two families, and that each is of the family at its place.
fn pairs(spec: &Value, causes: &mut Vec<Cause>) {
    let all = items(spec, "clusterIPs");
    let sixes = all.iter().filter(|address| is_v6(address)).count();
    if all.len() > 1 && (sixes == 0 || sixes == all.len()) {
        let because = "may specify no more than one IP for each IP family";
        causes.push(Cause::invalid(ADDRESSES, &spec["clusterIPs"], because));
    }
    if is_headless(spec) {
        return;
    }
    for (position, (address, family)) in all.iter().zip(items(spec, "ipFamilies")).enumerate() {
        let is_expected = match family.as_str() {
            Some("IPv4") => !is_v6(address),
            Some("IPv6") => is_v6(address),
            _ => true,
        };
        if !is_expected {
            let family = family.as_str().unwrap_or_default();
            let because = format!("expected an {family} value as indicated by `ipFamilies[{position}]`");
            causes.push(Cause::invalid(ADDRESSES.index(position), address, because));
        }
    }
}

/// Validates that addresses and families stay, except for a second one.
pub(super) fn validate_change(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    if is_external_name(before) || is_external_name(after) {
        return;
    }
    let (was_headless, is_headless) = (is_headless(before), is_headless(after));
    if !(was_headless && is_headless) {
        changed_addresses(before, after, causes);
    }
    if !was_headless && !is_headless {
        changed_families(before, after, causes);
    }
}

fn changed_addresses(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let (had, has) = (items(before, "clusterIPs"), items(after, "clusterIPs"));
    let mut refuse = |position, because| {
        causes.push(Cause::invalid(ADDRESSES.index(position), &after["clusterIPs"], because));
    };
    if had.len() == has.len() {
        let changed = (0..had.len()).filter(|position| had[*position] != has[*position]);
        changed.for_each(|position| refuse(position, FIXED));
        return;
    }
    match (had.first(), has.first()) {
        (Some(_), None) => refuse(0, "primary clusterIP can not be unset"),
        (Some(first), Some(other)) if first != other => refuse(0, FIXED),
        _ => {}
    }
    second_is_released(had.len(), has.len(), after, "clusterIP", causes);
}

fn changed_families(before: &Value, after: &Value, causes: &mut Vec<Cause>) {
    let (had, has) = (items(before, "ipFamilies"), items(after, "ipFamilies"));
    let refuse = |value, because| Cause::invalid(FAMILIES.index(0), value, because);
    if had.len() == has.len() {
        let changed = had.iter().zip(has).filter(|(old, new)| old != new);
        causes.extend(changed.map(|_| refuse(&after["ipFamilies"], FIXED)));
        return;
    }
    if had.len() > has.len() && items(after, "clusterIPs").is_empty() {
        causes.push(refuse(&after["ipFamilies"], "primary ipFamily can not be unset"));
    }
    if let (Some(first), Some(other)) = (had.first(), has.first())
        && first != other
    {
        causes.push(refuse(&after["clusterIPs"], FIXED)); // upstream shows the addresses here
    }
    second_is_released(had.len(), has.len(), after, "ipFamily", causes);
}

/// Validates that whoever takes away the second of two says so by the policy.
fn second_is_released(had: usize, has: usize, after: &Value, noun: &str, causes: &mut Vec<Cause>) {
    if had > has && has == 1 && after["ipFamilyPolicy"] != "SingleStack" {
        let because = format!("must be set to 'SingleStack' when releasing the secondary {noun}");
        causes.push(Cause::invalid(POLICY, &after["ipFamilyPolicy"], because));
    }
}
