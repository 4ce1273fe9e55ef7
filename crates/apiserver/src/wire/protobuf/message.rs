//! [`Reader`]: from a message to the JSON that says the same.

use base64::{Engine, prelude::BASE64_STANDARD};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::{
    error::{Result, malformed},
    table::{Form, Table},
    wire::{Fields, Raw, varint},
};

/// How deep messages may stand in each other: protobuf's usual limit.
const DEPTH: usize = 100;
/// The type of an OpenAPI schema, which stands in itself.
pub(super) const SCHEMA: &str = "api.apiextensions.v1.JSONSchemaProps";

/// Reads messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    table: &'a Table,
    /// How many messages may still be entered.
    left: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(table: &'a Table) -> Self {
        Self { table, left: DEPTH }
    }

    /// Adds the fields of a message to `object`. Fields that its type does not know are left out.
    pub(super) fn fields(self, message: usize, bytes: &[u8], object: &mut Map<String, Value>) -> Result<()> {
        let Some(left) = self.left.checked_sub(1) else {
            return malformed(format!("proto: messages are nested more than {DEPTH} deep"));
        };
        let inner = Self { left, ..self };
        for field in Fields::of(bytes) {
            let (number, raw) = field?;
            let Some(field) = self.table.field(message, number) else { continue };
            let Some(name) = field.name else {
                if let Form::Message(embedded) = field.form {
                    inner.fields(embedded, raw.bytes()?, object)?;
                }
                continue;
            };
            match &field.form {
                Form::List(element) => {
                    let items = inner.items(element, raw)?;
                    if let Value::Array(list) = object.entry(name).or_insert_with(|| Value::Array(Vec::new()))
                    {
                        list.extend(items);
                    }
                }
                Form::Map(element) => {
                    let (key, value) = inner.entry(element, raw.bytes()?)?;
                    if let Value::Object(map) =
                        object.entry(name).or_insert_with(|| Value::Object(Map::new()))
                    {
                        map.insert(key, value);
                    }
                }
                form => {
                    let value = inner.value(form, raw)?;
                    if field.keeps_zero || !is_zero(&value) {
                        object.insert(name.to_owned(), value);
                    }
                }
            }
        }
        Ok(())
    }

    /// The value of one field number of a list: an item, or packed numbers.
    fn items(self, element: &Form, raw: Raw<'_>) -> Result<Vec<Value>> {
        let (Form::Int | Form::Bool, Raw::Bytes(mut packed)) = (element, raw) else {
            return Ok(vec![self.value(element, raw)?]);
        };
        let mut items = Vec::new();
        while !packed.is_empty() {
            items.push(self.value(element, Raw::Varint(varint(&mut packed)?))?);
        }
        Ok(items)
    }

    fn entry(self, element: &Form, bytes: &[u8]) -> Result<(String, Value)> {
        let (mut key, mut value) = (String::new(), None);
        for field in Fields::of(bytes) {
            match field? {
                (1, raw) => raw.text()?.clone_into(&mut key),
                (2, raw) => value = Some(self.value(element, raw)?),
                _ => {}
            }
        }
        let value = value.map_or_else(|| self.value(element, Raw::Bytes(&[])), Ok)?;
        Ok((key, value))
    }

    fn value(self, form: &Form, raw: Raw<'_>) -> Result<Value> {
        Ok(match form {
            Form::String => raw.text()?.into(),
            Form::Bool => (raw.integer()? != 0).into(),
            Form::Int => raw.integer()?.into(),
            Form::Double => Number::from_f64(raw.double()?).map_or(Value::Null, Value::Number),
            Form::Bytes => BASE64_STANDARD.encode(raw.bytes()?).into(),
            Form::Message(message) => self.message(*message, raw)?,
            Form::Time => time(raw.bytes()?, "%Y-%m-%dT%H:%M:%SZ")?,
            Form::MicroTime => time(raw.bytes()?, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
            Form::Duration => duration(raw.bytes()?)?,
            Form::Quantity => only(raw)?.map_or_else(|| Ok("0"), Raw::text)?.into(),
            Form::IntOrString => int_or_string(raw.bytes()?)?,
            Form::Json => match only(raw)?.map(Raw::bytes).transpose()? {
                None | Some([]) => Value::Null,
                Some(text) => serde_json::from_slice(text).or_else(|error| malformed(error.to_string()))?,
            },
            Form::Strings => {
                let items = Fields::of(raw.bytes()?).map(|field| Ok(field?.1.text()?.into()));
                Value::Array(items.collect::<Result<_>>()?)
            }
            Form::SchemaOrArray | Form::SchemaOrBool | Form::SchemaOrStrings => {
                self.alternative(form, raw.bytes()?)?
            }
            Form::List(_) | Form::Map(_) => return malformed("proto: a list stands in a list"),
        })
    }

    fn message(self, message: usize, raw: Raw<'_>) -> Result<Value> {
        let mut object = Map::new();
        self.fields(message, raw.bytes()?, &mut object)?;
        Ok(Value::Object(object))
    }

    /// A schema, or what else may stand in its place.
    fn alternative(self, form: &Form, bytes: &[u8]) -> Result<Value> {
        let schema = |raw| self.message(self.table.named(SCHEMA), raw);
        let (mut other, mut one) = (Vec::new(), None);
        for field in Fields::of(bytes) {
            match (form, field?) {
                (Form::SchemaOrBool, (1, raw)) => other = vec![(raw.integer()? != 0).into()],
                (Form::SchemaOrBool, (2, raw)) | (_, (1, raw)) => one = Some(schema(raw)?),
                (Form::SchemaOrArray, (2, raw)) => other.push(schema(raw)?),
                (_, (2, raw)) => other.push(raw.text()?.into()),
                _ => {}
            }
        }
        Ok(match (one, form) {
            (Some(schema), _) => schema,
            (None, Form::SchemaOrBool) => other.pop().unwrap_or(Value::Bool(false)),
            (None, _) => Value::Array(other),
        })
    }
}

/// Whether Go's `omitempty` leaves it out, or would if the field were no struct.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// The first field of a message that has no more than one.
fn only(raw: Raw<'_>) -> Result<Option<Raw<'_>>> {
    let field = Fields::of(raw.bytes()?).next().transpose()?;
    Ok(field.map(|(_, value)| value))
}

/// Seconds and nanoseconds; a time that was never set is null.
fn time(bytes: &[u8], format: &str) -> Result<Value> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, raw) => seconds = raw.integer()?,
            (2, raw) => nanos = i32::try_from(raw.integer()?).unwrap_or_default(),
            _ => {}
        }
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    match Timestamp::new(seconds, nanos) {
        Ok(time) => Ok(time.strftime(format).to_string().into()),
        Err(error) => malformed(error.to_string()),
    }
}

/// Nanoseconds, in the words of Go's `time.Duration`; seconds are exact enough for the kinds that have one.
fn duration(bytes: &[u8]) -> Result<Value> {
    let nanos = only(Raw::Bytes(bytes))?.map_or(Ok(0), Raw::integer)?;
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let text = if rest == 0 { format!("{seconds}s") } else { format!("{nanos}ns") };
    Ok(text.into())
}

fn int_or_string(bytes: &[u8]) -> Result<Value> {
    let (mut is_string, mut number, mut text) = (false, 0, "");
    for field in Fields::of(bytes) {
        match field? {
            (1, raw) => is_string = raw.integer()? == 1,
            (2, raw) => number = raw.integer()?,
            (3, raw) => text = raw.text()?,
            _ => {}
        }
    }
    Ok(if is_string { text.into() } else { number.into() })
}
