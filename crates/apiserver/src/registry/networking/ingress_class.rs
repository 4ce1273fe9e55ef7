//! `IngressClass`es.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::object,
    registry::{
        Cell, Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "IngressClass", "ingressclasses")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |class| set_spec_defaults(defaults::spec(class)),
    counts_generations: true,
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    if let Some(parameters) = defaults::object(spec, "parameters") {
        defaults::fill(parameters, [("scope", json!("Cluster"))]);
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
