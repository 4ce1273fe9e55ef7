//! `VolumeAttachment`s.

use serde_json::json;

use super::base;
use crate::registry::{Column, Kind, Strategy, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { first_status: |_, _| Some(json!({"attached": false})), ..base::BASE };

fn columns() -> Vec<Column> {
    let attacher = Column { format: "name".to_owned(), ..column::text("Attacher", "/spec/attacher") };
    column::with_age(vec![
        attacher,
        column::text("PV", "/spec/source/persistentVolumeName"),
        column::text("Node", "/spec/nodeName"),
        column::boolean("Attached", "/status/attached"),
    ])
}
