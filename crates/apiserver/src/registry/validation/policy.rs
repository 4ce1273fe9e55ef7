//! Validation of `NetworkPolicies`.

use serde_json::{Value, json};

use super::{address::range, items, parts, probe, text};
use crate::api::{path::Path, status::Cause};

/// A `NetworkPolicy`.
pub(in crate::registry) fn network_policy(policy: &Value, causes: &mut Vec<Cause>) {
    let spec = &policy["spec"];
    parts::selector(&spec["podSelector"], &Path::Root("spec.podSelector"), causes);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let root = Path::Root("spec");
        let list = root.child(direction);
        for (position, rule) in items(spec, direction).iter().enumerate() {
            let path = list.index(position);
            for (index, port) in items(rule, "ports").iter().enumerate() {
                self::port(port, &path.child("ports").index(index), causes);
            }
            for (index, peer) in items(rule, peers).iter().enumerate() {
                self::peer(peer, &path.child(peers).index(index), causes);
            }
        }
    }
    let kinds = items(spec, "policyTypes");
    if kinds.len() > 2 {
        let because = "may not specify more than two policyTypes";
        causes.push(Cause::invalid("spec.policyTypes", &spec["policyTypes"], because));
        return;
    }
    for (position, kind) in kinds.iter().enumerate() {
        if !matches!(kind.as_str(), Some("Ingress" | "Egress")) {
            let known = ["Ingress", "Egress"];
            causes.push(Cause::not_supported(format!("spec.policyTypes[{position}]"), kind, &known));
        }
    }
}

fn port(port: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let known = ["TCP", "UDP", "SCTP"];
    super::one_of(&port["protocol"], path.child("protocol"), &known, causes);
    let (number, end) = (&port["port"], port["endPort"].as_i64());
    let field = path.child("endPort");
    match (number, end) {
        (Value::Null, Some(end)) => {
            let because = "may not be specified when `port` is not specified";
            causes.push(Cause::invalid(field, &json!(end), because));
        }
        (Value::String(_), Some(end)) => {
            let because = "may not be specified when `port` is non-numeric";
            causes.push(Cause::invalid(field, &json!(end), because));
        }
        (_, Some(end)) => {
            if number.as_i64().is_some_and(|number| end < number) {
                causes.push(Cause::invalid(field, number, "must be greater than or equal to `port`"));
            }
            if !(1..=65535).contains(&end) {
                let because = "must be between 1 and 65535, inclusive";
                causes.push(Cause::invalid(field, &json!(end), because));
            }
        }
        (_, None) => {}
    }
    if !number.is_null() {
        probe::port(number, path.child("port"), causes);
    }
}

fn peer(peer: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for field in ["podSelector", "namespaceSelector"] {
        parts::selector(&peer[field], &path.child(field), causes);
    }
    let block = &peer["ipBlock"];
    let others = ["podSelector", "namespaceSelector"].iter().any(|field| peer[field].is_object());
    if block.is_object() {
        ip_block(block, &path.child("ipBlock"), causes);
        if others {
            causes.push(Cause::forbidden(path, "may not specify both ipBlock and another peer"));
        }
    } else if !others {
        causes.push(Cause::required(path, "must specify a peer"));
    }
}

fn ip_block(block: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let whole = text(block, "cidr");
    if whole.is_empty() {
        causes.push(Cause::required(path.child("cidr"), ""));
        return;
    }
    let Some(whole) = range(&block["cidr"], path.child("cidr"), causes) else { return };
    let list = path.child("except");
    for (position, except) in items(block, "except").iter().enumerate() {
        let field = list.index(position);
        let Some(part) = range(except, field, causes) else { continue };
        if !whole.contains_more_than(part) {
            causes.push(Cause::invalid(field, except, "must be a strict subset of `cidr`"));
        }
    }
}
