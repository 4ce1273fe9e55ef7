//! The function libraries: CEL's own and those that Kubernetes adds. Each function stands once, as a [`Function`].

mod basic;
pub(crate) mod convert;
mod format;
mod lists;
mod made_lists;
pub(crate) mod network;
mod operators;
mod quantities;
mod regexes;
pub(crate) mod semver;
mod sets;
mod strings;
mod text_format;
pub(crate) mod times;
pub(crate) mod url;

use crate::{
    estimate::{Arguments, Estimated, Range},
    function::Function,
};

/// All libraries. A dynamic call that several of them could take goes to the first that does.
pub(crate) const LIBRARIES: [&[Function]; 14] = [
    operators::FUNCTIONS,
    basic::FUNCTIONS,
    convert::FUNCTIONS,
    strings::FUNCTIONS,
    sets::FUNCTIONS,
    lists::FUNCTIONS,
    made_lists::FUNCTIONS,
    regexes::FUNCTIONS,
    times::FUNCTIONS,
    quantities::FUNCTIONS,
    url::FUNCTIONS,
    network::FUNCTIONS,
    semver::FUNCTIONS,
    format::FUNCTIONS,
];

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
