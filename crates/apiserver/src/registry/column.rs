//! [`Column`]: a column of `kubectl get`.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{cells, json_path};

/// A column of `kubectl get`.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The heading.
    pub(crate) name: String,
    /// `string`, `integer`, `date` or `boolean`.
    pub(crate) kind: String,
    /// The format, such as `date-time`; usually empty.
    pub(crate) format: String,
    /// 0 is always shown, more than 0 with `-o wide`.
    pub(crate) priority: i32,
    /// Where the cell comes from.
    pub(crate) cell: Cell,
}

/// Where a cell comes from.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// A JSON pointer (built-in kinds) into the object.
    Pointer(&'static str),
    /// How long ago the time behind a JSON pointer was, as in `Age`.
    Since(&'static str),
    /// A JSON path as CustomResourceDefinitions write it, such as `.spec.replicas`.
    Path(json_path::Path),
    /// A cell that upstream computes from an object and the present time, such as a Pod's `READY`.
    Computed(fn(&Value, Timestamp) -> Value),
}

impl Column {
    /// A column that is always shown.
    pub(crate) fn new(name: &str, kind: &str, cell: Cell) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), format: String::new(), priority: 0, cell }
    }

    /// The same column, shown with `-o wide` only.
    pub(crate) fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

/// `Name` and `Age`, which most kinds have at least.
pub(super) fn age() -> Vec<Column> {
    vec![name(), since("Age", "/metadata/creationTimestamp")]
}

/// `Name`, then `columns`, then `Age`.
pub(super) fn with_age(columns: Vec<Column>) -> Vec<Column> {
    let [name, age] = [name(), since("Age", "/metadata/creationTimestamp")];
    [name].into_iter().chain(columns).chain([age]).collect()
}

/// `with_age`, then what kinds with a Pod template show beyond.
pub(super) fn with_workload(columns: Vec<Column>) -> Vec<Column> {
    let mut columns = with_age(columns);
    columns.extend([
        computed("Containers", cells::containers).wide(),
        computed("Images", cells::images).wide(),
        computed("Selector", cells::selector).wide(),
    ]);
    columns
}

pub(super) fn name() -> Column {
    text("Name", "/metadata/name")
}

pub(super) fn text(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "string", Cell::Pointer(pointer))
}

pub(super) fn number(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "integer", Cell::Pointer(pointer))
}

pub(super) fn boolean(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "boolean", Cell::Pointer(pointer))
}

pub(super) fn since(name: &str, pointer: &'static str) -> Column {
    Column::new(name, "string", Cell::Since(pointer))
}

pub(super) fn computed(name: &str, cell: cells::Computed) -> Column {
    Column::new(name, "string", Cell::Computed(cell))
}
