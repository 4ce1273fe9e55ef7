//! [`Arguments`] of a call as an estimate sees them, and [`Estimated`]: its cost and the size of its result.

use super::{
    found::{Entries, Found},
    range::Range,
};
use crate::{
    ast::{Expr, Kind, Literal},
    typed::Type,
};

/// The cost of a call without its arguments, and the size of its result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimated {
    pub(crate) cost: Range,
    /// `None` if the size follows from the type, or from the schema for an element.
    pub(crate) size: Option<Range>,
    /// The sizes of keys and values in the result.
    pub(super) entries: Option<Entries>,
    /// Whether the result is an element of the first argument.
    pub(super) is_element: bool,
}

impl Estimated {
    /// A cost, with a result whose size follows from its type.
    pub(crate) const fn cost(cost: Range) -> Self {
        Self { cost, size: None, entries: None, is_element: false }
    }

    /// A cost, and the size of the result.
    pub(crate) const fn sized(cost: Range, size: Range) -> Self {
        Self { size: Some(size), ..Self::cost(cost) }
    }

    /// A value with the size of an argument, which may be unknown.
    pub(crate) const fn unchanged(size: Option<Range>) -> Self {
        Self { size, ..Self::cost(Range::ONE) }
    }

    /// A list of so many items that is made, with a cost for each item.
    pub(crate) fn list(items: Range, each: f64) -> Self {
        Self::sized(items.scaled(each).plus(Range::exactly(11)), items)
    }

    /// Either this or the other: the checker cannot tell which function is called.
    pub(super) fn or(self, other: Self) -> Self {
        let size = self.size.zip(other.size).map(|(one, other)| one.or(other)).or(self.size).or(other.size);
        Self { cost: self.cost.or(other.cost), size, ..self }
    }

    /// An element of the first argument.
    pub(crate) const fn element() -> Self {
        Self { is_element: true, ..Self::cost(Range::ONE) }
    }

    /// Adds the sizes of keys and values.
    pub(crate) const fn with_entries(self, entries: Option<Entries>) -> Self {
        Self { entries, ..self }
    }
}

/// The arguments of a call, the receiver first.
#[derive(Debug)]
pub(crate) struct Arguments<'f, 'd> {
    pub(super) parts: &'f [&'d Expr],
    pub(super) types: Vec<&'d Type>,
    pub(super) found: &'f [Found<'d>],
}

impl Arguments<'_, '_> {
    /// Returns the number of arguments.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Returns the size of an argument.
    pub(crate) fn size(&self, position: usize) -> Range {
        self.known_size(position).unwrap_or(Range::UNKNOWN)
    }

    /// Returns the size of an argument, if something is known about it.
    pub(crate) fn known_size(&self, position: usize) -> Option<Range> {
        self.found.get(position).and_then(|found| found.size)
    }

    /// Returns the sizes of the keys and values of an argument.
    pub(crate) fn entries(&self, position: usize) -> Option<Entries> {
        self.found.get(position).and_then(|found| found.entries)
    }

    /// Returns whether the type of an argument satisfies a condition.
    pub(crate) fn is(&self, position: usize, holds: impl Fn(&Type) -> bool) -> bool {
        self.types.get(position).is_some_and(|is| holds(is))
    }

    /// Returns whether an argument is a text, or a dynamic value that may be one.
    pub(crate) fn is_text(&self, position: usize) -> bool {
        self.is(position, |is| matches!(is, Type::String | Type::Bytes) || is.is_dyn())
    }

    /// Returns whether an argument is a list.
    pub(crate) fn is_list(&self, position: usize) -> bool {
        self.is(position, |is| matches!(is, Type::List(_)))
    }

    /// Returns whether an argument is a list of texts.
    pub(crate) fn is_list_of_texts(&self, position: usize) -> bool {
        self.is(position, |is| match is {
            Type::List(item) => matches!(&**item, Type::String | Type::Bytes),
            _ => false,
        })
    }

    /// Returns the size of the items of a list.
    pub(crate) fn items(&self, position: usize) -> Range {
        let found = self.found.get(position);
        let of_schema = found.and_then(|found| found.path.end()).and_then(|place| place.parts.as_deref());
        of_schema.map_or(Range::UNKNOWN, |items| Range { min: 0, max: items.most })
    }

    /// Returns the value of an integer constant, 0 for a negative one.
    pub(crate) fn literal(&self, position: usize) -> Option<u64> {
        self.integer(position).map(|number| u64::try_from(number).unwrap_or(0))
    }

    /// Returns the value of an integer constant.
    pub(crate) fn integer(&self, position: usize) -> Option<i64> {
        match self.parts.get(position).map(|part| &part.kind) {
            Some(Kind::Literal(Literal::Int(number))) => Some(*number),
            _ => None,
        }
    }

    /// Returns the cost of comparing the first two arguments: a traversal of the shorter one.
    pub(crate) fn comparison(&self) -> Range {
        let max = self.size(0).max.min(self.size(1).max);
        Range { min: u64::from(max > 0), max }.tenth()
    }
}
