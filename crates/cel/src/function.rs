//! [`Function`]: one function or operator with its overloads, its cost estimate and its evaluation.

mod signature;

use std::{collections::HashMap, sync::LazyLock};

pub(crate) use self::signature::Signature;
use crate::{
    estimate::{Arguments, Estimated},
    functions,
    meter::{Failure, Meter},
    value::Value,
};

/// The evaluation of a function: its arguments, the receiver first, and the meter that it charges.
pub(crate) type Evaluate = for<'a> fn(&[Value<'a>], &mut Meter) -> Result<Value<'a>, Failure>;

/// The cost of a call and the size of its result.
pub(crate) type Estimate = fn(&Arguments<'_, '_>) -> Estimated;

/// A function or an operator. Libraries can share a name: `indexOf` searches texts in one and lists in another.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Signatures such as `string.(int) string` or `(string) bool`, with `A` and `B` for open types.
    overloads: &'static [&'static str],
    pub(crate) estimate: Estimate,
    /// Returns [`Failure::NoOverload`] for arguments that fit no overload: dynamic values are not typed before.
    pub(crate) evaluate: Evaluate,
    pub(crate) literal: Option<LiteralRule>,
}

/// A rule for a constant argument, checked at compile time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiteralRule {
    /// The position of the argument, counted with the receiver.
    pub(crate) argument: usize,
    pub(crate) is_valid: fn(&str) -> bool,
    pub(crate) error: &'static str,
}

impl Function {
    pub(crate) const fn new(
        name: &'static str,
        overloads: &'static [&'static str],
        estimate: Estimate,
        evaluate: Evaluate,
    ) -> Self {
        Self { name, overloads, estimate, evaluate, literal: None }
    }

    /// Adds a rule for a constant argument.
    pub(crate) const fn with_literal(
        self,
        argument: usize,
        is_valid: fn(&str) -> bool,
        error: &'static str,
    ) -> Self {
        Self { literal: Some(LiteralRule { argument, is_valid, error }), ..self }
    }
}

/// A function with its overloads parsed.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) function: &'static Function,
    pub(crate) overloads: Vec<Signature>,
}

/// The functions that a call can mean: the result of the checker's overload resolution.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolved {
    /// In the order of the libraries; more than one only if the types of the arguments are dynamic.
    pub(crate) functions: Vec<&'static Function>,
    /// Whether the target of the call is the first argument. It is not in `strings.quote(x)`, where it is part of the name.
    pub(crate) has_receiver: bool,
}

/// Returns the declarations of a name, in the order of the libraries.
pub(crate) fn declared(name: &str) -> Option<&'static [Declaration]> {
    static ALL: LazyLock<HashMap<&str, Vec<Declaration>>> = LazyLock::new(|| {
        let mut all: HashMap<&str, Vec<Declaration>> = HashMap::new();
        for function in functions::LIBRARIES.iter().copied().flatten() {
            let overloads = function.overloads.iter().map(|text| Signature::parse(text)).collect();
            all.entry(function.name).or_default().push(Declaration { function, overloads });
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
        for library in functions::LIBRARIES {
            for (position, function) in library.iter().enumerate() {
                assert!(!function.overloads.is_empty(), "{}", function.name);
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
