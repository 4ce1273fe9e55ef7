//! Services.

pub(crate) mod addresses;
mod families;
mod kept;
mod node_ports;
mod spec;
mod type_change;
mod validation;
mod warnings;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{
    Column, Kind, Strategy, Subresource, cells, column,
    defaults::{self, Fields},
    kind::CONNECT,
    strategy::{NameRule, Usage},
};

const PROXY: Subresource = Subresource::new("proxy", "ServiceProxyOptions", CONNECT);

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Service", "services")
        .short("svc")
        .all()
        .status()
        .below(&[PROXY])
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    name: NameRule::Label,
    selectable_fields: &["spec.clusterIP", "spec.type"],
    set_defaults,
    set_status_defaults: set_defaults,
    first_status: |_, _| Some(json!({"loadBalancer": {}})),
    prepare_for_create: drop_unused,
    prepare_for_update: |_, service| drop_unused(service),
    prepare_for_status_update: |_, service| drop_unused(service),
    reads_beyond_metadata: true,
    validate: validation::validate,
    validate_change: validation::validate_change,
    validate_part: validation::validate_part,
    warnings: |_, service| warnings::of(service),
    returns_deleted: true,
    creates_on_update: true,
    usage: Usage::Service,
    counts_by_name: true,
    is_allocated_addresses: true,
    ..Strategy::PLAIN
};

/// Sets the defaults of a Service, except for its addresses.
fn set_defaults(service: &mut Value) {
    set_spec_defaults(defaults::spec(service));
    if service["spec"]["type"] != "LoadBalancer" {
        return;
    }
    let points = service.pointer_mut("/status/loadBalancer/ingress").and_then(Value::as_array_mut);
    for point in points.into_iter().flatten().filter_map(Value::as_object_mut) {
        if point.get("ip").and_then(Value::as_str).is_some_and(|address| !address.is_empty()) {
            defaults::fill(point, [("ipMode", "VIP")]);
        }
    }
}

/// Drops the policy of internal traffic from a Service that has none: upstream leaves it out when it reads the object again.
fn drop_unused(service: &mut Value) {
    if service["spec"]["type"] == "ExternalName" {
        defaults::spec(service).remove("internalTrafficPolicy");
    }
}

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(spec, [("type", json!("ClusterIP")), ("sessionAffinity", json!("None"))]);
    let timeout = spec.get("sessionAffinityConfig").map(|config| &config["clientIP"]["timeoutSeconds"]);
    if spec["sessionAffinity"] == "ClientIP" && timeout.is_none_or(Value::is_null) {
        spec.insert("sessionAffinityConfig".to_owned(), json!({"clientIP": {"timeoutSeconds": 10800}}));
    }
    if spec["sessionAffinity"] == "None" {
        spec.remove("sessionAffinityConfig");
    }
    defaults::ports(spec);
    for port in defaults::items(spec, "ports") {
        let number = port.get("port").cloned().unwrap_or_else(|| json!(0));
        if port.get("targetPort").is_none_or(|target| target.is_null() || *target == 0 || target == "") {
            port.insert("targetPort".to_owned(), number);
        }
        if port.get("nodePort") == Some(&json!(0)) {
            port.remove("nodePort");
        }
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind != "ExternalName" {
        defaults::fill(spec, [("internalTrafficPolicy", json!("Cluster"))]);
    }
    let has_addresses = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    if matches!(&*kind, "LoadBalancer" | "NodePort") || has_addresses && kind == "ClusterIP" {
        defaults::fill(spec, [("externalTrafficPolicy", json!("Cluster"))]);
    }
    if kind == "LoadBalancer" {
        defaults::fill(spec, [("allocateLoadBalancerNodePorts", json!(true))]);
    }
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("Type", "/spec/type"),
        column::computed("Cluster-IP", cluster_ip),
        column::computed("External-IP", external_ip),
        column::computed("Port(s)", ports),
    ]);
    columns.push(column::computed("Selector", service_selector).wide());
    columns
}

fn cluster_ip(service: &Value, _: Timestamp) -> Value {
    cells::text_or(service, "/spec/clusterIP", cells::NONE)
}

/// Returns the external addresses of a Service, by its type.
fn external_ip(service: &Value, _: Timestamp) -> Value {
    let external: Vec<&str> =
        cells::array(service, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match cells::text(service, "/spec/type") {
        "ExternalName" => cells::text_or(service, "/spec/externalName", cells::NONE),
        "LoadBalancer" => {
            let balancer = cells::array(service, "/status/loadBalancer/ingress").iter().map(|ingress| {
                if cells::text(ingress, "/ip").is_empty() {
                    cells::text(ingress, "/hostname")
                } else {
                    cells::text(ingress, "/ip")
                }
            });
            let all: Vec<&str> = balancer.chain(external).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ if external.is_empty() => cells::NONE.into(),
        _ => external.join(",").into(),
    }
}

/// `80/TCP,443:30443/TCP`.
fn ports(service: &Value, _: Timestamp) -> Value {
    let ports: Vec<String> = cells::array(service, "/spec/ports")
        .iter()
        .map(|port| {
            let protocol = cells::text_or(port, "/protocol", "TCP");
            let protocol = protocol.as_str().unwrap_or_default();
            match cells::number(port, "/nodePort") {
                0 => format!("{}/{protocol}", cells::number(port, "/port")),
                node => format!("{}:{node}/{protocol}", cells::number(port, "/port")),
            }
        })
        .collect();
    if ports.is_empty() { cells::NONE.into() } else { ports.join(",").into() }
}

fn service_selector(service: &Value, _: Timestamp) -> Value {
    cells::labels(service, "/spec/selector").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_service_shows_its_ports_and_where_it_is_reached() {
        let service = json!({"spec": {"type": "LoadBalancer", "ports": [
            {"port": 80, "protocol": "TCP"}, {"port": 443, "nodePort": 30443, "protocol": "UDP"},
        ]}});
        assert_eq!(ports(&service, NOW), "80/TCP,443:30443/UDP");
        assert_eq!(external_ip(&service, NOW), "<pending>");
        assert_eq!(cluster_ip(&service, NOW), cells::NONE);
        assert_eq!(
            external_ip(&json!({"spec": {"type": "ClusterIP", "externalIPs": ["1.2.3.4"]}}), NOW),
            "1.2.3.4"
        );
    }
}
