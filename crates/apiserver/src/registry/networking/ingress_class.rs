//! `IngressClass`es.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::ingress;
use crate::{
    api::{names, object, path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
    },
};

/// The most bytes of the name of a controller.
const LONGEST: usize = 250;

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "IngressClass", "ingressclasses")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    set_defaults: |class| set_spec_defaults(defaults::spec(class)),
    counts_generations: true,
    validate,
    validate_change: |old, new, causes| validation::fixed(old, new, "/spec/controller", causes),
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    if let Some(parameters) = defaults::object(spec, "parameters") {
        defaults::fill(parameters, [("scope", json!("Cluster"))]);
    }
}

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    let spec = &class["spec"];
    let controller = validation::text(spec, "controller");
    if controller.len() > LONGEST {
        let because = format!("Too long: may not be more than {LONGEST} bytes");
        causes.push(Cause::new("FieldValueTooLong", "spec.controller", because));
    }
    domain_path(controller, "spec.controller", causes);
    let (parameters, path) = (&spec["parameters"], Path::Root("spec.parameters"));
    if !parameters.is_object() {
        return;
    }
    ingress::reference(parameters, &path, causes);
    let namespace = parameters["namespace"].as_str();
    match (validation::text(parameters, "scope"), namespace) {
        ("Namespace", None) => {
            let because = "`parameters.scope` is set to 'Namespace'";
            causes.push(Cause::required(path.child("namespace"), because));
        }
        ("Namespace", Some(namespace)) => {
            validation::faulty(namespace, path.child("namespace"), names::label_faults(namespace), causes);
        }
        ("Cluster", Some(_)) => {
            let because = "`parameters.scope` is set to 'Cluster'";
            causes.push(Cause::forbidden(path.child("namespace"), because));
        }
        ("Cluster", None) => {}
        (other, _) => {
            let known = ["Cluster", "Namespace"];
            causes.push(Cause::not_supported(path.child("scope"), &json!(other), &known));
        }
    }
}

/// Validates a path below a domain, as `example.com/controller`.
pub(in crate::registry) fn domain_path(path: &str, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    let Some((domain, rest)) =
        path.split_once('/').filter(|(domain, rest)| !domain.is_empty() && !rest.is_empty())
    else {
        if path.is_empty() {
            causes.push(Cause::required(field, ""));
        } else {
            let because = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            causes.push(Cause::invalid(field, &json!(path), because));
        }
        return;
    };
    validation::faulty(domain, field, names::subdomain_faults(domain), causes);
    let is_inside = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c);
    if !rest.chars().all(is_inside) {
        let because = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        causes.push(Cause::invalid(field, &json!(rest), because));
    }
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("Controller", "/spec/controller"),
        column::computed("Parameters", ingress_class_parameters),
    ]);
    columns[0].cell = Cell::Computed(name_or_default_ingress_class);
    columns
}

/// The name, and whether Ingresses without a class get this one.
fn name_or_default_ingress_class(class: &Value, _: Timestamp) -> Value {
    let is_default =
        cells::text(class, "/metadata/annotations/ingressclass.kubernetes.io~1is-default-class") == "true";
    format!("{}{}", object::name(class), if is_default { " (default)" } else { "" }).into()
}

fn ingress_class_parameters(class: &Value, _: Timestamp) -> Value {
    let Some(parameters) = class.pointer("/spec/parameters") else { return cells::NONE.into() };
    let group = cells::text(parameters, "/apiGroup");
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", cells::text(parameters, "/kind"), cells::text(parameters, "/name")).into()
}
