//! [`Function`]: one function or operator with its overloads, its cost estimate and its evaluation.

mod signature;

pub(crate) use self::signature::Signature;
use crate::{
    ast::Literal,
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
    /// The position of an argument that is a regular expression: constants are compiled with the program.
    pub(crate) pattern: Option<usize>,
    /// Whether a call with a constant argument is evaluated with the compilation, and so costs nothing.
    pub(crate) is_folded: bool,
    /// Whether the cost is 1 if the types of the arguments leave several overloads.
    pub(crate) is_flat_if_dynamic: bool,
    /// The result that the first argument alone decides: the second is not evaluated then, and the call costs nothing.
    pub(crate) shortcut: Option<Shortcut>,
    /// The result for an empty list, whose items do not tell the overload.
    pub(crate) default: Option<Default>,
    pub(crate) mismatch: Mismatch,
}

/// The error of dynamic arguments that no overload takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// With the name of the function and the types of the arguments.
    Types,
    /// With the name only.
    Name,
    /// Without a name, as of operators.
    Plain,
}

/// Returns the result of an overload, by its position.
pub(crate) type Default = fn(usize) -> Value<'static>;

/// Returns the result, if a first argument decides it.
pub(crate) type Shortcut = for<'a> fn(&Value<'a>) -> Option<Value<'a>>;

/// A rule for the first argument behind the name, if that is a constant; checked at compile time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiteralRule {
    pub(crate) is_valid: fn(&Literal) -> bool,
    pub(crate) error: &'static str,
}

impl Function {
    pub(crate) const fn new(
        name: &'static str,
        overloads: &'static [&'static str],
        estimate: Estimate,
        evaluate: Evaluate,
    ) -> Self {
        Self {
            name,
            overloads,
            estimate,
            evaluate,
            literal: None,
            pattern: None,
            is_folded: false,
            is_flat_if_dynamic: false,
            shortcut: None,
            default: None,
            mismatch: Mismatch::Types,
        }
    }

    /// Adds a rule for a constant argument.
    pub(crate) const fn with_literal(self, is_valid: fn(&Literal) -> bool, error: &'static str) -> Self {
        Self { literal: Some(LiteralRule { is_valid, error }), ..self }
    }

    /// Declares which argument is a regular expression, counted with the receiver.
    pub(crate) const fn with_pattern(self, argument: usize) -> Self {
        Self { pattern: Some(argument), ..self }
    }

    /// Declares a conversion, which upstream evaluates with the compilation if its argument is constant.
    pub(crate) const fn folded(self) -> Self {
        Self { is_folded: true, ..self }
    }

    /// Declares that upstream finds the cost by the overload: it is 1 if the checker leaves several.
    pub(crate) const fn flat_if_dynamic(self) -> Self {
        Self { is_flat_if_dynamic: true, ..self }
    }

    /// Sets the error of dynamic arguments that no overload takes. Operators need not: their names are no words.
    pub(crate) const fn with_mismatch(self, mismatch: Mismatch) -> Self {
        Self { mismatch, ..self }
    }

    /// Returns the error of dynamic arguments that no overload takes.
    pub(crate) fn no_overload(&self, arguments: &[Value<'_>]) -> Failure {
        let is_operator = !self.name.starts_with(|first: char| first.is_ascii_alphabetic());
        match self.mismatch {
            Mismatch::Name => Failure::NoOverloadOf(self.name.to_owned()),
            Mismatch::Types if !is_operator => {
                let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
                Failure::NoOverloadOf(format!("{}({})", self.name, types.join(", ")))
            }
            Mismatch::Types | Mismatch::Plain => Failure::NoOverload,
        }
    }

    /// Adds a result for an empty list.
    pub(crate) const fn with_default(self, default: Default) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Adds a rule by which the first argument can decide the result.
    pub(crate) const fn with_shortcut(self, shortcut: Shortcut) -> Self {
        Self { shortcut: Some(shortcut), ..self }
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
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// In the order of the libraries; more than one only if the types of the arguments are dynamic.
    pub(crate) functions: Vec<&'static Function>,
    /// Whether the target of the call is the first argument. It is not in `strings.quote(x)`, where it is part of the name.
    pub(crate) has_receiver: bool,
    /// The number of overloads that fit.
    pub(crate) overloads: usize,
    /// The position of the first overload that fits, in its function.
    pub(crate) first_overload: usize,
}
