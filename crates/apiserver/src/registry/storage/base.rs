//! The rules that the kinds of the group share.

use crate::registry::Strategy;

/// The rules that all kinds of the group share.
pub(super) const BASE: Strategy =
    Strategy { status_reset_fields: &[&["metadata"], &["spec"]], ..Strategy::PLAIN };
