//! [`Comparison`]: the differences between two states of an object, as sets of paths. Equal parts are compared once and
//! not walked through.

use serde_json::{Map, Value};

use crate::{
    element::{field, same},
    set::FieldSet,
    typed::{Shape, Type},
    typedef::ListType,
};

/// The changed paths of an object. No path is in two of the sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Paths that the new state lacks.
    pub removed: FieldSet,
    /// Paths with another value.
    pub modified: FieldSet,
    /// Paths that the old state lacks.
    pub added: FieldSet,
}

/// The change of one value, and of its parts.
#[derive(Debug, Default)]
struct Part {
    own: Option<Change>,
    below: Comparison,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Removed,
    Modified,
    Added,
}

impl Comparison {
    /// Compares two states of an object.
    pub fn of(kind: Type<'_>, old: &Value, new: &Value) -> Self {
        compare(kind, Some(old), Some(new)).below
    }

    /// Removes `fields` and the paths below them.
    #[must_use]
    pub fn without(mut self, fields: &FieldSet) -> Self {
        for set in [&mut self.removed, &mut self.modified, &mut self.added] {
            set.subtract_below(fields);
        }
        self
    }

    /// Returns the paths that have a value now which they did not have before: modified and added.
    #[must_use]
    pub fn written(mut self) -> FieldSet {
        self.added.take(self.modified);
        self.added
    }

    /// Returns whether the states are equal.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    fn insert(&mut self, step: impl Fn() -> String, part: Part) {
        let Part { own, below } = part;
        for (set, change, below) in [
            (&mut self.removed, Change::Removed, below.removed),
            (&mut self.modified, Change::Modified, below.modified),
            (&mut self.added, Change::Added, below.added),
        ] {
            if own == Some(change) || !below.is_empty() {
                set.insert(step(), own == Some(change), below);
            }
        }
    }
}

fn compare(kind: Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Part {
    if let (Some(old), Some(new)) = (old, new)
        && same(old, new)
    {
        return Part::default();
    }
    let shapes = (old.map(|old| kind.shape(old)), new.map(|new| kind.shape(new)));
    match shapes {
        (Some(before), Some(after)) if before != after => {
            // One value became many, or the other way round: both changes count.
            let one = compare_as(before, kind, old, new);
            let mut both = compare_as(after, kind, old, new);
            both.below.removed.take(one.below.removed);
            both.below.modified.take(one.below.modified);
            both.below.added.take(one.below.added);
            Part { own: both.own.or(one.own), below: both.below }
        }
        (_, Some(shape)) | (Some(shape), None) => compare_as(shape, kind, old, new),
        (None, None) => Part::default(),
    }
}

fn compare_as(shape: Shape<'_>, kind: Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Part {
    let own = match (old, new) {
        (None, _) => Some(Change::Added),
        (_, None) => Some(Change::Removed),
        _ => None,
    };
    let leaf = Part { own: own.or(Some(Change::Modified)), below: Comparison::default() };
    let below = match shape {
        Shape::Leaf => return leaf,
        Shape::Fields => {
            let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
            if [old, new].iter().all(|side| side.is_none_or(Map::is_empty)) {
                return leaf; // an empty object differs from none
            }
            compare_fields(kind, old, new)
        }
        Shape::Items(list) => {
            let (old, new) = (old.and_then(Value::as_array), new.and_then(Value::as_array));
            if [old, new].iter().all(|side| side.is_none_or(Vec::is_empty)) {
                return leaf;
            }
            let [old, new] = [old, new].map(|items| items.map_or(&[][..], Vec::as_slice));
            compare_items(kind, list, old, new)
        }
    };
    Part { own, below }
}

fn compare_fields(
    kind: Type<'_>,
    old: Option<&Map<String, Value>>,
    new: Option<&Map<String, Value>>,
) -> Comparison {
    let mut comparison = Comparison::default();
    let value = |side: Option<&'_ Map<String, Value>>, name: &str| -> Option<Value> {
        // Only where the other side has more than this type's objects always have.
        side.and_then(|_| kind.left_out(name)).cloned()
    };
    let mut visit = |name: &str, before: Option<&Value>, after: Option<&Value>| {
        let filled = match (before, after) {
            (None, _) => value(old, name),
            (_, None) => value(new, name),
            _ => None,
        };
        let (before, after) = match (before, after) {
            (None, after) => (filled.as_ref(), after),
            (before, None) => (before, filled.as_ref()),
            both => both,
        };
        let part = compare(kind.field(name).unwrap_or(Type::DEDUCED), before, after);
        comparison.insert(|| field(name), part);
    };
    for (name, after) in new.into_iter().flatten() {
        visit(name, old.and_then(|old| old.get(name)), Some(after));
    }
    for (name, before) in old.into_iter().flatten() {
        if new.is_none_or(|new| !new.contains_key(name)) {
            visit(name, Some(before), None);
        }
    }
    comparison
}

fn compare_items(kind: Type<'_>, list: &ListType, old: &[Value], new: &[Value]) -> Comparison {
    let mut comparison = Comparison::default();
    let items = kind.items();
    // An item without a step has no owner either.
    let sorted = |side: &'_ [Value]| -> Vec<(String, usize)> {
        let steps = side.iter().enumerate();
        let mut steps: Vec<(String, usize)> =
            steps.filter_map(|(place, item)| Some((kind.step(list, item).ok()?, place))).collect();
        steps.sort();
        steps
    };
    let (before, after) = (sorted(old), sorted(new));
    let (mut before, mut after) = (before.as_slice(), after.as_slice());
    while let Some((step, _)) = [before.first(), after.first()].into_iter().flatten().min() {
        let (mine, theirs) = (take(&mut before, step), take(&mut after, step));
        let part = |own| Part { own: Some(own), below: Comparison::default() };
        match (mine, theirs) {
            ([] | [_], [] | [_]) => {
                let before = mine.first().map(|(_, place)| &old[*place]);
                let after = theirs.first().map(|(_, place)| &new[*place]);
                comparison.insert(|| step.clone(), compare(items, before, after));
            }
            ([_, _, ..], [_, _, ..]) => {
                let [mine, theirs] = [(mine, old), (theirs, new)]
                    .map(|(steps, side)| steps.iter().map(|(_, place)| &side[*place]).collect::<Vec<_>>());
                let are_same = mine.len() == theirs.len()
                    && mine.iter().zip(theirs).all(|(one, other)| same(one, other));
                if !are_same {
                    comparison.insert(|| step.clone(), part(Change::Modified));
                }
            }
            // Twins are owned together, as one thing.
            (_, [only]) => {
                comparison.insert(|| step.clone(), compare(items, None, Some(&new[only.1])));
                comparison.insert(|| step.clone(), part(Change::Removed));
            }
            ([only], _) => {
                comparison.insert(|| step.clone(), compare(items, Some(&old[only.1]), None));
                comparison.insert(|| step.clone(), part(Change::Added));
            }
            (_, []) => comparison.insert(|| step.clone(), part(Change::Removed)),
            ([], _) => comparison.insert(|| step.clone(), part(Change::Added)),
        }
    }
    comparison
}

/// Takes the items of `step` from the front of a sorted list.
fn take<'a>(sorted: &mut &'a [(String, usize)], step: &str) -> &'a [(String, usize)] {
    let count = sorted.iter().take_while(|(found, _)| found == step).count();
    let (taken, rest) = sorted.split_at(count);
    *sorted = rest;
    taken
}
