//! Endpoints.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::{names, path::Path, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, cells, column, defaults, validation, warnings::addresses,
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Endpoints", "endpoints")
        .short("ep")
        .singular("endpoints")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    set_defaults: |endpoints| {
        defaults::items(defaults::whole(endpoints), "subsets").for_each(defaults::ports);
    },
    creates_on_update: true,
    validate_new: validate,
    validate_change: |old, new, causes| {
        if old["subsets"] != new["subsets"] {
            validate(new, causes);
        }
    },
    warnings: |_, endpoints| warnings(endpoints),
    deprecation: Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ..Strategy::PLAIN
};

fn validate(endpoints: &Value, causes: &mut Vec<Cause>) {
    let list = Path::Root("subsets");
    for (position, subset) in validation::items(endpoints, "subsets").iter().enumerate() {
        let path = list.index(position);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|list| validation::items(subset, list).is_empty()) {
            causes.push(Cause::required(path, "must specify `addresses` or `notReadyAddresses`"));
        }
        for list in lists {
            for (position, address) in validation::items(subset, list).iter().enumerate() {
                validate_address(address, &path.child(list).index(position), causes);
            }
        }
        let ports = validation::items(subset, "ports");
        for (position, port) in ports.iter().enumerate() {
            validate_port(port, ports.len() > 1, &path.child("ports").index(position), causes);
        }
    }
}

fn validate_address(address: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let field = path.child("ip");
    validation::address::address(&address["ip"], field, causes);
    let host = validation::text(address, "hostname");
    if !host.is_empty() {
        validation::faulty(host, path.child("hostname"), names::label_faults(host), causes);
    }
    if let Some(node) = address["nodeName"].as_str() {
        validation::faulty(node, path.child("nodeName"), names::subdomain_faults(node), causes);
    }
    let ip = validation::text(address, "ip");
    match validation::address::sloppy(ip) {
        Some(parsed) => validation::address::reachable(parsed, ip, field, causes),
        None => causes.push(Cause::invalid(field, &ip.into(), "must be a valid IP address")),
    }
}

fn validate_port(port: &Value, needs_name: bool, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let name = validation::text(port, "name");
    if !name.is_empty() {
        validation::faulty(name, path.child("name"), names::label_faults(name), causes);
    } else if needs_name {
        causes.push(Cause::required(path.child("name"), ""));
    }
    let number = port["port"].as_i64().unwrap_or(0);
    if !(1..=65535).contains(&number) {
        let because = "must be between 1 and 65535, inclusive";
        causes.push(Cause::invalid(path.child("port"), &number.into(), because));
    }
    validation::one_of(&port["protocol"], path.child("protocol"), &["SCTP", "TCP", "UDP"], causes);
    if let Some(protocol) = port["appProtocol"].as_str() {
        validation::faulty(protocol, path.child("appProtocol"), names::qualified_faults(protocol), causes);
    }
}

fn warnings(endpoints: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (position, subset) in validation::items(endpoints, "subsets").iter().enumerate() {
        for list in ["addresses", "notReadyAddresses"] {
            for (index, address) in validation::items(subset, list).iter().enumerate() {
                let field = format!("subsets[{position}].{list}[{index}].ip");
                found.extend(addresses::of_address(&address["ip"], field));
            }
        }
    }
    found
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("Endpoints", addresses)])
}

/// Returns the first three addresses and the number of the others.
fn addresses(endpoints: &Value, _: Timestamp) -> Value {
    const SHOWN: usize = 3;
    let all: Vec<String> = cells::array(endpoints, "/subsets")
        .iter()
        .flat_map(|subset| {
            let ports = cells::array(subset, "/ports");
            cells::array(subset, "/addresses").iter().flat_map(move |address| {
                let ip = cells::text(address, "/ip");
                let bare = ports.is_empty().then(|| ip.to_owned());
                bare.into_iter()
                    .chain(ports.iter().map(move |port| format!("{ip}:{}", cells::number(port, "/port"))))
            })
        })
        .collect();
    match all.len() {
        0 => cells::NONE.into(),
        1..=SHOWN => all.join(",").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(","), more - SHOWN).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn endpoints_beyond_three_are_counted() {
        let subset = json!({"subsets": [{"ports": [{"port": 80}], "addresses":
            [{"ip": "a"}, {"ip": "b"}, {"ip": "c"}, {"ip": "d"}]}]});
        assert_eq!(addresses(&subset, NOW), "a:80,b:80,c:80 + 1 more...");
        assert_eq!(addresses(&json!({}), NOW), cells::NONE);
    }
}
