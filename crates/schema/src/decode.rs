//! Reading an object by its type, in one pass over its text: what has the wrong type is told in Go's words, since
//! clients have come to know them; what is not declared is left out and told, what stands twice is told.
//!
//! A built-in kind is read as upstream reads it into a struct. A custom kind's metadata is, too; the rest of it is
//! left to its schema, which validates it later.

mod place;
mod scalar;
mod visitor;

use std::{cell::RefCell, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Map, Number, Value};
use trimtab_quantity::{ParseQuantityError, Quantity};

use self::place::Place;
use crate::{Form, Scalar, Schema, defaults, go_number};

/// The errors of a decoded text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct DecodeErrors {
    /// The error of a value with a wrong type, in the words of Go's decoder.
    pub mistyped: Option<String>,
    /// Duplicate and undeclared fields, each with its message.
    pub strict: Vec<String>,
}

/// Decodes an object of the type `schema`; without one, any value. The defaults of a custom kind are filled in. Fields that
/// are not declared are left out and reported.
///
/// # Errors
///
/// The error of `input`, if the text is not JSON.
pub fn decode<'de, D: Deserializer<'de>>(
    schema: Option<Schema<'_>>,
    input: D,
) -> Result<(Value, DecodeErrors), D::Error> {
    let found = RefCell::default();
    let typed = schema.is_some_and(|schema| schema.is_built_in());
    let mut value = Reader { schema, typed, owner: None, place: &Place::Root, found: &found, keeps: false }
        .deserialize(input)?;
    if let Some(schema) = schema.filter(|_| !typed) {
        defaults::set_defaults(schema, &mut value);
    }
    let Found { mistyped, strict, mut undeclared } = found.into_inner();
    undeclared.sort(); // upstream's pruning tells them in order, after what stands twice
    let strict = strict.into_iter().chain(undeclared).collect();
    Ok((value, DecodeErrors { mistyped, strict }))
}

/// Errors while they are found.
#[derive(Debug, Default)]
struct Found {
    mistyped: Option<String>,
    strict: Vec<String>,
    /// Fields that a custom kind does not declare.
    undeclared: Vec<String>,
}

/// Reads the value at one place.
#[derive(Clone, Copy)]
struct Reader<'a> {
    schema: Option<Schema<'a>>,
    /// Whether Go has a struct for the value.
    typed: bool,
    /// The innermost struct around the value.
    owner: Option<Schema<'a>>,
    place: &'a Place<'a>,
    found: &'a RefCell<Found>,
    /// Whether the value is an item of a list that keeps what it does not declare.
    keeps: bool,
}

impl<'a> Reader<'a> {
    fn form(&self) -> Form {
        self.schema.map_or(Form::Any, |schema| schema.kind())
    }

    /// The reader of a part of the value.
    fn part<'b>(&'b self, schema: Option<Schema<'b>>, place: &'b Place<'b>) -> Reader<'b> {
        let owner = match self.schema {
            Some(schema) if schema.kind() == Form::Struct => Some(schema),
            _ => self.owner,
        };
        let typed = self.typed || schema.is_some_and(|schema| schema.is_built_in());
        Reader { schema, typed, owner, place, found: self.found, keeps: false }
    }

    /// Notes the first value of a wrong type.
    fn mistake(&self, because: impl FnOnce() -> String) {
        self.found.borrow_mut().mistyped.get_or_insert_with(because);
    }

    /// A value of a wrong type, where Go was to fill in a `wanted`.
    fn unfit(&self, found: impl fmt::Display, wanted: &str) -> Value {
        self.mistake(|| {
            let owner = self.owner.map_or("", |owner| owner.type_name());
            let path = self.place.in_structs();
            let dot = if path.is_empty() { "" } else { "." };
            format!("json: cannot unmarshal {found} into Go struct field {owner}{dot}{path} of type {wanted}")
        });
        Value::Null
    }

    fn duplicate(&self, field: &str, in_map: bool) {
        let path = Place::Field { parent: self.place, name: field, in_map };
        self.found.borrow_mut().strict.push(format!("duplicate field \"{path}\""));
    }

    fn undeclared(&self, field: &str) {
        let path = Place::Field { parent: self.place, name: field, in_map: false };
        let text = format!("unknown field \"{path}\"");
        let mut found = self.found.borrow_mut();
        let is_custom = !self.typed || self.place.crosses();
        if is_custom { found.undeclared.push(text) } else { found.strict.push(text) }
    }

