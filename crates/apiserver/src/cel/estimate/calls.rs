//! What functions and operators cost, and how large what they give can be.

use super::{
    super::{
        ast::{Call, Expr, Kind, Literal},
        signatures,
        typed::Type,
    },
    Estimate, Found, Path, Range,
};

const ONE: Range = Range::exactly(1);

impl<'d> Estimate<'d> {
    pub(super) fn call(&mut self, expr: &'d Expr, call: &'d Call) -> Found<'d> {
        let Call { function, target, arguments } = call;
        let qualified =
            target.as_ref().and_then(|target| Some(format!("{}.{function}", target.qualified()?)));
        let qualified = qualified.filter(|name| signatures::of(name).is_some());
        let name = qualified.as_deref().unwrap_or(function);
        let target = if qualified.is_some() { None } else { target.as_deref() };
        let parts: Vec<&'d Expr> = target.into_iter().chain(arguments).collect();
        let found: Vec<Found<'d>> = parts.iter().map(|part| self.part(part)).collect();
        let taken = Taken { types: parts.iter().map(|part| self.of_type(part)).collect(), found: &found };
        let (cost, size) = cost(name, &taken);
        let before = found.iter().fold(Range::exactly(0), |sum, found| sum.plus(found.cost));
        let path = match (name, found.first()) {
            ("_[_]", Some(of)) => of.path.step(self.root, |place| place.parts.as_deref()),
            _ => Path::None,
        };
        // The number of parts that a text is split into may be bounded.
        let literal = |position: usize| match parts.get(position).map(|part| &part.kind) {
            Some(Kind::Literal(Literal::Int(number))) => u64::try_from(*number).ok(),
            _ => None,
        };
        let parts_at_most = literal(2).filter(|_| name == "split");
        let counted = match name {
            "slice" => {
                let most = found.first().and_then(|of| of.size).map_or(u64::MAX, |size| size.max);
                Some(literal(2).unwrap_or(most).saturating_sub(literal(1).unwrap_or(0)))
            }
            "lists.range" => Some(literal(0).unwrap_or(u64::MAX)),
            _ => None,
        };
        let (cost, size) = counted.map_or((cost, size), |count| made(Range::exactly(count), 10));
        let size = parts_at_most.map(|max| Range { min: 0, max }).or(size);
        let inner = found.first().filter(|_| name == "_[_]").and_then(|of| of.entries).map(|sizes| sizes.1);
        let size = size.or(inner).or_else(|| self.size(expr, path));
        let entries = match (name, &found[..]) {
            ("_+_", [one, other]) => {
                one.entries.zip(other.entries).map(|(one, other)| (one.0.or(other.0), one.1.or(other.1)))
            }
            ("dyn", [of]) => of.entries,
            _ => None,
        };
        Found { cost: before.plus(cost), size, path, entries }
    }
}

/// What a function takes, the receiver first.
struct Taken<'f, 'd> {
    types: Vec<&'d Type>,
    found: &'f [Found<'d>],
}

impl Taken<'_, '_> {
    fn size(&self, position: usize) -> Range {
        self.found.get(position).and_then(|found| found.size).unwrap_or(Range::UNKNOWN)
    }

    fn is(&self, position: usize, holds: impl Fn(&Type) -> bool) -> bool {
        self.types.get(position).is_some_and(|is| holds(is))
    }

    /// Whether it is a text, or may turn out to be one.
    fn is_text(&self, position: usize) -> bool {
        self.is(position, |is| matches!(is, Type::String | Type::Bytes) || is.is_dyn())
    }

    /// The size of the items of a list.
    fn items(&self, position: usize) -> Range {
        let found = self.found.get(position);
        let of_schema = found.and_then(|found| found.path.end()).and_then(|place| place.parts.as_deref());
        of_schema.map_or(Range::UNKNOWN, |items| Range { min: 0, max: items.most })
    }

    /// What it costs to compare the first two: as much as going through the shorter one.
    fn comparison(&self) -> Range {
        let max = self.size(0).max.min(self.size(1).max);
        Range { min: u64::from(max > 0), max }.tenth()
    }
}

