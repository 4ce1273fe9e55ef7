//! [`FieldSet`]: a set of paths, held in the form in which `managedFields` carry it, so that stored sets need no translation.
//!
//! - I1: a node without children is a member; a node with children is one if it has the child `.`, too.
//! - I2: every step is written as [`Element::write`] writes it, so that equal steps are equal texts.
//! - I3: the root is no member: nobody owns a whole object.

pub(crate) mod text;

use std::borrow::Cow;

use serde_json::{Map, Value, map::Entry};

use self::text::Change;
use crate::element::{Element, Malformed};

/// The mark of a member with children.
const SELF: &str = ".";

/// A set of paths to fields and items: `fieldsV1`.
#[derive(Debug, Clone)]
pub struct FieldSet(Form);

/// The representation of a set.
#[derive(Debug, Clone)]
enum Form {
    /// As it was stored, until an operation needs the tree.
    Text(String),
    Tree(Map<String, Value>),
}

impl Default for FieldSet {
    fn default() -> Self {
        Self(Form::Tree(Map::new()))
    }
}

impl PartialEq for FieldSet {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Text(one), Form::Text(other)) => one == other, // one set has one form
            _ => self.tree() == other.tree(),
        }
    }
}

impl FieldSet {
    /// Decodes a set that a client sent.
    ///
    /// # Errors
    ///
    /// [`Malformed`], if a step is in no known form. Steps of unknown kinds are left out.
    pub fn decode(fields: &Value) -> Result<Self, Malformed> {
        match fields {
            Value::Null => Ok(Self::default()),
            Value::Object(fields) => decode(fields).map(Self::of),
            _ => Err(Malformed),
        }
    }

    /// Wraps a set that [`FieldSet::write`] wrote.
    pub(crate) fn stored(text: String) -> Self {
        Self(Form::Text(text))
    }

    fn of(tree: Map<String, Value>) -> Self {
        Self(Form::Tree(tree))
    }

    /// Writes the set as `fieldsV1`.
    pub(crate) fn write(&self, text: &mut String) {
        match &self.0 {
            Form::Text(written) => text.push_str(written),
            Form::Tree(tree) => {
                let written = serde_json::to_string(tree).expect("a JSON value can be written");
                text.push_str(&written);
            }
        }
    }

    fn tree(&self) -> Cow<'_, Map<String, Value>> {
        match &self.0 {
            Form::Text(text) => Cow::Owned(read(text)),
            Form::Tree(tree) => Cow::Borrowed(tree),
        }
    }

    fn tree_mut(&mut self) -> &mut Map<String, Value> {
        if let Form::Text(text) = &self.0 {
            *self = Self::of(read(text));
        }
        match &mut self.0 {
            Form::Tree(tree) => tree,
            Form::Text(_) => unreachable!("it was made a tree above"),
        }
    }

    fn into_tree(mut self) -> Map<String, Value> {
        std::mem::take(self.tree_mut())
    }

    /// Returns the set of one path of field names, such as `["spec", "replicas"]`.
    pub fn of_path(path: &[&str]) -> Self {
        let leaf = Map::new();
        Self::of(
            path.iter().rev().fold(leaf, |below, name| {
                Map::from_iter([(crate::element::field(name), Value::Object(below))])
            }),
        )
    }

    /// Returns the set of these paths of field names.
    pub fn of_paths(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        paths.iter().for_each(|path| set.unite(&Self::of_path(path)));
        set
    }

    /// Returns whether the set has no paths.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Text(text) => text == text::NONE,
            Form::Tree(tree) => tree.is_empty(),
        }
    }

    /// Adds `step`, if `is_member`, and the paths `below` it.
    pub(crate) fn insert(&mut self, step: String, is_member: bool, below: Self) {
        if let Some(node) = node(is_member, below.into_tree()) {
            put(self.tree_mut(), step, Value::Object(node));
        }
    }

    /// Adds all paths of `other`.
    pub fn unite(&mut self, other: &Self) {
        self.change(Change::Unite, other);
    }

    /// Adds all paths of `other`, without copying new ones.
    pub(crate) fn take(&mut self, other: Self) {
        match &self.0 {
            Form::Text(_) => self.unite(&other),
            Form::Tree(tree) if tree.is_empty() => *self = other,
            Form::Tree(_) => {
                let mine = self.tree_mut();
                other.into_tree().into_iter().for_each(|(step, theirs)| put(mine, step, theirs));
            }
        }
    }

    /// Removes the paths of `other`; paths below them stay.
    pub fn subtract(&mut self, other: &Self) {
        self.change(Change::Subtract, other);
    }

    fn change(&mut self, change: Change, other: &Self) {
        if other.is_empty() {
            return;
        }
        let other = other.tree();
        match (&mut self.0, change) {
            (Form::Text(text), _) => *text = change.made(text, &other),
            (Form::Tree(tree), Change::Unite) => unite(tree, &other),
            (Form::Tree(tree), Change::Subtract) => subtract(tree, &other),
        }
    }

    /// Removes the paths of `other` with everything below them.
    pub fn subtract_below(&mut self, other: &Self) {
        subtract_below(self.tree_mut(), &other.tree());
    }

    /// Returns the paths that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self::of(intersection(&self.tree(), &other.tree()))
    }

    /// Returns whether `step` is a member.
    pub(crate) fn contains(&self, step: &str) -> bool {
        self.tree().get(step).is_some_and(|node| is_member(children(node)))
    }

    /// Returns the paths below `step`.
    pub(crate) fn below(&self, step: &str) -> Self {
        let mut below = self.tree().get(step).map(|node| children(node).clone()).unwrap_or_default();
        below.remove(SELF);
        Self::of(below)
    }

    /// Returns whether there are paths below `step`.
    pub(crate) fn has_below(&self, step: &str) -> bool {
        self.tree().get(step).is_some_and(|node| has_children(children(node)))
    }

    /// Returns the steps of the first level, and whether each is a member.
    pub(crate) fn steps(&self) -> Vec<(String, bool)> {
        self.tree().iter().map(|(step, node)| (step.clone(), is_member(children(node)))).collect()
    }

    /// Lists all paths as upstream prints them, such as `.spec.containers[name="web"].image`, and in its order: those of a
    /// level before those below it.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        list(&self.tree(), "", &mut paths);
        paths
    }
}

