//! Validation of `'…'.format([…])` with a constant format and a list of known length.

use super::Issue;
use crate::{
    ast::{Call, Expr, Kind},
    functions::text_format::{FormatError, NO_STRING, Verb, interpolate},
    typed::Type,
};

/// Returns the issue of a call, if it has one.
pub(super) fn issues(expr: &Expr, call: &Call, types: &[Type]) -> Option<Issue> {
    let text = call.target.as_deref()?.text()?;
    let Kind::List(elements) = &call.arguments.first()?.kind else { return None };
    let mut requested = 0;
    let outcome = interpolate(text, elements.len(), |position, verb| {
        requested = position + 1;
        verify(verb, &elements[position].value, types).map(|()| String::new())
    });
    match outcome {
        Err(FormatError::Argument { because, at }) => {
            Some(Issue { at, because: format!("error during formatting: {because}") })
        }
        Err(FormatError::Clause(because)) => Some(Issue { at: expr.at, because }),
        Err(FormatError::TooLong) => None,
        Ok(_) if elements.len() > requested => {
            let because = format!(
                "too many arguments supplied to string.format (expected {requested}, got {})",
                elements.len()
            );
            Some(Issue { at: expr.at, because })
        }
        Ok(_) => None,
    }
}

/// Checks that a verb takes the type of an argument.
fn verify(verb: Verb, argument: &Expr, types: &[Type]) -> Result<(), FormatError> {
    let is = types.get(argument.id).unwrap_or(&Type::Dyn);
    let fits = match verb {
        _ if is.is_dyn() => true,
        Verb::String => return verify_string(argument, types),
        Verb::Decimal | Verb::Octal => matches!(is, Type::Int | Type::Uint),
        Verb::Fixed(_) | Verb::Scientific(_) => matches!(is, Type::Double | Type::String),
        Verb::Binary => matches!(is, Type::Int | Type::Uint | Type::Bool),
        Verb::Hex { .. } => matches!(is, Type::Int | Type::Uint | Type::String | Type::Bytes),
    };
    if fits { Ok(()) } else { Err(unfit(verb.error(), argument, is)) }
}

fn unfit(because: &str, argument: &Expr, is: &Type) -> FormatError {
    FormatError::Argument { because: format!("{because}, was given {}", is.name()), at: argument.at }
}

/// Checks that an argument has a text, with all parts of a literal.
fn verify_string(argument: &Expr, types: &[Type]) -> Result<(), FormatError> {
    let is = types.get(argument.id).unwrap_or(&Type::Dyn);
    if matches!(is, Type::Object(_) | Type::Named(_) | Type::Optional(_)) {
        return Err(unfit(NO_STRING, argument, is));
    }
    match &argument.kind {
        Kind::List(_) | Kind::Map(_) => {
            argument.children().into_iter().try_for_each(|child| verify_string(child, types))
        }
        _ => Ok(()),
    }
}
