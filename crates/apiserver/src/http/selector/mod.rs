//! Which objects a list or a watch is about.

mod field;
mod label;

pub(crate) use self::{
    field::FieldSelector,
    label::{LabelSelector, is_qualified_name, is_value},
};
use crate::storage::Stored;

/// Whether a stored object has the labels and the fields that are asked for.
pub(crate) fn selects(labels: &LabelSelector, fields: &FieldSelector, stored: &Stored) -> bool {
    labels.matches_labels(|key| stored.label(key)) && (fields.is_empty() || fields.matches(&stored.value()))
}
