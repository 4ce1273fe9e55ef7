//! Selectors: the labels and the fields that the objects of a list or a watch must have. `trimtab-selector` parses and matches
//! them; here are their limit, and the places of fields in objects.

mod field;
mod label;

pub(crate) use trimtab_selector::is_qualified_name;

pub(crate) use self::{field::FieldSelector, label::LabelSelector};
use super::status::{Result, Status};

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
