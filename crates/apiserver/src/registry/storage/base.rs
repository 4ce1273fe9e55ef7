//! The rules that the kinds of the group share.

use serde_json::{Value, json};

use crate::{
    api::{names, status::Cause},
    registry::{Strategy, validation},
};

/// The most parameters of a class, and their most bytes.
const MOST_PARAMETERS: usize = 512;
const LONGEST: usize = 256 * 1024;

/// The rules that all kinds of the group share.
pub(super) const BASE: Strategy =
    Strategy { status_reset_fields: &[&["metadata"], &["spec"]], ..Strategy::PLAIN };

/// Validates the name of the program that provides the volumes of a class.
pub(super) fn validate_provisioner(class: &Value, field: &'static str, causes: &mut Vec<Cause>) {
    match validation::text(class, field).to_lowercase() {
        name if name.is_empty() => causes.push(Cause::required(field, "")),
        name => validation::faulty(&name, field, names::qualified_faults(&name), causes),
    }
}

/// Validates the number, the keys and the size of the parameters of a class.
pub(super) fn validate_parameters(parameters: &Value, field: &str, causes: &mut Vec<Cause>) {
    let entries: Vec<_> = parameters.as_object().into_iter().flatten().collect();
    let too_long = |most: usize| {
        Cause::new("FieldValueTooLong", field, format!("Too long: may not be more than {most} bytes"))
    };
    if entries.len() > MOST_PARAMETERS {
        causes.push(too_long(MOST_PARAMETERS));
        return;
    }
    if entries.iter().any(|(key, _)| key.is_empty()) {
        causes.push(Cause::invalid(field, &json!(""), "field can not be empty."));
    }
    let size =
        entries.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum::<usize>();
    if size > LONGEST {
        causes.push(too_long(LONGEST));
    }
}
