//! [`Expr`]: an expression as it was written, with its macros recognised.

/// A part of an expression.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    /// Its number in the expression: what is found out about it is kept under this.
    pub(crate) id: usize,
    /// Where its operator, or else it, stands: a position among the characters of the source.
    pub(crate) at: usize,
    /// How many parts stand in each other in it.
    pub(crate) depth: usize,
    pub(crate) kind: Kind,
}

/// The kind of a part.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
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
    /// A name for a value that a macro uses twice.
    Let(Box<Let>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
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
pub(crate) struct Call {
    /// Operators have names of CEL's own, such as `_+_`.
    pub(crate) function: String,
    pub(crate) target: Option<Box<Expr>>,
    pub(crate) arguments: Vec<Expr>,
}

/// An item of a list, or a value of a map; one that is optional may be left out.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) value: Expr,
    pub(crate) is_optional: bool,
}

/// A macro that looks at each item of a list, or at each entry of a map.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    pub(crate) what: What,
    pub(crate) range: Expr,
    /// The item, or the key; or the position, or the key.
    pub(crate) first: String,
    /// With two variables: the item, or the value.
    pub(crate) second: Option<String>,
    /// The condition on the items that a result is made of.
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Expr,
}

/// The result of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    All,
    Exists,
    ExistsOne,
    /// A list of what the body makes of each item.
    Map,
    /// The items for which the body holds.
    Filter,
    /// A map from each key to what the body makes of its value.
    TransformMap,
    /// The map of all entries of the maps that the body makes.
    TransformMapEntry,
}

/// The value inside of an optional value under a name; the body is evaluated only if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Bind {
    pub(crate) name: String,
    pub(crate) value: Expr,
    pub(crate) body: Expr,
    pub(crate) unwraps: Unwrapped,
}

/// The use of a [`Bind`]'s body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwrapped {
    /// It becomes optional: `optMap`.
    Wrapped,
    /// It is: `optFlatMap`.
    AsItIs,
}

/// A name for a value in a body. The value is evaluated when the name is first used.
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) name: String,
    pub(crate) value: Expr,
    pub(crate) body: Expr,
}

impl Expr {
    /// Returns the parts of this expression, in the order of the source.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) => Vec::new(),
            Kind::Select(operand, _) | Kind::OptionalSelect(operand, _) | Kind::Has(operand, _) => {
                vec![operand]
            }
            Kind::Call(call) => call.target.as_deref().into_iter().chain(&call.arguments).collect(),
            Kind::And(parts) | Kind::Or(parts) => parts.iter().collect(),
            Kind::Choice(parts) => parts.iter().collect(),
            Kind::List(elements) => elements.iter().map(|element| &element.value).collect(),
            Kind::Map(entries) => entries.iter().flat_map(|(key, element)| [key, &element.value]).collect(),
            Kind::Loop(over) => [&over.range].into_iter().chain(&over.filter).chain([&over.body]).collect(),
            Kind::Bind(bind) => vec![&bind.value, &bind.body],
            Kind::Let(bound) => vec![&bound.value, &bound.body],
        }
    }

    /// A part that is a name and nothing else.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the text of a constant.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(Literal::String(text)) => Some(text),
            _ => None,
        }
    }

    /// `a.b.c`, if it is written so.
    pub(crate) fn qualified(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select(operand, field) => Some(format!("{}.{field}", operand.qualified()?)),
            _ => None,
        }
    }
}
