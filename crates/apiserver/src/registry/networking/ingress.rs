//! Ingresses.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::status::Cause,
    registry::{Column, Kind, Strategy, cells, column, strategy::Plugin, validation},
};

/// The most hosts that a cell shows.
const SHOWN: usize = 3;

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "Ingress", "ingresses")
        .short("ing")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    first_status: |_, _| Some(json!({"loadBalancer": {}})),
    counts_generations: true,
    validate,
    warnings: |_, new| warnings(new),
    plugins: &[Plugin::DefaultClass {
        classes: "ingressclasses.networking.k8s.io",
        annotation: "ingressclass.kubernetes.io/is-default-class",
        field: "ingressClassName",
    }],
    ..Strategy::PLAIN
};

fn validate(ingress: &Value, causes: &mut Vec<Cause>) {
    let spec = &ingress["spec"];
    let rules = validation::items(spec, "rules");
    if rules.is_empty() && spec.get("defaultBackend").is_none() {
        let because = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, because));
    }
    for (rule, position) in rules.iter().zip(0..) {
        for (index, path) in validation::items(&rule["http"], "paths").iter().enumerate() {
            let field = format!("spec.rules[{position}].http.paths[{index}]");
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            match validation::text(path, "pathType") {
                "" => causes.push(Cause::required(format!("{field}.pathType"), "pathType must be specified")),
                kind if !known.contains(&kind) => {
                    causes.push(Cause::not_supported(format!("{field}.pathType"), &json!(kind), &known));
                }
                "ImplementationSpecific" => {}
                _ if !validation::text(path, "path").starts_with('/') => {
                    let because = "must be an absolute path";
                    causes.push(Cause::invalid(format!("{field}.path"), &path["path"], because));
                }
                _ => {}
            }
        }
    }
}

fn warnings(new: &Value) -> Vec<String> {
    let annotation = "kubernetes.io/ingress.class";
    let is_set = new["metadata"]["annotations"].get(annotation).is_some();
    let is_deprecated = is_set && new["spec"].get("ingressClassName").is_none();
    let told = format!("annotation {annotation:?} is deprecated, please use 'spec.ingressClassName' instead");
    is_deprecated.then_some(told).into_iter().collect()
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::computed("Class", ingress_class_name),
        column::computed("Hosts", ingress_hosts),
        column::computed("Address", ingress_address),
        column::computed("Ports", ingress_ports),
    ])
}

fn ingress_class_name(ingress: &Value, _: Timestamp) -> Value {
    cells::text_or(ingress, "/spec/ingressClassName", cells::NONE)
}

/// Returns the first three hosts; `*` for all hosts.
fn ingress_hosts(ingress: &Value, _: Timestamp) -> Value {
    let rules = cells::array(ingress, "/spec/rules");
    let mut hosts = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= hosts.len() == SHOWN;
        let host = cells::text(rule, "/host");
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

/// Returns the addresses of an Ingress, all of them, as for `-o wide`.
fn ingress_address(ingress: &Value, _: Timestamp) -> Value {
    let addresses: BTreeSet<&str> = cells::array(ingress, "/status/loadBalancer/ingress")
        .iter()
        .map(|point| [cells::text(point, "/ip"), cells::text(point, "/hostname")])
        .filter_map(|either| either.into_iter().find(|address| !address.is_empty()))
        .collect();
    addresses.into_iter().collect::<Vec<_>>().join(",").into()
}

fn ingress_ports(ingress: &Value, _: Timestamp) -> Value {
    if cells::array(ingress, "/spec/tls").is_empty() { "80".into() } else { "80, 443".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

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
}
