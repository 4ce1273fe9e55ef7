//! The rules that the kinds of the group share.

use crate::registry::Strategy;

pub(super) const BASE: Strategy = Strategy { counts_generations: true, ..Strategy::PLAIN };
