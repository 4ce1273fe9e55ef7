//! Which objects a list or a watch is about.

mod field;
mod label;

pub(crate) use self::{
    field::FieldSelector,
    label::{LabelSelector, is_qualified_name, is_value},
};
use super::status::{Result, Status};
use crate::storage::Stored;

/// How many requirements a selector may have: each is held against every object.
const MOST_TERMS: usize = 256;

/// Refuses a selector with too many requirements. Upstream has no other limit than the length of a URL.
fn check_terms(parameter: &str, terms: usize) -> Result<()> {
    if terms <= MOST_TERMS {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "{parameter} has {terms} requirements: at most {MOST_TERMS} are allowed"
    )))
}

/// Whether a stored object has the labels and the fields that are asked for.
pub(crate) fn selects(labels: &LabelSelector, fields: &FieldSelector, stored: &Stored) -> bool {
    labels.matches_labels(|key| stored.label(key)) && (fields.is_empty() || fields.matches_stored(stored))
}
