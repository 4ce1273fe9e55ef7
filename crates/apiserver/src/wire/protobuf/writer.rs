//! [`Writer`]: from JSON to the message that says the same.

use base64::{Engine, prelude::BASE64_STANDARD};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    message::SCHEMA,
    table::{Form, Table},
};
use crate::wire::json::to_json;

/// Writes messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'a> {
    table: &'a Table,
}

impl<'a> Writer<'a> {
    pub(super) fn new(table: &'a Table) -> Self {
        Self { table }
    }

    /// The fields of an object that its type knows. What the object does not say is left out: that is what it means.
    pub(super) fn message(self, message: usize, object: &Map<String, Value>) -> Vec<u8> {
        let mut to = Vec::new();
        for field in self.table.fields(message) {
            match (field.name, &field.form) {
                (None, Form::Message(embedded)) => {
                    let within = self.message(*embedded, object);
                    if !within.is_empty() {
                        bytes(field.number, &within, &mut to);
                    }
                }
                (None, _) => {}
                (Some(name), form) => {
                    if let Some(value) = object.get(name).filter(|value| !value.is_null()) {
                        self.field(field.number, form, value, &mut to);
                    }
                }
            }
        }
        to
    }

    fn field(self, number: u32, form: &Form, value: &Value, to: &mut Vec<u8>) {
        match form {
            Form::List(element) => {
                for item in value.as_array().into_iter().flatten() {
                    self.field(number, element, item, to);
                }
            }
            Form::Map(element) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let mut entry = Vec::new();
                    bytes(1, key.as_bytes(), &mut entry);
                    self.field(2, element, value, &mut entry);
                    bytes(number, &entry, to);
                }
            }
            Form::Bool => integer(number, (value == &Value::Bool(true)).into(), to),
            Form::Int => integer(number, whole(value), to),
            Form::Double => {
                double(number, value.as_f64().unwrap_or_default(), to);
            }
            form => bytes(number, &self.value(form, value), to),
        }
    }

    /// Returns the content of a field with a length.
    fn value(self, form: &Form, value: &Value) -> Vec<u8> {
        let text = value.as_str().unwrap_or_default();
        let mut to = Vec::new();
        match form {
            Form::String => to.extend_from_slice(text.as_bytes()),
            Form::Bytes => to = BASE64_STANDARD.decode(text).unwrap_or_default(),
            Form::Message(message) => {
                if let Some(object) = value.as_object() {
                    to = self.message(*message, object);
                }
            }
            Form::Time | Form::MicroTime => {
                if let Ok(time) = text.parse::<Timestamp>() {
                    integer(1, time.as_second(), &mut to);
                    integer(2, time.subsec_nanosecond().into(), &mut to);
                }
            }
            Form::Duration => integer(1, trimtab_cel::parse_duration(text).unwrap_or_default(), &mut to),
            Form::Quantity if value.is_string() => bytes(1, text.as_bytes(), &mut to),
            Form::Quantity => bytes(1, value.to_string().as_bytes(), &mut to),
            Form::IntOrString => {
                integer(1, value.is_string().into(), &mut to);
                integer(2, whole(value), &mut to);
                bytes(3, text.as_bytes(), &mut to);
            }
            Form::Json => bytes(1, &to_json(value), &mut to),
            Form::Strings => self.field(1, &Form::List(Box::new(Form::String)), value, &mut to),
            Form::SchemaOrArray | Form::SchemaOrBool | Form::SchemaOrStrings => {
                self.alternative(form, value, &mut to);
            }
            // Those have no length, or stand in no list.
            Form::Bool | Form::Int | Form::Double | Form::List(_) | Form::Map(_) => {}
        }
        to
    }

    /// A schema, or what else may stand in its place.
    fn alternative(self, form: &Form, value: &Value, to: &mut Vec<u8>) {
        let schema = Form::Message(self.table.named(SCHEMA));
        match (form, value) {
            (Form::SchemaOrBool, Value::Object(_)) => {
                integer(1, 1, to);
                self.field(2, &schema, value, to);
            }
            (Form::SchemaOrBool, _) => integer(1, (value == &Value::Bool(true)).into(), to),
            (Form::SchemaOrArray, Value::Array(schemas)) => {
                for one in schemas {
                    self.field(2, &schema, one, to);
                }
            }
            (_, Value::Array(texts)) => {
                for text in texts {
                    self.field(2, &Form::String, text, to);
                }
            }
            _ => self.field(1, &schema, value, to),
        }
    }
}

/// A whole number, which may be written as a float.
fn whole(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_f64().map(|float| float as i64)).unwrap_or_default()
}

/// A field with a length.
pub(crate) fn bytes(number: u32, content: &[u8], to: &mut Vec<u8>) {
    varint((u64::from(number) << 3) | 2, to);
    varint(content.len() as u64, to);
    to.extend_from_slice(content);
}

/// A field with a whole number.
pub(crate) fn integer(number: u32, value: i64, to: &mut Vec<u8>) {
    varint(u64::from(number) << 3, to);
    varint(value.cast_unsigned(), to);
}

/// A field with a floating-point number.
pub(crate) fn double(number: u32, value: f64, to: &mut Vec<u8>) {
    varint((u64::from(number) << 3) | 1, to);
    to.extend_from_slice(&value.to_le_bytes());
}

/// A number in groups of seven bits, the lowest first.
fn varint(mut number: u64, to: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return to.push(low & 0x7f);
        }
        to.push(low | 0x80);
    }
}
