//! Estimates of macros: loops over lists and maps, and names for values.

use std::sync::LazyLock;

use super::{Entries, Estimate, Found, Local, Path, Range};
use crate::{
    ast::{Bind, Expr, Let, Loop, Unwrapped, What},
    decl_type::DeclType,
    typed::Type,
};

impl<'d> Estimate<'d> {
    pub(super) fn over(&mut self, over: &'d Loop) -> Found<'d> {
        let range = self.part(&over.range);
        let outside = self.scope.len();
        self.enter(over, &range);
        let filter = over.filter.as_ref().map(|filter| self.part(filter).cost);
        let body = self.part(&over.body);
        let item = &self.scope[outside];
        let item_size = item.path.end().map(|place| Range { min: 0, max: place.most }).or(item.size);
        self.scope.truncate(outside);
        // What the macro itself does, in the beginning and at the end, and for each item.
        let (around, each) = match over.what {
            What::All => (1, body.cost.plus(Range::exactly(3))),
            What::Exists => (1, body.cost.plus(Range::exactly(4))),
            What::ExistsOne => (2, body.cost.plus(Range::exactly(2))),
            What::Filter => (11, body.cost.plus(Range::exactly(13))),
            What::Map => (11, body.cost.plus(Range::exactly(12))),
            What::TransformMap => (31, body.cost.plus(Range::exactly(3))),
            What::TransformMapEntry => (31, body.cost.plus(Range::exactly(2))),
        };
        let each = filter.map_or(each, |filter| filter.plus(each.or(Range::ONE)));
        let count = range.size.unwrap_or(Range::UNKNOWN);
        let cost = range.cost.plus(Range::exactly(around)).plus(count.times(each));
        let items =
            |size: Option<Range>| Some(Entries::items(Range::exactly(0).or(size.unwrap_or(Range::UNKNOWN))));
        let (size, entries) = match over.what {
            What::All | What::Exists | What::ExistsOne => (Range::ONE, None),
            What::Map => (count, items(body.size)),
            What::Filter => (count, items(item_size)),
            What::TransformMap | What::TransformMapEntry => (count, None),
        };
        Found { cost, size: Some(size), path: Path::None, entries }
    }

    /// Gives the loop's names to the items of its range.
    fn enter(&mut self, over: &'d Loop, range: &Found<'d>) {
        /// Keys of a map, of which upstream takes it that they have no length.
        static KEYS: LazyLock<DeclType> = LazyLock::new(DeclType::key);
        let is = self.of_type(&over.range);
        let is_list = match range.entries {
            Some(entries) => !entries.is_map,
            None => matches!(is, Type::List(_)),
        };
        let is_keyed = |place: &DeclType| matches!(place.is, Type::Map(..)) && !is_list;
        let keys = range.path.step(self.root, |place| is_keyed(place).then_some(&*KEYS));
        let items = range.path.step(self.root, |place| place.parts.as_deref());
        let [key, value] = [range.entries.map(|sizes| sizes.key), range.entries.map(|sizes| sizes.value)];
        let local = |name, size, path| Local { name, size, path, entries: None };
        match &over.second {
            None if is_list => self.scope.push(local(&over.first, value, items)),
            None => self.scope.push(local(&over.first, key, keys)),
            Some(second) => {
                self.scope.push(local(&over.first, key, keys));
                self.scope.push(local(second, value, items));
            }
        }
    }

    /// `optMap` and `optFlatMap`: upstream writes the value twice, for `hasValue` and for `value`.
    pub(super) fn bind(&mut self, expr: &Expr, bind: &'d Bind) -> Found<'d> {
        let value = self.part(&bind.value);
        let inner = match self.of_type(&bind.value) {
            Type::Optional(inner) => super::fixed(inner),
            _ => None,
        };
        self.scope.push(Local { name: &bind.name, size: inner, path: Path::None, entries: None });
        let body = self.part(&bind.body);
        self.scope.pop();
        let bound = Range::exactly(11).plus(value.cost).plus(body.cost);
        let none = self.size(expr, Path::None).unwrap_or(Range::UNKNOWN);
        let (bound, size) = match bind.unwraps {
            Unwrapped::Wrapped => (bound.plus(Range::ONE), none),
            Unwrapped::AsItIs => (bound, body.size.unwrap_or(Range::UNKNOWN)),
        };
        let cost = value.cost.plus(Range::ONE).plus(bound.or(Range::ONE));
        Found { size: Some(size.or(none)), ..Found::costing(cost) }
    }

    pub(super) fn bound(&mut self, bound: &'d Let) -> Found<'d> {
        let value = self.part(&bound.value);
        let size = value.size.or_else(|| self.size(&bound.value, value.path));
        self.scope.push(Local { name: &bound.name, size, path: value.path, entries: value.entries });
        let body = self.part(&bound.body);
        self.scope.pop();
        Found { cost: Range::exactly(10).plus(value.cost).plus(body.cost), path: Path::None, ..body }
    }
}
