//! [`Column`]: a column of `kubectl get`.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::json_path;

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
