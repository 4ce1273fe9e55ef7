//! The types of the built-in kinds, read from the lines that `cargo xtask codegen openapi` wrote.
//!
//! ```text
//! api.core.v1.ContainerPort struct
//!  containerPort! integer:int32 =0
//!  protocol string ="TCP"
//! api.core.v1.PodSpec struct
//!  containers! [api.core.v1.Container] list(map:name) patch(merge:name)
//!  nodeSelector {string} map(atomic)
//! ```
//!
//! `!` is a required field, `[]` a list, `{}` a map, `=` a default. Of a field that Go's struct holds by value, `go(omit)`
//! says that its zero value is left out, and `go(zero)` that it is written; `go(null)` is an optional field that is written as
//! null if it is not set. At first only the names are looked at; a type is read when somebody asks for it.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use super::node::{Form, List, Node, PatchRule, Scalar, ZeroValue};

const TEXT: &str = include_str!("builtin.txt");
const MICRO_TIME: &str = "apimachinery.pkg.apis.meta.v1.MicroTime";

static TYPES: LazyLock<Types> = LazyLock::new(|| Types::index(TEXT));

/// All types.
#[derive(Debug)]
struct Types {
    all: Vec<Definition>,
    by_name: HashMap<&'static str, usize>,
    /// By kind; most names are those of one group and version.
    by_kind: HashMap<&'static str, Vec<usize>>,
}

/// A type that has a name.
#[derive(Debug)]
struct Definition {
    name: &'static str,
    /// `apps/v1/Deployment`, for those that have a kind.
    kind: Option<&'static str>,
    lines: &'static str,
    node: OnceLock<Node>,
}

/// Returns the type of a kind's objects.
pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Option<&'static Node> {
    position_of_kind(group, version, kind).map(definition)
}

/// Returns the position of the type of a kind's objects.
pub(crate) fn position_of_kind(group: &str, version: &str, kind: &str) -> Option<usize> {
    let is_it = |position: &usize| {
        let found = TYPES.all.get(*position).and_then(|definition| definition.kind);
        found.is_some_and(|found| found.split('/').eq([group, version, kind]))
    };
    TYPES.by_kind.get(kind)?.iter().copied().find(is_it)
}

/// Where the type of all objects' metadata is among the types.
pub(crate) fn metadata_position() -> usize {
    *TYPES.by_name.get(super::prose::METADATA).expect("the table has a type for metadata")
}

/// The type at that position.
pub(crate) fn definition(position: usize) -> &'static Node {
    let definition = TYPES.all.get(position).expect("positions come from the table");
    definition.node.get_or_init(|| definition.read())
}

/// Where the type of that name is among the types.
pub(crate) fn position(name: &str) -> Option<usize> {
    TYPES.by_name.get(name).copied()
}

/// How many types there are.
pub(crate) fn count() -> usize {
    TYPES.all.len()
}

/// The name of the type at that position, such as `api.core.v1.PodSpec`.
pub(crate) fn name(position: usize) -> &'static str {
    TYPES.all.get(position).map_or("", |definition| definition.name)
}

/// The group, the version and the kind of the type at that position, if its objects have a kind.
pub(crate) fn kind(position: usize) -> Option<[&'static str; 3]> {
    let mut words = TYPES.all.get(position)?.kind?.split('/');
    Some([words.next()?, words.next()?, words.next()?])
}

impl Types {
    fn index(text: &'static str) -> Self {
        let mut types = Self { all: Vec::new(), by_name: HashMap::new(), by_kind: HashMap::new() };
        let mut rest = text.split_once('\n').map_or("", |(_heading, rest)| rest);
        while !rest.is_empty() {
            let end = Self::end(rest);
            let (lines, after) = rest.split_at(end);
            rest = after;
            let heading = lines.lines().next().unwrap_or_default();
            let name = heading.split(' ').next().unwrap_or_default();
            let kind = heading.split_once(" kind(").and_then(|(_, kind)| kind.split(')').next());
            let position = types.all.len();
            types.by_name.insert(name, position);
            if let Some(kind) = kind {
                types.by_kind.entry(kind.rsplit('/').next().unwrap_or_default()).or_default().push(position);
            }
            types.all.push(Definition { name, kind, lines, node: OnceLock::new() });
        }
        types
    }

    /// Where the first type of `text` ends: before the first line that is not indented.
    fn end(text: &str) -> usize {
        let ends = text.match_indices('\n').map(|(place, _)| place + 1);
        ends.into_iter().find(|place| !text[*place..].starts_with(' ')).unwrap_or(text.len())
    }
}

