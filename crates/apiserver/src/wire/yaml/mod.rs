//! YAML as upstream reads it: sigs.k8s.io/yaml over yaml.v2, which is YAML 1.1 in the words that stand for booleans and
//! numbers (`on`, `0755`, `1_000`), reads one document, lets a merge key overwrite what stands before it, and makes JSON
//! of the result.

mod resolve;
mod write;

pub(crate) use self::write::write;
use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use self::resolve::Resolved;

/// The largest depth of maps and lists; objects have a smaller limit.
const DEEPEST: usize = 400;

/// A document that was read.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Which keys are set twice, each as upstream tells it.
    pub(crate) twice: Vec<String>,
}

/// Reads the first document of a text; null if there is none.
///
/// # Errors
///
/// Why the text is no YAML, or has no form in JSON. It begins with `yaml: ` where upstream's does.
pub(crate) fn read(text: &str) -> Result<Document, String> {
    let mut reader = Reader::new(text);
    Ok(reader.document()?.unwrap_or_default())
}

/// Reads all documents of a text.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_all(text: &str) -> Result<Vec<Value>, String> {
    let mut reader = Reader::new(text);
    let mut documents = Vec::new();
    while let Some(document) = reader.document()? {
        documents.push(document.value);
    }
    Ok(documents)
}

/// A node of a document, whose children are named by their positions among all nodes.
#[derive(Debug)]
enum Node {
    Scalar { text: String, tag: String, is_plain: bool },
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
    Alias(usize),
}

/// A node and its line, counted from 1.
#[derive(Debug)]
struct Placed {
    node: Node,
    line: usize,
}

/// A text's documents, one after the other.
struct Reader<'t> {
    text: &'t str,
    events: Parser<'t, StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, events: Parser::new_from_str_with_options(text, Options::default()) }
    }

    /// The next document.
    fn document(&mut self) -> Result<Option<Document>, String> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::DocumentStart(..), _)) => break,
                Some(_) => {}
            }
        }
        let mut tree = Tree::default();
        let root = self.node(&mut tree, 0)?;
        let mut converter =
            Converter { tree: &tree, open: Vec::new(), steps: Steps::default(), twice: Vec::new() };
        let value = match root {
            Some(root) => converter.value(root)?,
            None => Value::Null,
        };
        Ok(Some(Document { value, twice: converter.twice }))
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, String> {
        self.events.next_event().transpose().map_err(|error| syntax(&error, self.text))
    }

    /// The next node with all that is in it; `None` at the end of what is around it.
    fn node(&mut self, tree: &mut Tree, depth: usize) -> Result<Option<usize>, String> {
        if depth > DEEPEST {
            return Err("yaml: exceeded max depth of 10000".to_owned());
        }
        loop {
            let Some((event, span)) = self.next()? else { return Ok(None) };
            let line = span.start.line();
            let place = tree.nodes.len();
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let is_plain = style == ScalarStyle::Plain;
                    let tag = tag.map(|tag| short(&tag)).unwrap_or_default();
                    let (tag, is_plain) = if tag == "!" { (String::new(), false) } else { (tag, is_plain) };
                    tree.add(Node::Scalar { text: text.into_owned(), tag, is_plain }, line, anchor);
                }
                Event::Alias(anchor) => {
                    let Some(target) = tree.anchors.get(&anchor).copied() else {
                        return Err("yaml: unknown anchor referenced".to_owned());
                    };
                    tree.add(Node::Alias(target), line, 0);
                }
                Event::SequenceStart(_, anchor, _) => {
                    tree.add(Node::List(Vec::new()), line, anchor);
                    let mut items = Vec::new();
                    while let Some(item) = self.node(tree, depth + 1)? {
                        items.push(item);
                    }
                    tree.nodes[place].node = Node::List(items);
                }
                Event::MappingStart(_, anchor, _) => {
                    tree.add(Node::Map(Vec::new()), line, anchor);
                    let mut entries = Vec::new();
                    while let Some(key) = self.node(tree, depth + 1)? {
                        let Some(value) = self.node(tree, depth + 1)? else { break };
                        entries.push((key, value));
                    }
                    tree.nodes[place].node = Node::Map(entries);
                }
                Event::SequenceEnd | Event::MappingEnd | Event::DocumentEnd | Event::StreamEnd => {
                    return Ok(None);
                }
                _ => continue, // comments and the like
            }
            return Ok(Some(place));
        }
    }
}

/// The nodes of a document.
#[derive(Default)]
struct Tree {
    nodes: Vec<Placed>,
    anchors: HashMap<usize, usize>,
}

impl Tree {
    /// Adds a node; anchors are numbered from 1.
    fn add(&mut self, node: Node, line: usize, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, self.nodes.len());
        }
        self.nodes.push(Placed { node, line });
    }
}

/// The count of steps, which keeps a few aliases of aliases from becoming a document that no memory holds.
#[derive(Default)]
struct Steps {
    all: u32,
    in_aliases: u32,
    aliases: u32,
}

impl Steps {
    /// Returns whether upstream would go on.
    fn are_few(&self) -> bool {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        let all = f64::from(self.all);
        let allowed = match all {
            _ if all <= LOW => 0.99,
            _ if all >= HIGH => 0.10,
            _ => 0.99 - 0.89 * ((all - LOW) / (HIGH - LOW)),
        };
        self.in_aliases <= 100 || self.all <= 1_000 || f64::from(self.in_aliases) / all <= allowed
    }
}

