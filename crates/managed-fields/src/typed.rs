//! [`Type`] of a value as owners see it: one unit, fields with owners of their own, or items with owners of their own.

use serde_json::{Map, Value};

use crate::{
    element,
    typedef::{Form, ListType, TypeDef},
};

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub struct Type<'a>(pub(crate) Of<'a>);

/// See [`Type`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// A declared type.
    Declared {
        def: &'a TypeDef,
        /// Whether the server holds objects as Go structs, which have their zero values even where they were left out.
        is_struct: bool,
        /// Whether undeclared fields are kept, here and below.
        is_open: bool,
    },
    /// An unknown type: objects have fields, and every other value is one unit.
    Deduced,
}

/// The division of a value among owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// Not at all.
    Leaf,
    /// By field.
    Fields,
    /// By item, identified as the list type says.
    Items(&'a ListType),
}

/// The reason why an item has no identity in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoStep(pub(crate) String);

impl<'a> Type<'a> {
    /// An unknown type: objects have fields, and every other value, lists included, is one unit.
    pub const DEDUCED: Type<'static> = Type(Of::Deduced);

    /// The type of a custom resource, or of any document that is kept as JSON.
    pub fn of_document(def: &'a TypeDef) -> Self {
        Self(Of::Declared { def, is_struct: false, is_open: false })
    }

    /// The type of a built-in object, which kube-apiserver holds as a Go struct: nulls in configurations are as good as
    /// absent fields, and fields that were left out have their zero values.
    pub fn of_struct(def: &'a TypeDef) -> Self {
        Self(Of::Declared { def, is_struct: true, is_open: false })
    }

    fn within(self, def: &'a TypeDef) -> Self {
        match self.0 {
            Of::Deduced => Self(Of::Deduced),
            Of::Declared { def: outer, is_struct, is_open } => {
                Self(Of::Declared { def, is_struct, is_open: is_open || outer.preserves_unknown() })
            }
        }
    }

    /// Returns how `value` is divided.
    pub(crate) fn shape(self, value: &Value) -> Shape<'a> {
        let fields = |is_granular: bool| if is_granular { Shape::Fields } else { Shape::Leaf };
        let Of::Declared { def, is_struct, .. } = self.0 else {
            return fields(value.is_object());
        };
        match def.form() {
            Form::Struct | Form::Map => fields(!def.is_atomic() && (value.is_object() || value.is_null())),
            Form::List if value.is_array() || value.is_null() => match def.list_type() {
                ListType::Atomic => Shape::Leaf,
                list => Shape::Items(list),
            },
            Form::List | Form::Scalar(_) => Shape::Leaf,
            // A built-in object holds a value of any type as one unit.
            Form::Any => fields(!is_struct && !def.is_atomic() && value.is_object()),
        }
    }

    /// Returns the type of a field; `None` if no such field is allowed.
    pub(crate) fn field(self, name: &str) -> Option<Self> {
        let Of::Declared { def, is_open, .. } = self.0 else {
            return Some(Self(Of::Deduced));
        };
        if let Some(field) = def.field(name) {
            return Some(self.within(field));
        }
        let anything = is_open || def.preserves_unknown() || def.form() == Form::Struct && !def.has_fields();
        anything.then_some(Self(Of::Deduced))
    }

    /// Returns whether `name` is a declared property, and not a key of a map.
    pub(crate) fn declares(self, name: &str) -> bool {
        match self.0 {
            Of::Declared { def, .. } if def.form() == Form::Struct => def.declares(name),
            _ => false,
        }
    }

    /// Returns the zero value of a field of a struct that was left out.
    pub(crate) fn left_out(self, name: &str) -> Option<&'a Value> {
        match self.0 {
            Of::Declared { def, is_struct: true, .. } => def.zero_of(name),
            _ => None,
        }
    }

    /// Returns the type of a list's items.
    pub(crate) fn items(self) -> Self {
        let Of::Declared { def, .. } = self.0 else {
            return Self(Of::Deduced);
        };
        def.items().map_or(Self(Of::Deduced), |items| self.within(items))
    }

    /// Returns whether null is as good as an absent field.
    pub(crate) fn drops_nulls(self) -> bool {
        matches!(self.0, Of::Declared { is_struct: true, .. })
    }

    /// Returns the form of the value, if the type is declared.
    pub(crate) fn form(self) -> Option<Form> {
        match self.0 {
            Of::Declared { def, .. } => Some(def.form()),
            Of::Deduced => None,
        }
    }

    /// Returns the step to `item` of a list of this type.
    pub(crate) fn step(self, list: &ListType, item: &Value) -> Result<String, NoStep> {
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
            match self.0 {
                Of::Declared { def, .. } => def.items().and_then(|items| items.key_default(key)),
                Of::Deduced => None,
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