impl Definition {
    fn read(&self) -> Node {
        let mut lines = self.lines.lines();
        let heading = lines.next().unwrap_or_default();
        let mut node = Reader(heading.split_once(' ').map_or("", |(_, rest)| rest)).node();
        if self.name == MICRO_TIME {
            node.form = Form::Scalar(Scalar::MicroTime);
        }
        node.set_fields(lines.filter_map(|line| {
            let (name, rest) = line.trim_start().split_once(' ')?;
            let (name, required) = match name.strip_suffix('!') {
                Some(name) => (name, true),
                None => (name, false),
            };
            Some((name, Node { required, ..Reader(rest).node() }))
        }));
        node.name = Some(self.name);
        node
    }
}

/// The rest of a line.
struct Reader(&'static str);

impl Reader {
    /// A type and its attributes, up to the end of the line or of the brackets.
    fn node(&mut self) -> Node {
        let mut node = self.form();
        while let Some(rest) = self.0.strip_prefix(' ') {
            self.0 = rest;
            self.attribute(&mut node);
        }
        node
    }

    fn form(&mut self) -> Node {
        for (open, form) in [('[', Form::List), ('{', Form::Map)] {
            if let Some(rest) = self.0.strip_prefix(open) {
                self.0 = rest;
                let items = self.node();
                self.0 = self.0.get(1..).unwrap_or_default(); // the closing bracket
                return Node { items: Some(Box::new(items)), ..Node::new(form) };
            }
        }
        let word = self.until([' ', ']', '}']);
        let scalar = |scalar| Node::new(Form::Scalar(scalar));
        match word {
            "struct" => Node::new(Form::Struct),
            "object" => Node { preserves_unknown: true, ..Node::new(Form::Any) },
            "any" => Node::new(Form::Any),
            "string" => scalar(Scalar::String),
            "string:byte" => scalar(Scalar::Bytes),
            "string:date-time" => scalar(Scalar::Time),
            "integer:int32" => scalar(Scalar::Int32),
            "integer:int64" => scalar(Scalar::Int64),
            "number:double" => scalar(Scalar::Number),
            "boolean" => scalar(Scalar::Boolean),
            "int-or-string" => scalar(Scalar::IntOrString),
            "quantity" => scalar(Scalar::Quantity),
            name => Node::named(*TYPES.by_name.get(name).expect("the table names no type that it lacks")),
        }
    }

    fn attribute(&mut self, node: &mut Node) {
        if let Some(default) = self.0.strip_prefix('=') {
            self.0 = "";
            node.default = serde_json::from_str(default).ok();
            return;
        }
        let word = self.until(['(']);
        self.0 = self.0.get(1..).unwrap_or_default();
        let content = self.until([')']);
        self.0 = self.0.get(1..).unwrap_or_default();
        let (first, names) = content.split_once(':').unwrap_or((content, ""));
        let owned = || names.split(',').map(str::to_owned).collect();
        match (word, first) {
            ("list", "map") => node.list = Some(List::Map(owned())),
            ("list", "set") => node.list = Some(List::Set),
            ("list", _) => node.list = Some(List::Atomic),
            ("map", "atomic") => node.atomic = Some(true),
            ("map", _) => node.atomic = Some(false),
            ("go", "omit") => node.zero = ZeroValue::LeftOut,
            ("go", "null") => node.zero = ZeroValue::Null,
            ("go", _) => node.zero = ZeroValue::Written,
            ("enum", _) => node.choices = content.split(',').map(str::to_owned).collect(),
            ("patch", strategies) => {
                let has = |wanted| strategies.split(',').any(|strategy| strategy == wanted);
                node.patch = Some(PatchRule {
                    merges: has("merge"),
                    retains_keys: has("retainKeys"),
                    replaces: has("replace"),
                    key: (!names.is_empty()).then(|| names.to_owned()),
                });
            }
            _ => {} // the kind, which the index has
        }
    }

    /// Takes the text before the first of `ends`, or all of it.
    fn until<const N: usize>(&mut self, ends: [char; N]) -> &'static str {
        let (word, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_can_be_read_and_says_what_its_line_says() {
        let total = TEXT.lines().skip(1).filter(|line| !line.starts_with(' ')).count();
        assert_eq!(TYPES.all.len(), total);
        let fields: usize = (0..total).map(|position| definition(position).fields.len()).sum();
        assert_eq!(fields, TEXT.lines().filter(|line| line.starts_with(' ')).count());
        let without_form = (0..total).find(|position| definition(*position).named.is_some());
        assert_eq!(without_form, None, "a named type says itself what it is");
    }
}
