//! Calls that are no calls: their arguments are not looked at first, since they hold names that the macro gives.

use crate::{
    ast::{Bind, Expr, Kind, Let, Loop, Unwrapped, What},
    lexer::Unreadable,
    parser::{Parser, deepest},
};

type Made = Result<Expr, Unreadable>;

/// `name(arguments)`.
pub(crate) fn global(parser: &mut Parser, at: usize, name: &str, mut arguments: Vec<Expr>) -> Made {
    if name != "has" || arguments.len() != 1 {
        return parser.call(at, name, None, arguments);
    }
    let tested = arguments.swap_remove(0);
    match tested.kind {
        Kind::Select(operand, field) => {
            let depth = operand.depth;
            parser.part(at, depth, Kind::Has(operand, field))
        }
        _ => Err(Unreadable { at: tested.at, because: "invalid argument to has() macro".to_owned() }),
    }
}

/// `target.name(arguments)`.
pub(crate) fn member(parser: &mut Parser, at: usize, target: Expr, name: &str, arguments: Vec<Expr>) -> Made {
    // The kind of loop, and whether it has two variables.
    let (what, has_two) = match (name, arguments.len()) {
        ("all", count @ (2 | 3)) => (What::All, count == 3),
        ("exists", count @ (2 | 3)) => (What::Exists, count == 3),
        ("exists_one", count @ (2 | 3)) => (What::ExistsOne, count == 3),
        ("existsOne", 3) => (What::ExistsOne, true),
        ("map", 2 | 3) => (What::Map, false),
        ("transformList", 3 | 4) => (What::Map, true),
        ("filter", 2) => (What::Filter, false),
        ("transformMap", 3 | 4) => (What::TransformMap, true),
        ("transformMapEntry", 3 | 4) => (What::TransformMapEntry, true),
        ("optMap" | "optFlatMap", 2) => {
            let [variable, body] = take(arguments)?;
            let because = format!("{name}() variable name must be a simple identifier");
            let variable = simple_name(Some(&variable), at, &because)?;
            let unwraps = if name == "optMap" { Unwrapped::Wrapped } else { Unwrapped::AsItIs };
            let depth = deepest([&target, &body]);
            let bind = Bind { name: variable, value: target, body, unwraps };
            return parser.part(at, depth, Kind::Bind(Box::new(bind)));
        }
        ("sortBy", 2) => return sort_by(parser, at, target, arguments),
        _ => return parser.call(at, name, Some(target), arguments),
    };
    let mut arguments = arguments.into_iter();
    let first = arguments.next();
    let second = if has_two { arguments.next() } else { None };
    let because = if matches!(name, "map" | "filter") { NO_IDENTIFIER } else { NO_NAME };
    let (first, second) = variables(first.as_ref(), second.as_ref(), at, because)?;
    let (one, other) = (arguments.next(), arguments.next());
    let (filter, body) = match (one, other) {
        (filter, Some(body)) => (filter, body),
        (Some(body), None) => (None, body),
        (None, None) => return Err(Unreadable { at, because: "invalid argument count".to_owned() }),
    };
    let depth = deepest([&target, &body].into_iter().chain(&filter));
    let over = Loop { what, range: target, first, second, filter, body };
    parser.part(at, depth, Kind::Loop(Box::new(over)))
}

/// The names of a loop's variables, which differ from each other and from the one that upstream's loops have already.
fn variables(
    first: Option<&Expr>,
    second: Option<&Expr>,
    at: usize,
    because: &str,
) -> Result<(String, Option<String>), Unreadable> {
    let names = [first, second].map(|variable| match variable {
        Some(variable) => simple_name(Some(variable), at, because).map(|name| Some((name, variable.at))),
        None => Ok(None),
    });
    let [first, second] = names;
    let (first, second) = (first?, second?);
    if let (Some((one, _)), Some((other, at))) = (&first, &second)
        && one == other
    {
        return Err(Unreadable { at: *at, because: format!("duplicate variable name: {one}") });
    }
    for (name, at) in first.iter().chain(&second) {
        if name == "__result__" {
            let because = "iteration variable overwrites accumulator variable".to_owned();
            return Err(Unreadable { at: *at, because });
        }
    }
    let (first, _) = first.ok_or_else(|| Unreadable { at, because: because.to_owned() })?;
    Ok((first, second.map(|(name, _)| name)))
}

/// `target.sortBy(name, key)`: the target has a name, because it is sorted and its keys are made of it.
fn sort_by(parser: &mut Parser, at: usize, target: Expr, arguments: Vec<Expr>) -> Made {
    const INPUT: &str = "@__sortBy_input__";
    if matches!(target.kind, Kind::Literal(_) | Kind::Map(_)) {
        let because =
            "sortBy can only be applied to a list, identifier, comprehension, call or select expression";
        return Err(Unreadable { at: target.at, because: because.to_owned() });
    }
    let [variable, body] = take(arguments)?;
    let (first, second) = variables(Some(&variable), None, at, NO_IDENTIFIER)?;
    let input = |parser: &mut Parser| parser.part(at, 0, Kind::Name(INPUT.to_owned()));
    let range = input(parser)?;
    let depth = deepest([&body]);
    let over = Loop { what: What::Map, range, first, second, filter: None, body };
    let keys = parser.part(at, depth, Kind::Loop(Box::new(over)))?;
    let input = input(parser)?;
    let sorted = parser.call(at, "@sortByAssociatedKeys", Some(input), vec![keys])?;
    let depth = deepest([&target, &sorted]);
    let bound = Let { name: INPUT.to_owned(), value: target, body: sorted };
    parser.part(at, depth, Kind::Let(Box::new(bound)))
}

/// The errors of variables that are no names. Upstream has two, because two libraries have macros.
const NO_NAME: &str = "argument must be a simple name";
const NO_IDENTIFIER: &str = "argument is not an identifier";

/// The arguments, as many as the caller has counted.
fn take<const N: usize>(arguments: Vec<Expr>) -> Result<[Expr; N], Unreadable> {
    arguments.try_into().map_err(|_| Unreadable { at: 0, because: "invalid argument count".to_owned() })
}

fn simple_name(argument: Option<&Expr>, at: usize, because: &str) -> Result<String, Unreadable> {
    let name = argument.and_then(Expr::name).map(str::to_owned);
    name.ok_or_else(|| Unreadable {
        at: argument.map_or(at, |argument| argument.at),
        because: because.to_owned(),
    })
}
