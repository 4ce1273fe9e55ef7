//! [`Json`]: the reader, its position, and reading or skipping a whole value.

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny, Unexpected, Visitor};
use serde_json::de::StrRead;

use super::{error::JsonError, skip};

/// Maximum nesting of values that are decoded. Skipped values may be nested to any depth.
const MAX_DEPTH: u8 = 128;

/// A reader of JSON: a serde deserializer for any [`Deserialize`](serde::Deserialize) type.
///
/// Values are decoded as `serde_json` decodes them, numbers and escapes by `serde_json` itself. Values that the
/// type does not have are *skipped*, in a fifth of the instructions: the reader looks only for the end of the value, by quotes,
/// backslashes and brackets. Within a skipped object or array the order of tokens, the kind of closing brackets, the
/// spelling of numbers and words, control characters in strings, and escapes are not checked. A string, number or
/// word that is skipped by itself is checked, except for the escapes of the string.
///
/// ```
/// use serde::Deserialize;
/// use trimtab_cache::Json;
///
/// #[derive(Deserialize)]
/// struct Node {
///     name: String,
/// }
///
/// let mut json = Json::new(r#"{"status": {"images": [{"names": ["a"]}]}, "name": "node-1"} 7"#);
/// assert_eq!(Node::deserialize(&mut json)?.name, "node-1");
/// assert_eq!(json.skip()?, "7");
/// json.end()?;
/// # Ok::<(), trimtab_cache::JsonError>(())
/// ```
#[derive(Debug)]
pub struct Json<'de> {
    pub(super) text: &'de str,
    /// The number of bytes that have been read.
    pub(super) at: usize,
    /// The number of levels that values may still be nested.
    depth: u8,
    pub(super) place: Place,
}

/// The role of the next map, for leaving out `managedFields`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Any map: nothing is left out of it.
    #[default]
    Anywhere,
    /// A Kubernetes object, which may have metadata.
    Object,
    /// The metadata of an object, which may have `managedFields`.
    Metadata,
}

impl<'de> Json<'de> {
    /// Creates a reader at the start of `text`.
    pub fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: MAX_DEPTH, place: Place::Anywhere }
    }

    /// Returns the number of bytes that have been read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Checks that only white space is left.
    ///
    /// # Errors
    ///
    /// If anything else is left.
    pub fn end(&mut self) -> Result<(), JsonError> {
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.malformed("the end")),
        }
    }

    /// Skips the next value and returns its text.
    ///
    /// # Errors
    ///
    /// If no value follows, or if the text ends within it.
    pub fn skip(&mut self) -> Result<&'de str, JsonError> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'{' | b'[' => {
                let end = skip::end_of_container(self.text.as_bytes(), start);
                self.at = end.ok_or_else(|| self.incomplete())?;
            }
            b'"' => self.skip_string()?,
            _ => {
                self.by_serde_json(|json| serde::Deserializer::deserialize_ignored_any(json, IgnoredAny))?;
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Reads an object: calls `member` with each key. `member` must read or skip the value.
    ///
    /// # Errors
    ///
    /// The errors of `member`, and an error if the next value is not an object.
    pub fn members(
        &mut self,
        mut member: impl FnMut(Cow<'de, str>, &mut Self) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        if self.peek()? != b'{' {
            return Err(self.malformed("an object"));
        }
        self.within(b'}', |json| {
            let mut is_first = true;
            while json.has_member(&mut is_first)? {
                let key = json.string()?;
                json.colon()?;
                member(key, json)?;
            }
            Ok(())
        })
    }

    /// Returns the text that has not been read yet.
    pub(crate) fn rest(&self) -> &'de str {
        &self.text[self.at..]
    }

    /// Leaves `managedFields` out of the object that is decoded next.
    pub(crate) fn without_managed_fields(&mut self) -> &mut Self {
        self.place = Place::Object;
        self
    }

    #[inline]
    pub(super) fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    /// Reads the contents between the opening bracket at the position and `close`.
    pub(super) fn within<V>(
        &mut self,
        close: u8,
        read: impl FnOnce(&mut Self) -> Result<V, JsonError>,
    ) -> Result<V, JsonError> {
        if self.depth == 0 {
            return Err(JsonError::custom("values are nested too deep").at(self.at));
        }
        self.depth -= 1;
        self.at += 1;
        let value = read(self).map_err(|error| error.at(self.at))?;
        self.depth += 1;
        if self.peek()? != close {
            return Err(self.malformed("the end of an object or array"));
        }
        self.at += 1;
        Ok(value)
    }

    /// Decodes the next value by `serde_json`.
    pub(super) fn by_serde_json<V>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> serde_json::Result<V>,
    ) -> Result<V, JsonError> {
        let mut json = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let value = read(&mut json).map_err(|error| JsonError::from(error).at(self.at))?;
        self.at += json.into_iter::<IgnoredAny>().byte_offset();
        Ok(value)
    }

    /// Returns the error for a value whose type `visitor` does not accept.
    #[cold]
    pub(super) fn unexpected<V: Visitor<'de>>(&mut self, visitor: &V) -> JsonError {
        let at = self.at;
        let (first, string) = (self.text.as_bytes().get(at), self.string());
        let found = match (first, &string) {
            (Some(b'{'), _) => Unexpected::Map,
            (Some(b'['), _) => Unexpected::Seq,
            (Some(b'n'), _) => Unexpected::Unit,
            (Some(b't'), _) => Unexpected::Bool(true),
            (Some(b'f'), _) => Unexpected::Bool(false),
            (Some(b'-' | b'0'..=b'9'), _) => Unexpected::Other("number"),
            (Some(b'"'), Ok(string)) => Unexpected::Str(string),
            (Some(b'"'), Err(_)) => Unexpected::Other("string"),
            _ => return self.malformed("a value"),
        };
        JsonError::invalid_type(found, visitor).at(at)
    }
}
