//! [`Expr`]: an expression as it was written, with its macros recognised.

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    /// Its number in the expression: what is found out about it is kept under this.
    pub(super) id: usize,
    /// Where its operator, or else it, stands: a position among the characters of the source.
    pub(super) at: usize,
    /// How many parts stand in each other in it.
    pub(super) depth: usize,
    pub(super) kind: Kind,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Literal(Literal),
    Name(String),
    /// `operand.field`.
    Select(Box<Expr>, String),
    /// `operand.?field`, and what it may lack.
    OptionalSelect(Box<Expr>, String),
    /// `has(operand.field)`.
    Has(Box<Expr>, String),
    /// `target.name(arguments)` or `name(arguments)`; operators are called, too.
    Call(Call),
    /// `a && b && c`.
    And(Vec<Expr>),
    /// `a || b || c`.
    Or(Vec<Expr>),
    /// `a ? b : c`.
    Choice(Box<[Expr; 3]>),
    /// `[a, ?b]`.
    List(Vec<Element>),
    /// `{a: b, ?c: d}`.
    Map(Vec<(Expr, Element)>),
    /// `list.all(item, …)` and the like.
    Loop(Box<Loop>),
    /// `value.optMap(name, body)`.
    Bind(Box<Bind>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

/// A function or an operator with what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Operators have names of CEL's own, such as `_+_`.
    pub(super) function: String,
    pub(super) target: Option<Box<Expr>>,
    pub(super) arguments: Vec<Expr>,
}

/// An item of a list, or a value of a map; one that is optional may be left out.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) value: Expr,
    pub(super) is_optional: bool,
}

/// A macro that looks at each item of a list, or at each entry of a map.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    pub(super) what: What,
    pub(super) range: Expr,
    /// The item, or the key; or the position, or the key.
    pub(super) first: String,
    /// With two variables: the item, or the value.
    pub(super) second: Option<String>,
    /// Which items are taken, where a result is made of those.
    pub(super) filter: Option<Expr>,
    pub(super) body: Expr,
}

/// What a loop finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    All,
    Exists,
    ExistsOne,
    /// A list of what the body makes of each item.
    Map,
    /// The items for which the body holds.
    Filter,
    /// A map from each key to what the body makes of its value.
    TransformMap,
}

/// What is in an optional value, with a name; the body is not looked at if there is nothing.
#[derive(Debug, Clone)]
pub(super) struct Bind {
    pub(super) name: String,
    pub(super) value: Expr,
    pub(super) body: Expr,
    pub(super) unwraps: Unwrapped,
}

/// What becomes of the body of a [`Bind`] that looks into an optional value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwrapped {
    /// It becomes optional: `optMap`.
    Wrapped,
    /// It is: `optFlatMap`.
    AsItIs,
}

impl Expr {
    /// A part that is a name and nothing else.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// `a.b.c`, if it is written so.
    pub(super) fn qualified(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select(operand, field) => Some(format!("{}.{field}", operand.qualified()?)),
            _ => None,
        }
    }
}
