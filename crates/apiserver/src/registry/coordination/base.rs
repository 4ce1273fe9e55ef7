//! The rules that the kinds of the group share.

use crate::registry::Strategy;

/// The rules that all kinds of the group share.
pub(super) const BASE: Strategy =
    Strategy { updates_unconditionally: false, takes_bare_finalizers: true, ..Strategy::PLAIN };
