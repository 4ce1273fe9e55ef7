//! Ingresses.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, MetadataCheck, Strategy, cells, column, strategy::Plugin, validation},
};

/// The most hosts that a cell shows.
const SHOWN: usize = 3;

/// The annotation that named the class of an Ingress before there was a field.
const CLASS: &str = "kubernetes.io/ingress.class";

const NO_ADDRESS: &str = "must be a DNS name, not an IP address";
const WILDCARD_RULE: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, \
    which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
    '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "Ingress", "ingresses")
        .short("ing")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    first_status: |_, _| Some(json!({"loadBalancer": {}})),
    counts_generations: true,
    validate,
    validate_new,
    validate_part,
    warnings: |old, new| if old.is_none() { warnings(new) } else { Vec::new() },
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
    if rules.is_empty() && !spec["defaultBackend"].is_object() {
        let because = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, because));
    }
    if spec["defaultBackend"].is_object() {
        validate_backend(&spec["defaultBackend"], "spec.defaultBackend", causes);
    }
    for (position, rule) in rules.iter().enumerate() {
        let path = format!("spec.rules[{position}]");
        validate_rule(rule, &path, causes);
    }
    for (position, tls) in validation::items(spec, "tls").iter().enumerate() {
        for (index, host) in validation::items(tls, "hosts").iter().enumerate() {
            let field = format!("spec.tls[{position}].hosts[{index}]");
            validate_hosts(host.as_str().unwrap_or_default(), &field, causes);
        }
        let field = format!("spec.tls[{position}].secretName");
        validation::subdomain(validation::text(tls, "secretName"), &field, causes);
    }
    if let Some(class) = spec["ingressClassName"].as_str() {
        validation::faulty(class, "spec.ingressClassName", names::subdomain_faults(class), causes);
    }
}

/// Validates that a new Ingress names one class.
fn validate_new(ingress: &Value, causes: &mut Vec<Cause>) {
    let class = ingress["spec"]["ingressClassName"].as_str();
    let annotated = ingress["metadata"]["annotations"][CLASS].as_str();
    if let (Some(class), Some(annotated)) = (class, annotated)
        && class != annotated
    {
        let because = "must match `ingressClassName` when both are specified";
        causes.push(Cause::invalid(format!("annotations.{CLASS}"), &json!(annotated), because));
    }
}

fn validate_rule(rule: &Value, path: &str, causes: &mut Vec<Cause>) {
    let (host, field) = (validation::text(rule, "host"), format!("{path}.host"));
    if host.parse::<std::net::IpAddr>().is_ok() {
        causes.push(Cause::invalid(&*field, &json!(host), NO_ADDRESS));
    }
    if !host.is_empty() {
        validate_hosts(host, &field, causes);
    }
    if !rule["http"].is_object() {
        return;
    }
    let paths = validation::items(&rule["http"], "paths");
    if paths.is_empty() {
        causes.push(Cause::required(format!("{path}.http.paths"), ""));
    }
    for (index, entry) in paths.iter().enumerate() {
        validate_path(entry, &format!("{path}.http.paths[{index}]"), causes);
    }
}

/// Validates a name of hosts, whose first label may be a star.
fn validate_hosts(host: &str, field: &str, causes: &mut Vec<Cause>) {
    if !host.contains('*') {
        return validation::faulty(host, field, names::subdomain_faults(host), causes);
    }
    if !host.strip_prefix("*.").is_some_and(names::is_subdomain) {
        causes.push(Cause::invalid(field, &json!(host), WILDCARD_RULE));
    }
}

fn validate_path(path: &Value, field: &str, causes: &mut Vec<Cause>) {
    let (kind, value) = (validation::text(path, "pathType"), validation::text(path, "path"));
    if !path["pathType"].is_string() {
        causes.push(Cause::required(format!("{field}.pathType"), "pathType must be specified"));
        return;
    }
    let place = format!("{field}.path");
    let unfit = |because: String| Cause::invalid(&*place, &json!(value), because);
    match kind {
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                causes.push(unfit("must be an absolute path".to_owned()));
            }
            let parts = ["//", "/./", "/../", "%2f", "%2F"];
            let parts = parts.into_iter().filter(|part| value.contains(part));
            causes.extend(parts.map(|part| unfit(format!("must not contain '{part}'"))));
            let ends = ["/..", "/."].into_iter().filter(|end| value.ends_with(end));
            causes.extend(ends.map(|end| unfit(format!("cannot end with '{end}'"))));
        }
        "ImplementationSpecific" => {
            if !value.is_empty() && !value.starts_with('/') {
                causes.push(unfit("must be an absolute path".to_owned()));
            }
        }
        other => {
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            causes.push(Cause::not_supported(format!("{field}.pathType"), &json!(other), &known));
        }
    }
    validate_backend(&path["backend"], &format!("{field}.backend"), causes);
}

fn validate_backend(backend: &Value, field: &str, causes: &mut Vec<Cause>) {
    let (service, resource) = (&backend["service"], &backend["resource"]);
    let unfit = |because: &str| Cause::invalid(field, &json!(""), because);
    match (service.is_object(), resource.is_object()) {
        (true, true) => causes.push(unfit("cannot set both resource and service backends")),
        (false, true) => reference(resource, &Path::Root(field).child("resource"), causes),
        (true, false) => {
            let at = |part: &str| format!("{field}.service.{part}");
            match validation::text(service, "name") {
                "" => causes.push(Cause::required(at("name"), "")),
                name => validation::faulty(name, &at("name"), names::label_faults(name), causes),
            }
            let name = validation::text(&service["port"], "name");
            let number = service["port"]["number"].as_i64().unwrap_or(0);
            if !name.is_empty() && number != 0 {
                causes.push(unfit("cannot set both port name & port number"));
            } else if !name.is_empty() {
                validation::probe::port(&json!(name), &at("port.name"), causes);
            } else if number != 0 {
                validation::probe::port(&json!(number), &at("port.number"), causes);
            } else {
                causes.push(Cause::required(field, "port name or number is required"));
            }
        }
        (false, false) => causes.push(unfit("resource or service backend is required")),
    }
}

/// Validates a reference to an object of any kind in the same namespace.
pub(super) fn reference(reference: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if let Some(group) = reference["apiGroup"].as_str() {
        validation::faulty(group, path.child("apiGroup"), names::subdomain_faults(group), causes);
    }
    validation::kind_and_name(reference, path, causes);
}

/// Validates the addresses at which an Ingress is reached.
fn validate_part(subresource: Option<Subresource>, _: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if subresource == Some(Subresource::Status) {
        validate_points(&new["status"]["loadBalancer"], "status.loadBalancer.ingress", causes);
    }
}

/// Validates the addresses of a load balancer.
pub(in crate::registry) fn validate_points(balancer: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (index, point) in validation::items(balancer, "ingress").iter().enumerate() {
        if !validation::text(point, "ip").is_empty() {
            let field = format!("{path}[{index}].ip");
            validation::address::address(&point["ip"], &field, causes);
        }
        let (host, field) = (validation::text(point, "hostname"), format!("{path}[{index}].hostname"));
        validation::subdomain(host, &field, causes);
        if host.parse::<std::net::IpAddr>().is_ok() {
            causes.push(Cause::invalid(field, &json!(host), NO_ADDRESS));
        }
    }
}

fn warnings(new: &Value) -> Vec<String> {
    let annotation = CLASS;
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