/// Parses a set that [`FieldSet::write`] wrote.
fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Makes a node of children, which is a member or is not; `None` if it is empty.
fn node(is_member: bool, mut children: Map<String, Value>) -> Option<Map<String, Value>> {
    if children.is_empty() {
        return is_member.then_some(children);
    }
    if is_member {
        children.insert(SELF.to_owned(), Value::Object(Map::new()));
    }
    Some(children)
}

fn children(node: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    node.as_object().unwrap_or(&NONE)
}

fn is_member(node: &Map<String, Value>) -> bool {
    node.is_empty() || node.contains_key(SELF) // I1
}

fn has_children(node: &Map<String, Value>) -> bool {
    node.len() > usize::from(node.contains_key(SELF))
}

/// Restores I1 in a node whose children were changed; `false` if it is empty.
fn mark(node: &mut Map<String, Value>, is_member: bool) -> bool {
    if !has_children(node) {
        node.clear();
        return is_member;
    }
    if is_member {
        node.entry(SELF).or_insert_with(|| Value::Object(Map::new()));
    } else {
        node.remove(SELF);
    }
    true
}

fn steps(node: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    node.iter().filter(|(step, _)| *step != SELF)
}

fn unite(into: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (step, theirs) in steps(other) {
        match into.get_mut(step) {
            Some(mine) => unite_node(mine, theirs),
            None => drop(into.insert(step.clone(), theirs.clone())),
        }
    }
}

/// Adds the node of one step, without copying it if the step is new.
fn put(into: &mut Map<String, Value>, step: String, theirs: Value) {
    match into.entry(step) {
        Entry::Occupied(mut mine) => unite_node(mine.get_mut(), &theirs),
        Entry::Vacant(empty) => drop(empty.insert(theirs)),
    }
}

fn unite_node(mine: &mut Value, theirs: &Value) {
    let theirs = children(theirs);
    if let Value::Object(mine) = mine {
        let is_member = is_member(mine) || is_member(theirs);
        unite(mine, theirs);
        mark(mine, is_member);
    }
}

/// Applies `change` to every node that both have, and removes nodes that become empty.
fn reduce(
    from: &mut Map<String, Value>,
    other: &Map<String, Value>,
    change: impl Fn(&mut Map<String, Value>, &Map<String, Value>) -> bool,
) {
    for (step, theirs) in steps(other) {
        let Some(Value::Object(mine)) = from.get_mut(step) else {
            continue;
        };
        if !change(mine, children(theirs)) {
            from.remove(step);
        }
    }
}

fn subtract(from: &mut Map<String, Value>, other: &Map<String, Value>) {
    reduce(from, other, |mine, theirs| {
        let stays = is_member(mine) && !is_member(theirs);
        subtract(mine, theirs);
        mark(mine, stays)
    });
}

fn subtract_below(from: &mut Map<String, Value>, other: &Map<String, Value>) {
    reduce(from, other, |mine, theirs| {
        let stays = is_member(mine);
        if is_member(theirs) {
            return false;
        }
        subtract_below(mine, theirs);
        mark(mine, stays)
    });
}

fn intersection(one: &Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    let both = steps(one).filter_map(|(step, mine)| {
        let (mine, theirs) = (children(mine), children(other.get(step)?));
        let node = node(is_member(mine) && is_member(theirs), intersection(mine, theirs))?;
        Some((step.clone(), Value::Object(node)))
    });
    both.collect()
}

/// Decodes a node that a client wrote, in any notation.
fn decode(fields: &Map<String, Value>) -> Result<Map<String, Value>, Malformed> {
    let mut decoded = FieldSet::default();
    for (step, below) in steps(fields) {
        let Some(element) = Element::parse(step)? else {
            continue;
        };
        let Value::Object(below) = below else {
            return Err(Malformed);
        };
        let children = decode(below)?;
        let is_member = below.contains_key(SELF) || children.is_empty();
        decoded.insert(element.write(), is_member, FieldSet::of(children));
    }
    Ok(decoded.into_tree())
}

fn list(node: &Map<String, Value>, before: &str, paths: &mut Vec<String>) {
    let mut sorted: Vec<(Element, &Map<String, Value>)> =
        steps(node).filter_map(|(step, node)| Some((Element::parse(step).ok()??, children(node)))).collect();
    sorted.sort_by(|(one, _), (other, _)| one.order(other));
    let members = sorted.iter().filter(|(_, node)| is_member(node));
    paths.extend(members.map(|(element, _)| format!("{before}{element}")));
    for (element, node) in sorted {
        list(node, &format!("{before}{element}"), paths);
    }
}

#[cfg(test)]
#[path = "set/tests.rs"]
mod tests;
