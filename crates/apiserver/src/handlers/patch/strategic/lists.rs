//! How a strategic merge patch changes lists, and where their items end up. Items are found by an index: a body may
//! hold 60,000 of them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use trimtab_schema::{PatchRule, Schema};

use super::{PATCH, Result, StrategicError, map, unknown, without_directives};
use crate::api::object::in_go;

/// The change of a list by a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListRule<'a> {
    /// The patch's list takes its place.
    Atomic,
    /// Items with the same value of this property are merged.
    ByKey(&'a str),
    /// A set of plain values, to which the patch adds.
    Set,
}

impl<'a> ListRule<'a> {
    pub(super) fn of(schema: Option<Schema<'a>>) -> Self {
        match schema.and_then(|schema| schema.patch()) {
            Some(PatchRule { merges: true, key: Some(key), .. }) => Self::ByKey(key),
            Some(PatchRule { merges: true, key: None, .. }) => Self::Set,
            _ => Self::Atomic,
        }
    }

    /// Whether two items are the same one, in two states.
    fn same(self, one: &Value, other: &Value) -> bool {
        match self {
            Self::ByKey(key) => one.get(key) == other.get(key),
            Self::Atomic | Self::Set => one == other,
        }
    }

    /// A text that two items share if they are the same one, in two states.
    fn mark(self, item: &Value) -> Option<String> {
        match self {
            Self::ByKey(key) => item.get(key).map(Value::to_string),
            Self::Atomic | Self::Set => Some(item.to_string()),
        }
    }

    /// Where the items of a list are.
    fn places(self, list: &[Value]) -> Places {
        let mut places = Places(HashMap::with_capacity(list.len()));
        list.iter().enumerate().for_each(|(at, item)| places.add(self.mark(item), at));
        places
    }

    /// Refuses items without the property that tells them apart.
    pub(super) fn check_keys(self, items: &[Value]) -> Result<()> {
        let Self::ByKey(key) = self else { return Ok(()) };
        match items.iter().find(|item| item.get(key).is_none()) {
            Some(item) => Err(StrategicError::NoMergeKey(in_go(item), key.to_owned())),
            None => Ok(()),
        }
    }
}

/// The place of each item of a list; of twins, that of the first.
struct Places(HashMap<Option<String>, usize>);

impl Places {
    fn add(&mut self, mark: Option<String>, at: usize) {
        self.0.entry(mark).or_insert(at);
    }

    fn of(&self, mark: &Option<String>) -> Option<usize> {
        self.0.get(mark).copied()
    }
}

/// Merges `patch` into a list of the type `schema`. Its items then stand in the order of the patch, or in `order`.
pub(super) fn merge_list(
    target: &mut Value,
    patch: &[Value],
    order: Option<&[Value]>,
    schema: Option<Schema<'_>>,
) -> Result<()> {
    let rule = ListRule::of(schema);
    if !target.is_array() || rule == ListRule::Atomic {
        *target = Value::Array(Vec::new());
    }
    let list = target.as_array_mut().expect("made a list above");
    let before = list.clone();
    match rule {
        ListRule::Atomic => {
            list.extend(patch.iter().map(without_directives));
            return Ok(());
        }
        ListRule::Set => {
            let present = rule.places(&before);
            list.extend(patch.iter().filter(|value| present.of(&rule.mark(value)).is_none()).cloned());
            reorder(list, patch, &before, rule);
        }
        ListRule::ByKey(key) => keyed(list, patch, key, schema.and_then(|schema| schema.items()))?,
    }
    if let Some(order) = order {
        rule.check_keys(order)?;
        check_order(patch, order, rule)?;
        reorder(list, order, &before, rule);
    }
    Ok(())
}

fn keyed(list: &mut Vec<Value>, patch: &[Value], key: &str, schema: Option<Schema<'_>>) -> Result<()> {
    if !patch.iter().chain(&*list).all(Value::is_object) {
        let all: Vec<String> =
            [&*list, patch].iter().map(|part| in_go(&Value::Array(part.to_vec()))).collect();
        return Err(StrategicError::MixedList(all.join(" ")));
    }
    let before = list.clone();
    let rule = ListRule::ByKey(key);
    let mut replaces = false;
    let mut plain: Vec<Value> = Vec::new();
    let mut deleted = HashSet::new();
    for item in patch {
        let fields = item.as_object().expect("checked above");
        match fields.get(PATCH).map(|word| (word, word.as_str().unwrap_or_default())) {
            None => plain.push(item.clone()),
            Some((_, "replace")) => replaces = true,
            Some((_, "delete")) => {
                rule.check_keys(std::slice::from_ref(item))?;
                deleted.insert(rule.mark(item));
            }
            Some((_, "merge")) => return Err(StrategicError::MergeInList),
            Some((word, _)) => return Err(unknown(word, fields)),
        }
    }
    if replaces {
        *list = plain.iter().map(without_directives).collect();
        return Ok(());
    }
    if !deleted.is_empty() {
        list.retain(|existing| !deleted.contains(&rule.mark(existing)));
    }
    rule.check_keys(&plain)?;
    let mut places = rule.places(list);
    for item in &plain {
        let place = places.of(&rule.mark(item)).unwrap_or_else(|| {
            list.push(Value::Object(Map::new()));
            list.len() - 1
        });
        map(&mut list[place], item.as_object().expect("checked above"), schema)?;
        places.add(rule.mark(&list[place]), place);
    }
    reorder(list, &plain, &before, rule);
    Ok(())
}

/// Refuses a patch whose items do not stand as its own order wants them.
fn check_order(patch: &[Value], order: &[Value], rule: ListRule<'_>) -> Result<()> {
    let mut rest = order.iter();
    let kept = patch.iter().filter(|item| item.get(PATCH).is_none());
    for item in kept {
        if !rest.any(|wanted| rule.same(wanted, item)) {
            let [patch, order] = [patch, order].map(|items| in_go(&Value::Array(items.to_vec())));
            return Err(StrategicError::OtherOrder(patch, order));
        }
    }
    Ok(())
}

/// Puts the items that `order` names into that order. The others keep theirs, and each comes before the first of the
/// named ones that it stood in front of, if it was in front of the one that is next.
pub(super) fn reorder(list: &mut Vec<Value>, order: &[Value], before: &[Value], rule: ListRule<'_>) {
    let (order, before) = (rule.places(order), rule.places(before));
    // Each item with its place in the new order and with the one that it had.
    let placed = std::mem::take(list).into_iter().map(|item| {
        let mark = rule.mark(&item);
        (order.of(&mark), before.of(&mark), item)
    });
    let (mut named, mut others): (Vec<_>, Vec<_>) = placed.partition(|(place, ..)| place.is_some());
    named.sort_by_key(|(place, ..)| *place);
    others.sort_by_key(|(_, before, _)| *before);
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    while let (Some((_, one, _)), Some((_, other, _))) = (named.peek(), others.peek()) {
        let is_others_turn = one.zip(*other).is_some_and(|(named, other)| other < named);
        let next = if is_others_turn { others.next() } else { named.next() };
        list.extend(next.map(|(.., item)| item));
    }
    list.extend(named.chain(others).map(|(.., item)| item));
}
