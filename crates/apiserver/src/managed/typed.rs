//! [`Type`]: how owners see a value: as one thing, as fields with owners of their own, or as items that have
//! them. Apart from the walks over values, which all ask the same questions.

use serde_json::{Map, Value};

use super::element;
use crate::schema::{Form, ListType, Schema};

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type<'a> {
    /// What a schema says.
    Declared {
        schema: Schema<'a>,
        /// Built-in objects are structs: what they always have is there even when it was left out.
        is_struct: bool,
        /// Whether fields that nobody declared are kept, here and below.
        is_open: bool,
    },
    /// Nothing is known: objects have fields, and everything else is one thing.
    Deduced,
}

/// How a value is divided among owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    /// Not at all.
    Leaf,
    /// By field.
    Fields,
    /// By item, told apart as the list says.
    Items(ListType<'a>),
}

/// An item that cannot be told apart from others, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoStep(pub(super) String);

impl<'a> Type<'a> {
    /// The type of a whole object. Without a schema it is deduced.
    pub(super) fn new(schema: Option<Schema<'a>>, is_built_in: bool) -> Self {
        match schema {
            Some(schema) => Self::Declared { schema, is_struct: is_built_in, is_open: false },
            None => Self::Deduced,
        }
    }

    fn within(self, schema: Schema<'a>) -> Self {
        match self {
            Self::Deduced => Self::Deduced,
            Self::Declared { schema: outer, is_struct, is_open } => {
                Self::Declared { schema, is_struct, is_open: is_open || outer.preserves_unknown() }
            }
        }
    }

    /// How `value` is divided.
    pub(super) fn shape(self, value: &Value) -> Shape<'a> {
        let fields = |is_granular: bool| if is_granular { Shape::Fields } else { Shape::Leaf };
        let Self::Declared { schema, is_struct, .. } = self else {
            return fields(value.is_object());
        };
        match schema.kind() {
            Form::Struct | Form::Map => fields(!schema.is_atomic() && (value.is_object() || value.is_null())),
            Form::List if value.is_array() || value.is_null() => match schema.list() {
                ListType::Atomic => Shape::Leaf,
                list => Shape::Items(list),
            },
            Form::List | Form::Scalar(_) => Shape::Leaf,
            // Where built-in objects hold anything at all, they hold it as one thing.
            Form::Any => fields(!is_struct && !schema.is_atomic() && value.is_object()),
        }
    }

    /// The type of a field; `None` if there can be no such field.
    pub(super) fn field(self, name: &str) -> Option<Self> {
        let Self::Declared { schema, is_open, .. } = self else {
            return Some(Self::Deduced);
        };
        if let Some(field) = schema.field(name) {
            return Some(self.within(field));
        }
        let anything = is_open
            || schema.preserves_unknown()
            || schema.kind() == Form::Struct && schema.fields().next().is_none();
        anything.then_some(Self::Deduced)
    }

    /// Whether `name` is a property that the type declares, and no key of a map.
    pub(super) fn declares(self, name: &str) -> bool {
        match self {
            Self::Declared { schema, .. } if schema.kind() == Form::Struct => schema.declares(name),
            _ => false,
        }
    }

    /// What a field of a built-in object is where it was left out, if it is anything.
    pub(super) fn left_out(self, name: &str) -> Option<&'a Value> {
        match self {
            Self::Declared { schema, is_struct: true, .. } => schema.left_out(name),
            _ => None,
        }
    }

    /// The type of a list's items.
    pub(super) fn items(self) -> Self {
        let Self::Declared { schema, .. } = self else {
            return Self::Deduced;
        };
        schema.items().map_or(Self::Deduced, |items| self.within(items))
    }

    /// Whether nulls of objects of this type are as good as nothing.
    pub(super) fn drops_nulls(self) -> bool {
        matches!(self, Self::Declared { is_struct: true, .. })
    }

    /// What a scalar of this type has to be, if this is one; for [`validate`](super::validate).
    pub(super) fn form(self) -> Option<Form> {
        match self {
            Self::Declared { schema, .. } => Some(schema.kind()),
            Self::Deduced => None,
        }
    }

    /// The step to `item` of a list of this type.
    pub(super) fn step(self, list: ListType<'_>, item: &Value) -> Result<String, NoStep> {
        match list {
            ListType::Map(keys) => self.key(keys, item),
            ListType::Set | ListType::Atomic => value_step(item),
        }
    }

    fn key<'b>(self, keys: &'b [String], item: &'b Value) -> Result<String, NoStep>
    where
        'a: 'b,
    {
        let refused = |because: &str| Err(NoStep(because.to_owned()));
        let fields: &Map<String, Value> = match item {
            Value::Object(fields) => fields,
            Value::Null => return refused("associative list with keys may not have a null element"),
            _ => return refused("associative list with keys may not have non-map elements"),
        };
        let default = |key: &str| -> Option<&'b Value> {
            match self {
                Self::Declared { schema, .. } => schema.items().and_then(|items| items.key_default(key)),
                Self::Deduced => None,
            }
        };
        let value = |key: &'b String| -> Option<(&'b str, &'b Value)> {
            Some((key.as_str(), fields.get(key).or_else(|| default(key))?))
        };
        if let [key] = keys
            && let Some(found) = value(key)
        {
            return Ok(element::key([found]));
        }
        let mut found: Vec<(&str, &Value)> = keys.iter().filter_map(value).collect();
        if found.is_empty() {
            let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
            return Err(NoStep(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                keys.join(" ")
            )));
        }
        found.sort_by_key(|(key, _)| *key);
        Ok(element::key(found))
    }
}

fn value_step(item: &Value) -> Result<String, NoStep> {
    let because = match item {
        Value::Object(_) => "associative list without keys has an element that's a map type",
        Value::Array(_) => "not supported: associative list with lists as elements",
        Value::Null => "associative list without keys has an element that's an explicit null",
        plain => return Ok(element::value(plain)),
    };
    Err(NoStep(because.to_owned()))
}
