//! [`Key`]: deserializer for the key of a member, a JSON string that may hold a number or a truth value.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{IntoDeserializer, Visitor},
};

use super::{error::JsonError, reader::Json};

/// A deserializer positioned at a key.
pub(super) struct Key<'a, 'de>(pub(super) &'a mut Json<'de>);

macro_rules! strings {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
                self.0.visit_string(visitor)
            }
        )*
    };
}

/// A number or a truth value within a string: the keys of maps that are keyed by such values.
macro_rules! quoted {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
                let start = self.0.at;
                let text = self.0.string()?;
                let mut json = serde_json::Deserializer::from_reader(text.as_bytes());
                let value = json.$method(visitor).and_then(|value| json.end().map(|()| value));
                value.map_err(|error| JsonError::from(error).at(start))
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = JsonError;

    strings! {
        deserialize_any deserialize_str deserialize_string deserialize_identifier deserialize_ignored_any
        deserialize_char deserialize_bytes deserialize_byte_buf
    }

    quoted! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.0.string()? {
            Cow::Borrowed(key) => visitor.visit_enum(key.into_deserializer()),
            Cow::Owned(key) => visitor.visit_enum(key.into_deserializer()),
        }
    }

    serde::forward_to_deserialize_any! { unit unit_struct seq tuple tuple_struct map struct }
}
