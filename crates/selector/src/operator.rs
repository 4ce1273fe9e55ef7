//! [`Operator`]: the relation between a key and its values.

/// The operator of a requirement.
///
/// Label requirements have all of them, field requirements only [`Equals`](Self::Equals) and
/// [`NotEquals`](Self::NotEquals).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `key in (a,b)`: the label is present and has one of the values.
    In,
    /// `key notin (a,b)`: the label is absent or has another value.
    NotIn,
    /// `key=a` or `key==a`: the label is present and has this value.
    Equals,
    /// `key!=a`: the label is absent or has another value.
    NotEquals,
    /// `key`: the label is present.
    Exists,
    /// `!key`: the label is absent.
    DoesNotExist,
    /// `key>1`: the label is present, and its value is an integer greater than this one.
    GreaterThan,
    /// `key<1`: the label is present, and its value is an integer less than this one.
    LessThan,
}
