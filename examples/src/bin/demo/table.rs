//! The table at the end of the demo.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use trimtab_controller::cache::ObjectKey;

use crate::audit::Row;

/// The width of a terminal.
const WIDTH: u16 = 80;

/// Formats one row for each set. Long names are wrapped.
pub(crate) fn table(sets: &BTreeMap<ObjectKey, Row>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header([
        "replicaset",
        "desired",
        "ready",
        "created",
        "deleted",
        "adopted",
        "released",
        "surplus",
    ]);
    table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
    for (key, set) in sets {
        let numbers =
            [set.desired, set.ready, set.created, set.deleted, set.adopted, set.released, set.duplicates];
        let number = |value: usize| Cell::new(value).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(key)].into_iter().chain(numbers.map(number)));
    }
    table.to_string()
}
