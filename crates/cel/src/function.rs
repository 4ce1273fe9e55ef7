//! [`Function`]: one function or operator with its overloads, its cost estimate and its evaluation.

mod signature;

pub(crate) use self::signature::Signature;
use crate::{
    estimate::{Arguments, Estimated},
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

impl Declaration {
    pub(crate) fn new(function: &'static Function) -> Self {
        let overloads = function.overloads.iter().map(|text| Signature::parse(text)).collect();
        Self { function, overloads }
    }
}

/// The functions that a call can mean: the result of the checker's overload resolution.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolved {
    /// In the order of the libraries; more than one only if the types of the arguments are dynamic.
    pub(crate) functions: Vec<&'static Function>,
    /// Whether the target of the call is the first argument. It is not in `strings.quote(x)`, where it is part of the name.
    pub(crate) has_receiver: bool,
}
