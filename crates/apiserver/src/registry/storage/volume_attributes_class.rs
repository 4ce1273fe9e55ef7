//! `VolumeAttributesClass`es.

use super::base;
use crate::registry::{Column, Kind, Strategy, column, strategy::Plugin};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses")
        .short("vac")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { plugins: &[Plugin::Protect("kubernetes.io/vac-protection")], ..base::BASE };

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("DriverName", "/driverName")])
}
