//! `EndpointSlice`s.

use std::{collections::BTreeSet, net::IpAddr};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
        warnings::addresses,
    },
};

/// The most entries that a cell shows.
const SHOWN: usize = 3;

/// The most endpoints, ports, and addresses of an endpoint.
const MOST_ENDPOINTS: usize = 1000;
const MOST_PORTS: usize = 20_000;
const MOST_ADDRESSES: usize = 100;

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Whole],
    set_defaults: |slice| set_slice_defaults(defaults::whole(slice)),
    counts_generations: true,
    counts_labels: true,
    validate,
    prepare_for_create: |slice| prepare(None, slice),
    prepare_for_update: |old, slice| prepare(Some(old), slice),
    validate_change: |old, new, causes| {
        if old["addressType"] != new["addressType"] {
            let kind = validation::text(new, "addressType");
            causes.push(Cause::invalid("addressType", &json!(kind), "field is immutable"));
        }
    },
    warnings,
    ..Strategy::PLAIN
};

fn set_slice_defaults(slice: &mut Fields) {
    defaults::ports(slice);
    defaults::items(slice, "ports").for_each(|port| defaults::fill(port, [("name", json!(""))]));
    defaults::items(slice, "endpoints")
        .for_each(|endpoint| defaults::fill(endpoint, [("conditions", json!({}))]));
}

/// Takes the topology out of changed endpoints, which the API's version has no more (`dropTopologyOnV1`).
fn prepare(old: Option<&Value>, slice: &mut Value) {
    let slice = defaults::whole(slice);
    if old.is_none_or(|old| Some(&old["endpoints"]) != slice.get("endpoints")) {
        let before = old.map_or(&[][..], |old| validation::items(old, "endpoints"));
        let known: Vec<&str> = before.iter().map(host).filter(|name| !name.is_empty()).collect();
        for endpoint in defaults::items(slice, "endpoints") {
            let Some(topology) = endpoint.remove("deprecatedTopology") else { continue };
            let name = validation::text(&topology, HOST);
            if known.contains(&name) && names::is_subdomain(name) {
                defaults::fill(endpoint, [("nodeName", json!(name))]);
            }
        }
    }
}

/// The key of the topology that is the node's name.
const HOST: &str = "kubernetes.io/hostname";

fn host(endpoint: &Value) -> &str {
    validation::text(&endpoint["deprecatedTopology"], HOST)
}

fn warnings(old: Option<&Value>, slice: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if old.is_none() && slice["addressType"] == "FQDN" {
        found.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
    }
    for (position, endpoint) in validation::items(slice, "endpoints").iter().enumerate() {
        found.extend(addresses::of_all(endpoint, "addresses", &format!("endpoints[{position}]")));
    }
    found
}

fn validate(slice: &Value, causes: &mut Vec<Cause>) {
    let kind = validation::text(slice, "addressType");
    match kind {
        "" => causes.push(Cause::required("addressType", "")),
        _ => validation::one_of(&slice["addressType"], "addressType", &["FQDN", "IPv4", "IPv6"], causes),
    }
    validate_ports(slice, causes);
    let endpoints = validation::items(slice, "endpoints");
    if endpoints.len() > MOST_ENDPOINTS {
        causes.push(validation::too_many("endpoints", endpoints.len(), MOST_ENDPOINTS));
        return;
    }
    let list = Path::Root("endpoints");
    for (position, endpoint) in endpoints.iter().enumerate() {
        validate_endpoint(endpoint, kind, &list.index(position), causes);
    }
}

fn validate_ports(slice: &Value, causes: &mut Vec<Cause>) {
    let ports = validation::items(slice, "ports");
    if ports.len() > MOST_PORTS {
        causes.push(validation::too_many("ports", ports.len(), MOST_PORTS));
        return;
    }
    let (mut seen, list) = (BTreeSet::new(), Path::Root("ports"));
    for (position, port) in ports.iter().enumerate() {
        let path = list.index(position);
        let name = validation::text(port, "name");
        if !name.is_empty() {
            validation::faulty(name, path.child("name"), names::label_faults(name), causes);
        }
        if !seen.insert(name) {
            causes.push(validation::duplicate(path.child("name"), &json!(name)));
        }
        validation::one_of(&port["protocol"], path.child("protocol"), &["SCTP", "TCP", "UDP"], causes);
        if let Some(protocol) = port["appProtocol"].as_str() {
            validation::faulty(
                protocol,
                path.child("appProtocol"),
                names::qualified_faults(protocol),
                causes,
            );
        }
    }
}

