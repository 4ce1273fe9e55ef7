//! `VolumeAttributesClass`es.

use serde_json::Value;

use super::base;
use crate::{
    api::status::Cause,
    registry::{Column, Kind, Strategy, column, strategy::Plugin},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses")
        .short("vac")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    validate,
    validate_change: |old, new, causes| {
        for field in ["driverName", "parameters"].into_iter().filter(|field| old[field] != new[field]) {
            causes.push(Cause::forbidden(field, format!("updates to {field} are forbidden.")));
        }
    },
    returns_deleted: true,
    plugins: &[Plugin::Protect("kubernetes.io/vac-protection")],
    ..base::BASE
};

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    base::validate_provisioner(class, "driverName", causes);
    base::validate_parameters(&class["parameters"], "parameters", causes);
    if class["parameters"].as_object().is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("parameters", "must contain at least one key/value pair"));
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("DriverName", "/driverName")])
}
