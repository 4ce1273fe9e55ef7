//! The table of all functions by name.

use std::{collections::HashMap, sync::LazyLock};

use crate::{
    function::{Declaration, Function},
    functions::{
        access, basic, convert, format, lists, made_lists, network, operators, quantities, regexes, semver,
        sets, strings, times, url,
    },
};

/// All libraries. A dynamic call that several of them could take goes to the first that does.
pub(crate) const LIBRARIES: [&[Function]; 16] = [
    operators::FUNCTIONS,
    access::FUNCTIONS,
    basic::FUNCTIONS,
    convert::FUNCTIONS,
    strings::FUNCTIONS,
    sets::FUNCTIONS,
    lists::FUNCTIONS,
    made_lists::FUNCTIONS,
    regexes::FUNCTIONS,
    regexes::GLOBAL,
    times::FUNCTIONS,
    quantities::FUNCTIONS,
    url::FUNCTIONS,
    network::FUNCTIONS,
    semver::FUNCTIONS,
    format::FUNCTIONS,
];

/// Returns the declarations of a name, in the order of the libraries.
pub(crate) fn declared(name: &str) -> Option<&'static [Declaration]> {
    static ALL: LazyLock<HashMap<&str, Vec<Declaration>>> = LazyLock::new(|| {
        let mut all: HashMap<&str, Vec<Declaration>> = HashMap::new();
        for function in LIBRARIES.iter().copied().flatten() {
            all.entry(function.name).or_default().push(Declaration::new(function));
        }
        all
    });
    ALL.get(name).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_overloads_and_stands_once_in_its_library() {
        for library in LIBRARIES {
            for (position, function) in library.iter().enumerate() {
                assert!(!Declaration::new(function).overloads.is_empty(), "{}", function.name);
                let is_first = library[..position].iter().all(|other| other.name != function.name);
                assert!(is_first, "{} is declared twice in one library", function.name);
            }
        }
    }

    #[test]
    fn names_are_shared_between_libraries() {
        let libraries = |name: &str| declared(name).map_or(0, <[_]>::len);
        assert_eq!([libraries("size"), libraries("indexOf"), libraries("isGreaterThan")], [1, 2, 2]);
        assert_eq!(libraries("nothing"), 0);
        let orders = &declared("_<_").expect("an operator")[0];
        assert_eq!(orders.overloads.len(), 8 + 6);
    }
}
