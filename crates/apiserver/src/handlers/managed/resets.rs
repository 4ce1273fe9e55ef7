//! Fields that have no manager: those that a path does not write, and those that admission fills in.

use trimtab_managed_fields::Paths;

use crate::{api::subresource::Subresource, registry::Kind};

/// Returns the fields that a write to an object of `kind`, or to its `subresource`, leaves as they are: upstream's reset
/// fields.
pub(super) fn reset(kind: &Kind, subresource: Option<Subresource>) -> Paths<'static> {
    match (subresource, kind.strategy.reset_fields) {
        (Some(Subresource::Finalize), _) => &[&["status"]],
        (None, Some(fields)) => fields,
        (None, None) if kind.status => &[&["status"]],
        (Some(Subresource::Status), _) => kind.strategy.status_reset_fields,
        _ => &[],
    }
}