    /// A struct's fields.
    fn structure<'de, A: MapAccess<'de>>(&self, schema: Schema<'_>, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        let keeps = self.keeps || schema.preserves_unknown();
        while let Some(name) = map.next_key::<String>()? {
            let field = schema.field(&name);
            if field.is_none() && !keeps {
                self.undeclared(&name);
                if self.typed {
                    map.next_value::<IgnoredAny>()?;
                } else {
                    let place = Place::Field { parent: self.place, name: &name, in_map: false };
                    map.next_value_seed(self.part(None, &place))?; // what stands twice in there counts
                }
                continue;
            }
            let is_new = is_new(&fields, &name);
            if !is_new {
                self.duplicate(&name, false);
            }
            let place = match field {
                Some(field) if !self.typed && field.is_built_in() => {
                    Place::Boundary { parent: self.place, name: &name }
                }
                _ => Place::Field { parent: self.place, name: &name, in_map: false },
            };
            let value = match &*name {
                "apiVersion" | "kind" if self.is_embedded(schema) => {
                    self.type_meta(&place, map.next_value()?)
                }
                _ => map.next_value_seed(self.part(field, &place))?,
            };
            // An empty list of managers asks for them to be forgotten: it is not as good as none.
            if self.keeps(field, &value) || name == "managedFields" && value.is_array() {
                fields.insert(name, value);
            } else if !is_new {
                fields.remove(&name);
            }
        }
        Ok(Value::Object(fields))
    }

    /// Returns whether the value is an object within a custom one.
    fn is_embedded(&self, schema: Schema<'_>) -> bool {
        let has_metadata = || schema.field("metadata").is_some_and(|metadata| metadata.is_built_in());
        !self.typed && !matches!(self.place, Place::Root) && has_metadata()
    }

    /// The version or the kind of an embedded object.
    fn type_meta(&self, place: &Place<'_>, value: Value) -> Value {
        if !value.is_string() {
            self.mistake(|| format!("{place}: Invalid value: {value}: must be a string"));
        }
        value
    }

    /// Whether upstream would write the field again.
    fn keeps(&self, field: Option<Schema<'_>>, value: &Value) -> bool {
        let Some(field) = field else { return true };
        match value {
            _ if field.leaves_out(value, matches!(self.place, Place::Root)) => false,
            // Times that an object lacks are written as null, but for those of its metadata.
            Value::Null if self.typed => {
                field.kind() == Form::Scalar(Scalar::Time) && self.owner_of_field() != "ObjectMeta"
            }
            Value::Null => field.is_nullable() || field.default().is_some(), // null is replaced by a default later
            Value::Array(items) if self.typed && field.kind() != Form::Any => {
                let is_null_later = field.is_null_if_unset() && matches!(self.place, Place::Root);
                !items.is_empty() || field.is_required() || is_null_later
            }
            Value::Object(fields) if self.typed && field.kind() == Form::Map => {
                !fields.is_empty() || field.is_required()
            }
            _ => true,
        }
    }

    fn owner_of_field(&self) -> &str {
        self.schema.or(self.owner).map_or("", |schema| schema.type_name())
    }

