//! The cells of `EndpointSlice`s, Ingresses and other kinds of networks, and of devices.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, array, label_selector, text, text_or};
use crate::api::object;

/// How many entries a cell shows before it counts the rest.
const SHOWN: usize = 3;

/// The first three, and how many more there are; `<unset>` stands for none.
fn first(all: &[String]) -> Value {
    match all.len() {
        0 => "<unset>".into(),
        1..=SHOWN => all.join(",").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(","), more - SHOWN).into(),
    }
}

pub(crate) fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let port = |port: &Value| match (port["port"].as_i64(), port["name"].as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    };
    first(&array(slice, "/ports").iter().map(port).collect::<Vec<_>>())
}

pub(crate) fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let addresses = array(slice, "/endpoints").iter().flat_map(|endpoint| array(endpoint, "/addresses"));
    first(&addresses.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
}

pub(crate) fn ingress_class_name(ingress: &Value, _: Timestamp) -> Value {
    text_or(ingress, "/spec/ingressClassName", NONE)
}

/// The first three hosts; `*` is all hosts.
pub(crate) fn ingress_hosts(ingress: &Value, _: Timestamp) -> Value {
    let rules = array(ingress, "/spec/rules");
    let mut hosts = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= hosts.len() == SHOWN;
        let host = text(rule, "/host");
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.is_empty(), more) {
        (true, _) => "*".into(),
        (_, false) => hosts.join(",").into(),
        (_, true) => format!("{} + {} more...", hosts.join(","), rules.len() - SHOWN).into(),
    }
}

/// Where the Ingress is reached. Tables are made for `-o wide`, so that nothing is cut.
pub(crate) fn ingress_address(ingress: &Value, _: Timestamp) -> Value {
    let addresses: BTreeSet<&str> = array(ingress, "/status/loadBalancer/ingress")
        .iter()
        .map(|point| [text(point, "/ip"), text(point, "/hostname")])
        .filter_map(|either| either.into_iter().find(|address| !address.is_empty()))
        .collect();
    addresses.into_iter().collect::<Vec<_>>().join(",").into()
}

pub(crate) fn ingress_ports(ingress: &Value, _: Timestamp) -> Value {
    if array(ingress, "/spec/tls").is_empty() { "80".into() } else { "80, 443".into() }
}

/// The name, and whether Ingresses without a class get this one.
pub(crate) fn name_or_default_ingress_class(class: &Value, _: Timestamp) -> Value {
    let is_default =
        text(class, "/metadata/annotations/ingressclass.kubernetes.io~1is-default-class") == "true";
    format!("{}{}", object::name(class), if is_default { " (default)" } else { "" }).into()
}

pub(crate) fn ingress_class_parameters(class: &Value, _: Timestamp) -> Value {
    let Some(parameters) = class.pointer("/spec/parameters") else { return NONE.into() };
    let group = text(parameters, "/apiGroup");
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", text(parameters, "/kind"), text(parameters, "/name")).into()
}

pub(crate) fn pod_selector(policy: &Value, _: Timestamp) -> Value {
    label_selector(&policy["spec"]["podSelector"]).into()
}

pub(crate) fn cidrs(range: &Value, _: Timestamp) -> Value {
    array(range, "/spec/cidrs").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",").into()
}

/// The owner of an address, as `services/default/kubernetes`.
pub(crate) fn parent_ref(address: &Value, _: Timestamp) -> Value {
    let Some(parent) = address.pointer("/spec/parentRef") else { return NONE.into() };
    let (group, resource) = (text(parent, "/group"), text(parent, "/resource"));
    let dot = if group.is_empty() { "" } else { "." };
    let what = format!("{resource}{dot}{group}").to_lowercase();
    let names = [text(parent, "/namespace"), text(parent, "/name")];
    let names = names.into_iter().filter(|name| !name.is_empty());
    [what.as_str()].into_iter().chain(names).collect::<Vec<_>>().join("/").into()
}

/// How far a claim of devices has come.
pub(crate) fn claim_state(claim: &Value, _: Timestamp) -> Value {
    let deleted = object::is_being_deleted(claim);
    let allocated = claim.pointer("/status/allocation").is_some();
    let reserved = allocated && !array(claim, "/status/reservedFor").is_empty();
    let states = [
        (deleted, "deleted"),
        (!deleted && !allocated, "pending"),
        (allocated, "allocated"),
        (reserved, "reserved"),
    ];
    states.into_iter().filter(|(is, _)| *is).map(|(_, state)| state).collect::<Vec<_>>().join(",").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    #[test]
    fn an_ingress_shows_its_hosts_and_where_it_is_reached() {
        let hosts = |names: &[&str]| {
            let rules: Vec<Value> = names.iter().map(|name| json!({ "host": name })).collect();
            ingress_hosts(&json!({"spec": {"rules": rules}}), NOW)
        };
        assert_eq!(hosts(&[]), "*");
        assert_eq!(hosts(&["a", "b", "c"]), "a,b,c");
        assert_eq!(hosts(&["a", "b", "c", "d", "e"]), "a,b,c + 2 more...");
        let status =
            json!({"status": {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"hostname": "1.example"}]}}});
        assert_eq!(ingress_address(&status, NOW), "1.example,2.2.2.2");
    }

    #[test]
    fn an_address_names_its_service() {
        let address = json!({"spec": {"parentRef":
            {"group": "", "resource": "services", "namespace": "default", "name": "kubernetes"}}});
        assert_eq!(parent_ref(&address, NOW), "services/default/kubernetes");
        assert_eq!(parent_ref(&json!({}), NOW), NONE);
    }
}
