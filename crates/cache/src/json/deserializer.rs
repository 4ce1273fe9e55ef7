//! [`Json`] as a serde deserializer. Objects, arrays and strings are decoded here, rare and small values by
//! `serde_json`.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{IntoDeserializer, Visitor},
};

use super::{
    access::{Elements, Members},
    error::JsonError,
    reader::Json,
};

/// The prefix of the names under which `serde_json` requests its own types, such as `RawValue`.
const OF_SERDE_JSON: &str = "$serde_json::";

macro_rules! strings {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
                match self.peek()? {
                    b'"' => self.visit_string(visitor),
                    _ => Err(self.unexpected(&visitor)),
                }
            }
        )*
    };
}

/// Integers with few digits are read here, others by `serde_json`.
macro_rules! integers {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
                self.peek()?;
                let at = self.at;
                let read = match self.integer() {
                    None => return self.by_serde_json(|json| json.$method(visitor)),
                    Some(integer) => match u64::try_from(integer) {
                        Ok(integer) => visitor.visit_u64(integer),
                        Err(_) => visitor.visit_i64(integer),
                    },
                };
                read.map_err(|error: JsonError| error.at(at))
            }
        )*
    };
}

macro_rules! by_serde_json {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
                self.peek()?;
                self.by_serde_json(|json| json.$method(visitor))
            }
        )*
    };
}

impl<'de> Json<'de> {
    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.within(b'}', |json| visitor.visit_map(Members::new(json)))
    }

    fn sequence<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.within(b']', |json| visitor.visit_seq(Elements::new(json)))
    }
}

impl<'de> Deserializer<'de> for &mut Json<'de> {
    type Error = JsonError;

    strings! { deserialize_str deserialize_string deserialize_identifier }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    by_serde_json! {
        deserialize_i128 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_bytes deserialize_byte_buf deserialize_unit
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b'{' => self.map(visitor),
            b'[' => self.sequence(visitor),
            b'"' => self.visit_string(visitor),
            _ => self.by_serde_json(|json| json.deserialize_any(visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b'n' => self.word("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b'{' => self.map(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b'{' => self.map(visitor),
            b'[' => self.sequence(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.peek()? {
            b'[' => self.sequence(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        if name.starts_with(OF_SERDE_JSON) {
            self.peek()?;
            return self.by_serde_json(|json| json.deserialize_newtype_struct(name, visitor));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        if self.peek()? != b'"' {
            return self.by_serde_json(|json| json.deserialize_enum(name, variants, visitor));
        }
        match self.string()? {
            Cow::Borrowed(variant) => visitor.visit_enum(variant.into_deserializer()),
            Cow::Owned(variant) => visitor.visit_enum(variant.into_deserializer()),
        }
    }
}
