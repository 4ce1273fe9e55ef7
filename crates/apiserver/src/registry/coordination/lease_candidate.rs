//! `LeaseCandidate`s.

use super::base;
use crate::registry::{Column, Kind, Strategy, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("coordination.k8s.io", "v1beta1", "LeaseCandidate", "leasecandidates")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { creates_on_update: true, ..base::BASE };

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("LeaseName", "/spec/leaseName"),
        column::text("BinaryVersion", "/spec/binaryVersion"),
        column::text("EmulationVersion", "/spec/emulationVersion"),
    ])
}
