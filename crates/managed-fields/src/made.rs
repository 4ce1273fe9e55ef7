//! The paths of a new object: the result of a [`Comparison`](crate::Comparison) with nothing, in one walk over the object
//! and as the text that is stored.

use serde_json::{Map, Value};

use crate::{
    element::same,
    set::{
        FieldSet,
        text::{NONE, begin_field, begin_step, level},
    },
    typed::{Shape, Type},
    typedef::ListType,
    unowned::Unowned,
};

/// The place of a value: unowned fields are fields of the object, or of one of its fields.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Object,
    Field(&'a str),
    Below,
}

/// Returns the owned paths of `object` that `live` did not have.
pub(crate) fn written(kind: Type<'_>, live: &Value, object: &Value, unowned: Unowned<'_>) -> FieldSet {
    let mut text = String::with_capacity(4096);
    let walk = Walk(unowned);
    if walk.value(kind, Some(live), object, Place::Object, false, &mut text) {
        FieldSet::stored(text)
    } else {
        FieldSet::default()
    }
}

struct Walk<'u>(Unowned<'u>);

impl Walk<'_> {
    /// Writes the level of a value, which was `old` before; `false`, and nothing, if it has no paths. `is_owned` is whether
    /// the value itself, apart from its parts, can have an owner.
    fn value(
        &self,
        kind: Type<'_>,
        old: Option<&Value>,
        new: &Value,
        place: Place<'_>,
        is_owned: bool,
        text: &mut String,
    ) -> bool {
        if old.is_some_and(|old| same(old, new)) {
            return false;
        }
        let shape = kind.shape(new);
        let is_other = old.is_none_or(|old| kind.shape(old) != shape);
        match (shape, new) {
            (Shape::Fields, Value::Object(fields)) if !fields.is_empty() => {
                let old = old.and_then(Value::as_object);
                level(text, is_owned && is_other, |text| self.fields(kind, old, fields, place, text))
            }
            (Shape::Items(list), Value::Array(items)) if !items.is_empty() => {
                level(text, is_owned && is_other, |text| self.items(kind, list, items, text))
            }
            _ => level(text, is_owned, |_| {}),
        }
    }

    fn fields(
        &self,
        kind: Type<'_>,
        old: Option<&Map<String, Value>>,
        fields: &Map<String, Value>,
        place: Place<'_>,
        text: &mut String,
    ) {
        for (name, new) in fields {
            let (is_owned, within) = match place {
                Place::Object if self.0.is_reset(&[name]) => continue,
                Place::Field(outer) if self.0.is_reset(&[outer, name]) => continue,
                Place::Object => (!self.0.contains(&[name]), Place::Field(name)),
                Place::Field(outer) => (!self.0.contains(&[outer, name]), Place::Below),
                Place::Below => (true, Place::Below),
            };
            let start = text.len();
            begin_field(text, name);
            // Only an old object can have the zero values that objects of this type always have.
            let old = old.and_then(|old| old.get(name).or_else(|| kind.left_out(name)));
            let type_of = kind.field(name).unwrap_or(Type::DEDUCED);
            if !self.value(type_of, old, new, within, is_owned, text) {
                text.truncate(start);
            }
        }
    }

    fn items(&self, kind: Type<'_>, list: &ListType, items: &[Value], text: &mut String) {
        // An item without a step has no owner either.
        let mut steps: Vec<(String, &Value)> = Vec::with_capacity(items.len());
        steps.extend(items.iter().filter_map(|item| Some((kind.step(list, item).ok()?, item))));
        steps.sort_by(|(one, _), (other, _)| one.cmp(other));
        for same in steps.chunk_by(|(one, _), (other, _)| one == other) {
            let [(step, item), twins @ ..] = same else { continue };
            begin_step(text, step);
            if twins.is_empty() {
                self.value(kind.items(), None, item, Place::Below, true, text);
            } else {
                text.push_str(NONE); // twins are owned together, as one thing
            }
        }
    }
}
