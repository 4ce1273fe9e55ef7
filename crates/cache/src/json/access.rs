//! serde's access to the members of an object and the elements of an array.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess,
    value::{BorrowedStrDeserializer, CowStrDeserializer},
};

use super::{
    error::JsonError,
    key::Key,
    reader::{Json, Place},
    skip,
};

/// The members of an object, in order.
pub(super) struct Members<'a, 'de> {
    json: &'a mut Json<'de>,
    is_first: bool,
    /// The role of this map, for leaving out `managedFields`.
    place: Place,
}

impl<'a, 'de> Members<'a, 'de> {
    pub(super) fn new(json: &'a mut Json<'de>) -> Self {
        let place = std::mem::take(&mut json.place);
        Self { json, is_first: true, place }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = JsonError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonError> {
        while self.json.has_member(&mut self.is_first)? {
            if self.place == Place::Anywhere {
                return seed.deserialize(Key(self.json)).map(Some);
            }
            let key = self.json.string()?;
            if self.place == Place::Metadata && key == "managedFields" {
                self.json.colon()?;
                self.json.skip()?;
                continue;
            }
            self.json.place = match &*key {
                "metadata" if self.place == Place::Object => Place::Metadata,
                _ => Place::Anywhere,
            };
            let key = match key {
                Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
                Cow::Owned(_) => {
                    let key: CowStrDeserializer<'_, JsonError> = key.into_deserializer();
                    seed.deserialize(key)
                }
            };
            return key.map(Some);
        }
        Ok(None)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, JsonError> {
        self.json.colon()?;
        let value = seed.deserialize(&mut *self.json)?;
        self.json.place = Place::Anywhere; // also if the metadata was not a map
        Ok(value)
    }
}

/// The elements of an array, in order.
pub(super) struct Elements<'a, 'de> {
    json: &'a mut Json<'de>,
    is_first: bool,
}

impl<'a, 'de> Elements<'a, 'de> {
    pub(super) fn new(json: &'a mut Json<'de>) -> Self {
        json.place = Place::Anywhere;
        Self { json, is_first: true }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<E: DeserializeSeed<'de>>(&mut self, seed: E) -> Result<Option<E::Value>, JsonError> {
        if !self.json.has_next(b']', &mut self.is_first)? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.json).map(Some)
    }

    /// Counts the elements, if none has been read: a vector then takes exactly the memory that it needs. Without the number
    /// a vector of one container has room for four.
    fn size_hint(&self) -> Option<usize> {
        if !self.is_first {
            return None;
        }
        skip::elements(self.json.text.as_bytes(), self.json.at)
    }
}
