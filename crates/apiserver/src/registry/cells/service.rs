//! The cells of Services and Endpoints.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, array, labels, number, text, text_or};

pub(crate) fn cluster_ip(service: &Value, _: Timestamp) -> Value {
    text_or(service, "/spec/clusterIP", NONE)
}

/// Where a Service is reached from outside, by its type.
pub(crate) fn external_ip(service: &Value, _: Timestamp) -> Value {
    let external: Vec<&str> = array(service, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match text(service, "/spec/type") {
        "ExternalName" => text_or(service, "/spec/externalName", NONE),
        "LoadBalancer" => {
            let balancer = array(service, "/status/loadBalancer/ingress").iter().map(|ingress| {
                if text(ingress, "/ip").is_empty() {
                    text(ingress, "/hostname")
                } else {
                    text(ingress, "/ip")
                }
            });
            let all: Vec<&str> = balancer.chain(external).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ if external.is_empty() => NONE.into(),
        _ => external.join(",").into(),
    }
}

/// `80/TCP,443:30443/TCP`.
pub(crate) fn ports(service: &Value, _: Timestamp) -> Value {
    let ports: Vec<String> = array(service, "/spec/ports")
        .iter()
        .map(|port| {
            let protocol = text_or(port, "/protocol", "TCP");
            let protocol = protocol.as_str().unwrap_or_default();
            match number(port, "/nodePort") {
                0 => format!("{}/{protocol}", number(port, "/port")),
                node => format!("{}:{node}/{protocol}", number(port, "/port")),
            }
        })
        .collect();
    if ports.is_empty() { NONE.into() } else { ports.join(",").into() }
}

pub(crate) fn service_selector(service: &Value, _: Timestamp) -> Value {
    labels(service, "/spec/selector").into()
}

/// The first three addresses, and how many more there are.
pub(crate) fn endpoints(endpoints: &Value, _: Timestamp) -> Value {
    const SHOWN: usize = 3;
    let all: Vec<String> = array(endpoints, "/subsets")
        .iter()
        .flat_map(|subset| {
            let ports = array(subset, "/ports");
            array(subset, "/addresses").iter().flat_map(move |address| {
                let ip = text(address, "/ip");
                let bare = ports.is_empty().then(|| ip.to_owned());
                bare.into_iter()
                    .chain(ports.iter().map(move |port| format!("{ip}:{}", number(port, "/port"))))
            })
        })
        .collect();
    match all.len() {
        0 => NONE.into(),
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
    fn a_service_shows_its_ports_and_where_it_is_reached() {
        let service = json!({"spec": {"type": "LoadBalancer", "ports": [
            {"port": 80, "protocol": "TCP"}, {"port": 443, "nodePort": 30443, "protocol": "UDP"},
        ]}});
        assert_eq!(ports(&service, NOW), "80/TCP,443:30443/UDP");
        assert_eq!(external_ip(&service, NOW), "<pending>");
        assert_eq!(cluster_ip(&service, NOW), NONE);
        assert_eq!(
            external_ip(&json!({"spec": {"type": "ClusterIP", "externalIPs": ["1.2.3.4"]}}), NOW),
            "1.2.3.4"
        );
    }

    #[test]
    fn endpoints_beyond_three_are_counted() {
        let subset = json!({"subsets": [{"ports": [{"port": 80}], "addresses":
            [{"ip": "a"}, {"ip": "b"}, {"ip": "c"}, {"ip": "d"}]}]});
        assert_eq!(endpoints(&subset, NOW), "a:80,b:80,c:80 + 1 more...");
        assert_eq!(endpoints(&json!({}), NOW), NONE);
    }
}
