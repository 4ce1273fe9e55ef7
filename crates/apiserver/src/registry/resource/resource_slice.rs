//! `ResourceSlice`s.

use super::base;
use crate::registry::{
    Column, Kind, Strategy, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("resource.k8s.io", "v1", "ResourceSlice", "resourceslices")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &["spec.driver", "spec.nodeName"],
    set_defaults: |slice| set_spec_defaults(defaults::spec(slice)),
    counts_generations: true,
    returns_deleted: true,
    ..base::BASE
};

/// The capacity of devices.
fn set_spec_defaults(spec: &mut Fields) {
    for device in defaults::items(spec, "devices") {
        for (_, capacity) in defaults::object(device, "capacity").into_iter().flatten() {
            if let Some(capacity) = capacity.as_object_mut() {
                defaults::quantity_of(capacity, "value");
            }
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("Node", "/spec/nodeName"),
        column::text("Driver", "/spec/driver"),
        column::text("Pool", "/spec/pool/name"),
    ])
}
