//! [`List`] and [`Entries`]: the values that have parts.

use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::{Text, Value};
use crate::{
    decl_type::{DeclType, ListKind},
    meter::{Failure, Meter},
};

/// A map of an object, or one that was made.
#[derive(Debug, Clone)]
pub(crate) enum Entries<'a> {
    /// With what the schema says of its values, if it says something.
    Of(&'a Map<String, Json>, Option<&'a DeclType>),
    Made(Rc<Vec<(Value<'a>, Value<'a>)>>),
}

/// A list of an object, or one that was made.
#[derive(Debug, Clone)]
pub(crate) enum List<'a> {
    /// With what the schema says of the list, if it says something.
    Of(&'a [Json], Option<&'a DeclType>),
    Made(Rc<Vec<Value<'a>>>),
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Of(items, _) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, position: usize) -> Option<Value<'a>> {
        match self {
            Self::Of(items, declared) => {
                let parts = declared.and_then(|declared| declared.parts.as_deref());
                items.get(position).map(|item| Value::of(item, parts))
            }
            Self::Made(items) => items.get(position).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let list = self.clone();
        (0..list.len()).filter_map(move |position| list.get(position))
    }

    /// How the list compares and adds up.
    pub(crate) fn kind(&self) -> &'a ListKind {
        match self {
            Self::Of(_, Some(declared)) => &declared.list,
            _ => &ListKind::Plain,
        }
    }

    /// Whether an item of it is `wanted`.
    pub(crate) fn contains(&self, wanted: &Value<'a>, meter: &mut Meter) -> Result<bool, Failure> {
        for item in self.iter() {
            if item.is(wanted, meter)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn is(&self, other: &Self, meter: &mut Meter) -> Result<bool, Failure> {
        if self.len() != other.len() {
            return Ok(false);
        }
        let in_any_order = *self.kind() != ListKind::Plain;
        for (position, item) in self.iter().enumerate() {
            let is_there = match other.get(position) {
                Some(found) if found.is(&item, meter)? => true,
                _ => in_any_order && other.contains(&item, meter)?,
            };
            if !is_there {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'a> Entries<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Of(fields, _) => fields.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    pub(crate) fn get(&self, key: &Value<'a>, meter: &mut Meter) -> Result<Option<Value<'a>>, Failure> {
        match self {
            Self::Of(fields, declared) => Ok(match key {
                Value::String(key) => fields.get(key.as_str()).map(|value| Value::of(value, *declared)),
                _ => None,
            }),
            Self::Made(entries) => {
                for (known, value) in entries.iter() {
                    if known.is(key, meter)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
        }
    }

    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (Value<'a>, Value<'a>)> + 'a> {
        match self {
            Self::Of(fields, declared) => {
                let declared = *declared;
                let of = move |(key, value): (&'a String, &'a Json)| {
                    (Value::String(Text::Of(key)), Value::of(value, declared))
                };
                Box::new(fields.iter().map(of))
            }
            Self::Made(entries) => {
                let entries = entries.clone();
                Box::new((0..entries.len()).filter_map(move |position| entries.get(position).cloned()))
            }
        }
    }
}
