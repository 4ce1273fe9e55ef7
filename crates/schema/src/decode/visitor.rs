//! [`Reader`] as a visitor of a text: which of its functions reads which sort of value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Reader, place::Place};
use crate::{Form, Scalar};

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        match (self.form(), self.schema) {
            (Form::Struct, Some(schema)) => self.structure(schema, map),
            (Form::Map, Some(schema)) => self.entries(schema.field(""), map),
            (Form::Any, Some(schema)) if schema.is_closed() => self.structure(schema, map),
            (Form::Any, _) => self.entries(None, map),
            _ if self.typed => {
                IgnoredAny.visit_map(map)?;
                Ok(self.wrong("object"))
            }
            // Of an object where a scalar or a list is wanted, no field is declared.
            (Form::Scalar(_) | Form::List, Some(schema)) => self.structure(schema, map),
            _ => self.entries(None, map),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let form = self.form();
        if self.typed && !matches!(form, Form::List | Form::Any | Form::Scalar(Scalar::Bytes)) {
            IgnoredAny.visit_seq(seq)?;
            return Ok(self.wrong("array"));
        }
        if self.typed && form == Form::Scalar(Scalar::Bytes) {
            return self.numbers_as_bytes(seq);
        }
        let schema = self.schema.and_then(|schema| schema.items());
        let keeps =
            !self.typed && (self.keeps || self.schema.is_some_and(|schema| schema.preserves_unknown()));
        let mut items = Vec::new();
        loop {
            let place = Place::Item { parent: self.place, position: items.len() };
            let item = Reader { keeps, ..self.part(schema, &place) };
            let Some(item) = seq.next_element_seed(item)? else { break };
            items.push(self.or_zero(schema, item));
        }
        Ok(Value::Array(items))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.string(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(self.string(text))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(match self.form() {
            Form::Any | Form::Scalar(Scalar::Boolean) => flag.into(),
            _ if !self.typed => flag.into(),
            _ => self.wrong("bool"),
        })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(self.number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(self.number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        if number == 0.0 && number.is_sign_negative() {
            return Ok(self.number(0.into())); // `-0` is an integer to Go
        }
        Ok(Number::from_f64(number).map_or(Value::Null, |number| self.number(number)))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