/// What a call costs, and the size of what it gives.
fn cost(name: &str, taken: &Taken<'_, '_>) -> (Range, Option<Range>) {
    let size = |position| taken.size(position);
    match name {
        "_==_" | "_!=_" if taken.is(0, |is| matches!(is, Type::Named(_))) => (ONE, None),
        "_==_" | "_!=_" => (taken.comparison(), None),
        "_<_" | "_<=_" | "_>_" | "_>=_" if taken.is_text(0) => (taken.comparison().or(ONE), None),
        "@in" if taken.is(1, |is| matches!(is, Type::Map(..))) => (ONE, None),
        "@in" => (size(1), None),
        "_+_" if taken.is(0, |is| matches!(is, Type::List(_))) => (ONE, Some(size(0).plus(size(1)))),
        "_+_" if taken.is_text(0) => {
            let sum = size(0).plus(size(1));
            (sum.tenth(), Some(sum))
        }
        "contains" => (size(0).tenth().times(size(1).tenth()), None),
        "startsWith" | "endsWith" => (size(1).tenth(), None),
        "matches" => (pattern(size(0), size(1)), None),
        "find" | "findAll" => (pattern(size(0), size(1)), Some(Range { min: 0, ..size(0) })),
        "bytes" if taken.is(0, |is| matches!(is, Type::String)) => {
            let text = size(0);
            (text.tenth(), Some(Range { max: text.max.saturating_mul(4), ..text }))
        }
        "string" if taken.is(0, |is| matches!(is, Type::Bytes)) => {
            (size(0).tenth(), Some(Range { min: size(0).min / 4, ..size(0) }))
        }
        // It may be bytes, and only of those does the cost depend on the size.
        "string" if taken.is(0, Type::is_dyn) => {
            (size(0).tenth().or(ONE), Some(Range { min: size(0).min / 4, ..size(0) }))
        }
        "reverse" | "flatten" if taken.is(0, |is| matches!(is, Type::List(_))) => made(size(0), 10),
        "distinct" => made(size(0).times(size(0)), 20),
        "sort" | "@sortByAssociatedKeys" => {
            let keys = usize::from(name != "sort");
            let is_text = taken.is(keys, |is| match is {
                Type::List(item) => matches!(&**item, Type::String | Type::Bytes),
                _ => false,
            });
            made(size(keys).times(size(keys)), if is_text { 21 } else { 20 })
        }
        "validate" => (size(1).tenth().times(Range::exactly(32)), None),
        "semver" | "isSemver" | "jsonpatch.escapeKey" => (size(0).tenth(), None),
        "strings.quote" => {
            let text = size(0);
            let quoted =
                Range { min: text.min.saturating_add(2), max: text.max.saturating_mul(2).saturating_add(2) };
            (text.tenth(), Some(quoted))
        }
        "format" | "isIP" | "isCIDR" | "cidr" | "quantity" | "isQuantity" => (size(0).tenth(), None),
        "ip" if taken.is_text(0) => (size(0).tenth(), None),
        "ip.isCanonical" => (twice(size(0)), None),
        "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" => (size(0).tenth(), Some(size(0))),
        "isURL" => (ONE, None),
        "replace" => (twice(size(0)), Some(replaced(size(0), size(1), size(2)))),
        "split" => (twice(size(0)), Some(Range { min: 0, ..size(0) })),
        "join" => {
            let items = size(0).times(taken.items(0));
            let between = size(0);
            let between = Range { min: between.min.saturating_sub(1), max: between.max.saturating_sub(1) };
            let by = if taken.found.len() > 1 { size(1) } else { Range::exactly(0) };
            let text = items.plus(by.times(between));
            (text.tenth(), Some(text))
        }
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => match taken.types.first() {
            Some(Type::List(item)) if matches!(&**item, Type::String | Type::Bytes) => {
                (size(0).times(ONE.plus(taken.items(0).tenth())), None)
            }
            Some(Type::List(_)) => (size(0), None),
            _ => (size(0).tenth(), None),
        },
        "sets.contains" | "sets.intersects" => (size(0).times(size(1)).plus(ONE), None),
        "sets.equivalent" => (size(0).times(size(1)).times(Range::exactly(2)).plus(ONE), None),
        "dyn" => (ONE, taken.found.first().and_then(|found| found.size)),
        "containsIP" | "containsCIDR" => {
            let text = if taken.is_text(1) { size(1).tenth() } else { Range::exactly(0) };
            (Range { min: 1, max: 7 }.plus(text), None)
        }
        _ => (ONE, None),
    }
}

/// The cost and the size of a list that is made, with so many tenths for each item.
fn made(items: Range, tenths: u64) -> (Range, Option<Range>) {
    let cost = items.times(Range::exactly(tenths)).tenth();
    (cost.plus(Range::exactly(11)), Some(items))
}

/// A pattern is guessed to have a part for every four characters.
fn pattern(text: Range, pattern: Range) -> Range {
    let pattern = Range { min: pattern.min.div_ceil(4), max: pattern.max.div_ceil(4) };
    text.plus(ONE).tenth().times(pattern)
}

/// A fifth: a text that is gone through, and another that is made.
fn twice(text: Range) -> Range {
    Range { min: text.min.div_ceil(5), max: text.max.div_ceil(5) }
}

/// How long a text can be in which `from` is replaced by `to`.
fn replaced(text: Range, from: Range, to: Range) -> Range {
    let times =
        |text: u64, from: u64| text.checked_div(from).map_or(text.saturating_add(1), |_| text.div_ceil(from));
    let max = if from.min > 0 && to.max <= from.min {
        text.max
    } else {
        let kept = if from.min == 0 { text.max } else { 0 };
        times(text.max, from.min).saturating_mul(to.max).saturating_add(kept)
    };
    Range { min: 0, max }
}
