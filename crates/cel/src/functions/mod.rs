//! The function libraries: CEL's own and those that Kubernetes adds. Each function stands once, as a [`Function`](crate::function::Function).

pub(crate) mod access;
pub(crate) mod basic;
pub(crate) mod convert;
pub(crate) mod format;
pub(crate) mod lists;
pub(crate) mod made_lists;
pub(crate) mod network;
pub(crate) mod operators;
pub(crate) mod quantities;
pub(crate) mod regexes;
pub(crate) mod semver;
pub(crate) mod sets;
pub(crate) mod strings;
pub(crate) mod text_format;
pub(crate) mod times;
pub(crate) mod url;

use crate::estimate::{Arguments, Estimated, Range};

/// The estimate of a function that costs 1.
fn one(_: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(Range::ONE)
}

/// The estimate of a function that traverses its first argument.
fn traversal(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(arguments.size(0).tenth())
}

/// The estimate of a function that traverses its first argument and returns one as large.
fn copy(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::sized(arguments.size(0).tenth(), arguments.size(0))
}

/// A count as an integer of CEL.
fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