    /// A map's values, or what is in an object of no known type.
    fn entries<'de, A: MapAccess<'de>>(
        &self,
        values: Option<Schema<'_>>,
        mut map: A,
    ) -> Result<Value, A::Error> {
        let is_raw = self.typed && values.is_none(); // nobody looks at what Go keeps as text
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let is_new = is_new(&fields, &name);
            if !is_raw && !is_new {
                self.duplicate(&name, true);
            }
            let place = Place::Field { parent: self.place, name: &name, in_map: true };
            let value = map.next_value_seed(self.part(values, &place))?;
            if self.keeps_entry(values, &value) {
                fields.insert(name, self.or_zero(values, value));
            } else if !is_new {
                fields.remove(&name);
            }
        }
        Ok(Value::Object(fields))
    }

    /// Returns whether a custom kind's map keeps a value: null only if it may be null, or a default takes its place.
    fn keeps_entry(&self, schema: Option<Schema<'_>>, value: &Value) -> bool {
        let Some(schema) = schema.filter(|_| !self.typed && value.is_null()) else { return true };
        schema.is_nullable() || schema.default().is_some()
    }

    /// Converts null in a list or a map as Go does.
    fn or_zero(&self, schema: Option<Schema<'_>>, value: Value) -> Value {
        let Some(schema) = schema.filter(|_| self.typed && value.is_null()) else { return value };
        scalar::zero(schema.kind()).unwrap_or(value)
    }

    /// A number, which `text` writes.
    fn number(&self, number: Number) -> Value {
        let found = || format!("number {number}");
        match self.form() {
            _ if !self.typed => go_number::untyped(number),
            Form::Any | Form::Scalar(Scalar::Number) => go_number::decoded(number),
            Form::Scalar(Scalar::Int32 | Scalar::IntOrString) => match number.as_i64() {
                Some(int) if i32::try_from(int).is_ok() => Value::Number(number),
                _ => self.unfit(found(), "int32"),
            },
            Form::Scalar(Scalar::Int64) if number.is_i64() => Value::Number(number),
            Form::Scalar(Scalar::Int64) => self.unfit(found(), "int64"),
            Form::Scalar(Scalar::Quantity) => self.string(number.to_string()),
            _ => self.wrong("number"),
        }
    }

    fn string(&self, text: String) -> Value {
        if !self.typed {
            return text.into();
        }
        let Form::Scalar(scalar) = self.form() else {
            return if self.form() == Form::Any { text.into() } else { self.wrong("string") };
        };
        let checked = match scalar {
            Scalar::String | Scalar::IntOrString => return text.into(),
            Scalar::Bytes => scalar::bytes(text),
            Scalar::Time => scalar::time(text),
            Scalar::MicroTime => scalar::micro_time(&text),
            Scalar::Quantity if trimtab_quantity::is_canonical(&text) => return text.into(),
            Scalar::Quantity => {
                let parsed = text.trim().parse::<Quantity>();
                parsed.map(|quantity| quantity.to_string()).map_err(|error| error.to_string())
            }
            Scalar::Int32 | Scalar::Int64 | Scalar::Number | Scalar::Boolean => return self.wrong("string"),
        };
        match checked {
            Ok(text) if scalar::ZERO_TIMES.contains(&&*text) => Value::Null,
            Ok(text) => Value::String(text),
            Err(because) => {
                self.mistake(|| because);
                Value::Null
            }
        }
    }

    /// Bytes that are written as a list of numbers, which Go's decoder takes as well as base64.
    fn numbers_as_bytes<'de, A: SeqAccess<'de>>(&self, mut seq: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(item) = seq.next_element::<Value>()? {
            match &item {
                Value::Null => bytes.push(0),
                Value::Number(number) => match number.as_u64().and_then(|number| u8::try_from(number).ok()) {
                    Some(byte) => bytes.push(byte),
                    None => drop(self.unfit(format!("number {number}"), "uint8")),
                },
                Value::String(_) => drop(self.unfit("string", "uint8")),
                Value::Bool(_) => drop(self.unfit("bool", "uint8")),
                Value::Array(_) => drop(self.unfit("array", "uint8")),
                Value::Object(_) => drop(self.unfit("object", "uint8")),
            }
        }
        Ok(STANDARD.encode(bytes).into())
    }

    /// A value of a wrong type, which Go calls `found`.
    fn wrong(&self, found: &str) -> Value {
        match self.form() {
            // Not even an object: whoever asked for one tells it.
            _ if matches!(self.place, Place::Root) => match found {
                "array" => Value::Array(Vec::new()),
                "bool" => false.into(),
                "number" => 0.into(),
                _ => "".into(),
            },
            Form::Scalar(Scalar::Quantity) => {
                self.mistake(|| ParseQuantityError::Format.to_string());
                Value::Null
            }
            _ => {
                let wanted = self.schema.map_or_else(String::new, place::go_type);
                self.unfit(found, &wanted)
            }
        }
    }
}

/// Returns whether no field has this name. Most clients write their fields in order, and what is after the last field
/// need not be looked for.
fn is_new(fields: &Map<String, Value>, name: &str) -> bool {
    fields.keys().next_back().is_none_or(|last| last.as_str() < name) || !fields.contains_key(name)
}

#[cfg(test)]
mod tests;
