//! [`Table`]: how each type of the built-in kinds is written: facts of upstream's, in `wire.txt`.
//!
//! A line names a type and the kinds that it is, and an indented one a field of it: its number, its name in JSON
//! (`^`: the fields within stand in the owner itself), and its form. `[x]` is a list, `{x}` a map by strings, `x?` may be
//! absent, and `x!` is shown even when it is zero.

use std::{collections::HashMap, sync::LazyLock};

/// All types.
#[derive(Debug)]
pub(super) struct Table {
    messages: Vec<Vec<Field>>,
    by_name: HashMap<&'static str, usize>,
    /// By `version/Kind` or `group/version/Kind`.
    kinds: HashMap<&'static str, usize>,
}

/// A field of a type.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// The name in JSON; `None` if what is within stands in the owner itself.
    pub(super) name: Option<&'static str>,
    pub(super) form: Form,
    /// Whether a zero says something.
    pub(super) keeps_zero: bool,
}

/// How a value is written.
#[derive(Debug)]
pub(super) enum Form {
    String,
    Bool,
    Int,
    Double,
    Bytes,
    Time,
    MicroTime,
    Duration,
    Quantity,
    IntOrString,
    /// JSON's own text.
    Json,
    /// A message with a list of strings.
    Strings,
    /// The alternatives in an OpenAPI schema.
    SchemaOrArray,
    SchemaOrBool,
    SchemaOrStrings,
    /// A message of this type.
    Message(usize),
    List(Box<Form>),
    Map(Box<Form>),
}

/// The table, read when it is first asked for.
pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("wire.txt")));
    &TABLE
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let heads = lines().filter(|line| !line.starts_with(' ')).enumerate();
        let (mut by_name, mut kinds) = (HashMap::new(), HashMap::new());
        for (position, head) in heads {
            let mut words = head.split(' ');
            by_name.insert(words.next().unwrap_or_default(), position);
            kinds.extend(words.map(|kind| (kind, position)));
        }
        let mut messages: Vec<Vec<Field>> = Vec::with_capacity(by_name.len());
        for line in lines() {
            match line.strip_prefix(' ') {
                None => messages.push(Vec::new()),
                Some(field) => {
                    let message = messages.last_mut().expect("a type stands before its fields");
                    message.push(Field::parse(field, &by_name).expect("the file is written by a program"));
                }
            }
        }
        Self { messages, by_name, kinds }
    }

    /// The type of a kind.
    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<usize> {
        // One type for all groups, each of which calls it its own.
        let api_version = if kind == "DeleteOptions" { "v1" } else { api_version };
        self.kinds.get(&*format!("{api_version}/{kind}")).copied()
    }

    /// A type by its name, which stands in the file.
    pub(super) fn named(&self, name: &str) -> usize {
        self.by_name[name]
    }

    /// The fields of a type, in the order of their numbers.
    pub(super) fn fields(&self, message: usize) -> &[Field] {
        &self.messages[message]
    }

    pub(super) fn field(&self, message: usize, number: u32) -> Option<&Field> {
        self.messages[message].iter().find(|field| field.number == number)
    }
}

impl Field {
    fn parse(line: &'static str, types: &HashMap<&str, usize>) -> Option<Self> {
        let mut words = line.split(' ');
        let number = words.next()?.parse().ok()?;
        let name = words.next().filter(|name| *name != "^");
        let code = words.next()?;
        let bare = code.trim_end_matches(['?', '!']);
        Some(Self { number, name, form: Form::parse(bare, types)?, keeps_zero: bare != code })
    }
}

impl Form {
    fn parse(code: &str, types: &HashMap<&str, usize>) -> Option<Self> {
        let within = |open, close| code.strip_prefix(open).and_then(|code: &str| code.strip_suffix(close));
        if let Some(element) = within('[', ']') {
            return Self::parse(element, types).map(|form| Self::List(Box::new(form)));
        }
        if let Some(element) = within('{', '}') {
            return Self::parse(element, types).map(|form| Self::Map(Box::new(form)));
        }
        Some(match code {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "Time" => Self::Time,
            "MicroTime" => Self::MicroTime,
            "Duration" => Self::Duration,
            "Quantity" => Self::Quantity,
            "IntOrString" => Self::IntOrString,
            "Json" => Self::Json,
            "Strings" => Self::Strings,
            "SchemaOrArray" => Self::SchemaOrArray,
            "SchemaOrBool" => Self::SchemaOrBool,
            "SchemaOrStrings" => Self::SchemaOrStrings,
            name => Self::Message(*types.get(name)?),
        })
    }
}