fn validate_endpoint(endpoint: &Value, kind: &str, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let addresses = validation::items(endpoint, "addresses");
    let list = path.child("addresses");
    match addresses.len() {
        0 => causes.push(Cause::required(list, "must contain at least 1 address")),
        count if count > MOST_ADDRESSES => {
            causes.push(validation::too_many(list, count, MOST_ADDRESSES));
        }
        _ => {}
    }
    for (index, address) in addresses.iter().enumerate() {
        validate_address(address, kind, &list, index, causes);
    }
    if let Some(node) = endpoint["nodeName"].as_str() {
        validation::faulty(node, path.child("nodeName"), names::subdomain_faults(node), causes);
    }
    validation::parts::labels(&endpoint["deprecatedTopology"], path.child("deprecatedTopology"), causes);
    if let Some(host) = endpoint["hostname"].as_str() {
        validation::faulty(host, path.child("hostname"), names::label_faults(host), causes);
    }
    for (position, zone) in validation::items(&endpoint["hints"], "forZones").iter().enumerate() {
        let name = validation::text(zone, "name");
        validation::faulty(
            name,
            path.child("hints").child("forZones").index(position).child("name"),
            names::value_faults(name),
            causes,
        );
    }
}

fn validate_address(address: &Value, kind: &str, list: &Path<'_>, index: usize, causes: &mut Vec<Cause>) {
    let (text, field) = (address.as_str().unwrap_or_default(), list.index(index));
    match kind {
        "IPv4" | "IPv6" => {
            let before = causes.len();
            validation::address::address(address, field, causes);
            let Ok(parsed) = text.parse::<IpAddr>() else { return };
            if causes.len() == before {
                if parsed.is_ipv4() != (kind == "IPv4") {
                    causes.push(Cause::invalid(list, address, format!("must be an {kind} address")));
                }
                validation::address::reachable(parsed, text, field, causes);
            }
        }
        "FQDN" => {
            let name = text.strip_suffix('.').unwrap_or(text);
            if text.is_empty() {
                causes.push(Cause::required(field, ""));
            } else {
                validation::faulty(name, field, names::subdomain_faults(name), causes);
                if name.split('.').count() < 2 {
                    let because = "should be a domain with at least two segments separated by dots";
                    causes.push(Cause::invalid(field, &json!(name), because));
                }
            }
        }
        _ => {}
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("AddressType", "/addressType"),
        column::computed("Ports", slice_ports),
        column::computed("Endpoints", slice_endpoints),
    ])
}

/// Returns the first three entries and the number of the others; `<unset>` if there are none.
fn first(all: &[String]) -> Value {
    match all.len() {
        0 => "<unset>".into(),
        1..=SHOWN => all.join(",").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(","), more - SHOWN).into(),
    }
}

fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let port = |port: &Value| match (port["port"].as_i64(), port["name"].as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    };
    first(&cells::array(slice, "/ports").iter().map(port).collect::<Vec<_>>())
}

fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let addresses =
        cells::array(slice, "/endpoints").iter().flat_map(|endpoint| cells::array(endpoint, "/addresses"));
    first(&addresses.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn what_a_slice_points_to_is_counted_beyond_three() {
        let slice = json!({
            "ports": [{"port": 80}, {"name": "web"}, {}],
            "endpoints": [{"addresses": ["a", "b"]}, {"addresses": ["c", "d", "e"]}],
        });
        assert_eq!(slice_ports(&slice, NOW), "80,web,*");
        assert_eq!(slice_endpoints(&slice, NOW), "a,b,c + 2 more...");
        assert_eq!(slice_endpoints(&json!({}), NOW), "<unset>");
    }
}