/// Makes JSON of nodes.
struct Converter<'t> {
    tree: &'t Tree,
    /// The targets of aliases around the present place.
    open: Vec<usize>,
    steps: Steps,
    twice: Vec<String>,
}

impl Converter<'_> {
    fn value(&mut self, place: usize) -> Result<Value, String> {
        self.count()?;
        match &self.tree.nodes[place].node {
            Node::Scalar { text, tag, is_plain } => {
                let resolved = resolve::resolve(tag, text, *is_plain)?;
                resolved.into_json().map_err(|because| format!("json: unsupported value: {because}"))
            }
            Node::List(items) => items.iter().map(|item| self.value(*item)).collect(),
            Node::Map(entries) => {
                let mut fields = Map::new();
                self.fill(entries, &mut fields)?;
                Ok(Value::Object(fields))
            }
            Node::Alias(target) => self.aliased(*target, |this| this.value(*target)),
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.steps.all += 1;
        self.steps.in_aliases += u32::from(self.steps.aliases > 0);
        if self.steps.are_few() {
            Ok(())
        } else {
            Err("yaml: document contains excessive aliasing".to_owned())
        }
    }

    fn aliased<T>(
        &mut self,
        target: usize,
        read: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.open.contains(&target) || self.open.len() > DEEPEST {
            return Err("yaml: anchor value contains itself".to_owned());
        }
        self.open.push(target);
        self.steps.aliases += 1;
        let read = read(self);
        self.steps.aliases -= 1;
        self.open.pop();
        read
    }

    fn fill(&mut self, entries: &[(usize, usize)], fields: &mut Map<String, Value>) -> Result<(), String> {
        for (key, value) in entries {
            if self.is_merge(*key) {
                self.merge(*value, fields)?;
                continue;
            }
            let (key, shown) = self.key(*key)?;
            let line = self.tree.nodes[*value].line;
            let value = self.value(*value)?;
            if fields.insert(key, value).is_some() {
                self.twice.push(format!("line {line}: key {shown} already set in map"));
            }
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        match &self.tree.nodes[key].node {
            Node::Scalar { text, tag, is_plain } => {
                text == "<<" && (*is_plain && tag.is_empty() || tag == "!!merge")
            }
            _ => false,
        }
    }

    /// Adds the fields of a map, or of each map of a list: the first of them counts.
    fn merge(&mut self, place: usize, fields: &mut Map<String, Value>) -> Result<(), String> {
        let tree = self.tree;
        let unfit = || "yaml: map merge requires map or sequence of maps as the value".to_owned();
        match &tree.nodes[place].node {
            Node::Map(entries) => {
                self.count()?;
                self.fill(entries, fields)
            }
            Node::Alias(target) if matches!(tree.nodes[*target].node, Node::Map(_)) => {
                self.aliased(*target, |this| this.merge(*target, fields))
            }
            Node::List(items) => items.iter().rev().try_for_each(|item| match &tree.nodes[*item].node {
                Node::Map(_) | Node::Alias(_) => self.merge(*item, fields),
                Node::Scalar { .. } | Node::List(_) => Err(unfit()),
            }),
            Node::Scalar { .. } | Node::Alias(_) => Err(unfit()),
        }
    }

    /// A key as text, and as Go shows it.
    fn key(&mut self, place: usize) -> Result<(String, String), String> {
        self.count()?;
        match &self.tree.nodes[place].node {
            Node::Scalar { text, tag, is_plain } => match resolve::resolve(tag, text, *is_plain)? {
                Resolved::Text(text) => {
                    let shown = format!("{text:?}");
                    Ok((text, shown))
                }
                Resolved::Null => Err("unsupported map key of type: %!s(<nil>)".to_owned()),
                other => {
                    let key = other.as_key();
                    Ok((key.clone(), key))
                }
            },
            Node::Alias(target) => self.aliased(*target, |this| this.key(*target)),
            Node::List(_) | Node::Map(_) => Err("yaml: invalid map key".to_owned()),
        }
    }
}

/// A tag as `!!int`, `!own`, or `!` for the one without a name.
fn short(tag: &Tag) -> String {
    let long = format!("{}{}", tag.handle(), tag.suffix());
    match long.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => format!("!!{name}"),
        None => long,
    }
}

/// Returns the scanner's error, in upstream's words where they are known.
fn syntax(error: &ScanError, text: &str) -> String {
    let info = error.info();
    if info.contains("unknown anchor") {
        let line = text.lines().nth(error.marker().line().saturating_sub(1)).unwrap_or_default();
        let name = line.rsplit_once('*').map_or("", |(_, rest)| rest);
        let name = name.split([' ', ',', ']', '}']).next().unwrap_or_default();
        return format!("yaml: unknown anchor '{name}' referenced");
    }
    let told = match info.split_once(", ") {
        Some((context, told)) if context.starts_with("while ") => told,
        _ if info.starts_with("unexpected character") || info.starts_with("tabs disallowed") => {
            "found character that cannot start any token"
        }
        _ => &info,
    };
    format!("yaml: line {}: {told}", error.marker().line())
}

#[cfg(test)]
mod tests;
