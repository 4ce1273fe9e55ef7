//! Calls that are no calls: their arguments are not looked at first, since they hold names that the macro gives.

use crate::{
    ast::{Bind, Expr, Kind, Loop, Unwrapped, What},
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
    let what = match (name, arguments.len()) {
        ("all", 2 | 3) => What::All,
        ("exists", 2 | 3) => What::Exists,
        ("exists_one" | "existsOne", 2 | 3) => What::ExistsOne,
        ("map", 2 | 3) | ("transformList", 3 | 4) => What::Map,
        ("filter", 2) => What::Filter,
        ("transformMap", 3 | 4) => What::TransformMap,
        ("optMap", 2) => {
            let [name, body] = take(arguments)?;
            return bind(parser, at, &name, target, body, Unwrapped::Wrapped);
        }
        ("optFlatMap", 2) => {
            let [name, body] = take(arguments)?;
            return bind(parser, at, &name, target, body, Unwrapped::AsItIs);
        }
        ("sortBy", 2) => {
            let [name, body] = take(arguments)?;
            let first = simple_name(Some(&name), at)?;
            let depth = deepest([&target, &body]);
            let what = What::Map;
            let over = Loop { what, range: target.clone(), first, second: None, filter: None, body };
            let keys = parser.part(at, depth, Kind::Loop(Box::new(over)))?;
            return parser.call(at, "@sortByAssociatedKeys", Some(target), vec![keys]);
        }
        _ => return parser.call(at, name, Some(target), arguments),
    };
    let has_two = match (what, name) {
        (What::Map, "transformList") | (What::TransformMap, _) => true,
        (What::All | What::Exists | What::ExistsOne, _) => arguments.len() == 3,
        _ => false,
    };
    let mut arguments = arguments.into_iter();
    let first = simple_name(arguments.next().as_ref(), at)?;
    let second = if has_two { Some(simple_name(arguments.next().as_ref(), at)?) } else { None };
    if second.as_ref() == Some(&first) {
        return Err(Unreadable { at, because: "duplicate variable name".to_owned() });
    }
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

/// The arguments, as many as the caller has counted.
fn take<const N: usize>(arguments: Vec<Expr>) -> Result<[Expr; N], Unreadable> {
    arguments.try_into().map_err(|_| Unreadable { at: 0, because: "invalid argument count".to_owned() })
}

fn bind(parser: &mut Parser, at: usize, name: &Expr, value: Expr, body: Expr, unwraps: Unwrapped) -> Made {
    let name = simple_name(Some(name), at)?;
    let depth = deepest([&value, &body]);
    parser.part(at, depth, Kind::Bind(Box::new(Bind { name, value, body, unwraps })))
}

fn simple_name(argument: Option<&Expr>, at: usize) -> Result<String, Unreadable> {
    let name = argument.and_then(Expr::name).map(str::to_owned);
    name.ok_or_else(|| Unreadable {
        at: argument.map_or(at, |argument| argument.at),
        because: "argument must be a simple name".to_owned(),
    })
}
