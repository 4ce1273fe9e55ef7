//! [`Found`]: the estimate of a part of an expression, and the [`Path`] to its value.

use super::range::Range;
use crate::decl_type::DeclType;

/// The way to a value from a variable, by which upstream looks for its size.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'d> {
    /// None: the value was computed.
    None,
    /// One that ends at this schema.
    At(&'d DeclType),
    /// One that leads nowhere.
    Lost,
}

impl<'d> Path<'d> {
    /// A way that ends at this schema.
    pub(super) fn of(place: Option<&'d DeclType>) -> Self {
        place.map_or(Self::Lost, Self::At)
    }

    /// The schema at its end.
    pub(super) fn end(self) -> Option<&'d DeclType> {
        match self {
            Self::At(place) => Some(place),
            Self::None | Self::Lost => None,
        }
    }

    /// A step further. Upstream takes the first step of a way for the name of a variable: one that begins at a computed
    /// value seems to be at the `root` after it.
    pub(super) fn step(
        self,
        root: Option<&'d DeclType>,
        further: impl FnOnce(&'d DeclType) -> Option<&'d DeclType>,
    ) -> Self {
        let end = match self {
            Self::None => root,
            Self::At(place) => further(place),
            Self::Lost => None,
        };
        Self::of(end)
    }
}

/// The estimate of a part of an expression.
#[derive(Debug, Clone)]
pub(super) struct Found<'d> {
    pub(super) cost: Range,
    pub(super) size: Option<Range>,
    pub(super) path: Path<'d>,
    /// The sizes of the keys and the values that are in it.
    pub(super) entries: Option<Entries>,
}

/// The sizes of the keys and values in a map, or of the items in a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entries {
    pub(super) is_map: bool,
    pub(super) key: Range,
    pub(super) value: Range,
}

impl Entries {
    /// The entries of a list.
    pub(super) fn items(value: Range) -> Self {
        Self { is_map: false, key: Range::exactly(1), value }
    }

    /// Either these or the others.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { key: self.key.or(other.key), value: self.value.or(other.value), ..self }
    }
}

impl Found<'_> {
    pub(super) fn costing(cost: Range) -> Self {
        Self { cost, size: None, path: Path::None, entries: None }
    }
}
