//! The table at the end of the demo.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, Table, presets};
use trimtab_controller::cache::ObjectKey;

use crate::{audit::Row, disturb::Step};

/// Formats one row for each set, and the time until the cluster converged after each step.
pub(crate) fn table(sets: &BTreeMap<ObjectKey, Row>, steps: &[Step]) -> String {
    let columns =
        ["replicaset", "desired", "ready", "created", "deleted", "adopted", "released", "duplicates"];
    let mut counts = empty(&columns);
    for (key, set) in sets {
        let numbers =
            [set.desired, set.ready, set.created, set.deleted, set.adopted, set.released, set.duplicates];
        counts.add_row([Cell::new(key)].into_iter().chain(numbers.map(number)));
    }
    let mut times = empty(&["step", "converged after"]);
    for (step, seconds) in steps {
        times.add_row([Cell::new(step), number(format!("{seconds:.2} s"))]);
    }
    format!("{counts}\n{times}")
}

fn empty(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(columns);
    table
}

fn number(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}
