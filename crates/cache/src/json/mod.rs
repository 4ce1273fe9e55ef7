//! [`Json`]: a deserializer that is fast at leaving out, which is what reading a view is mostly about. Why it is
//! our own, with figures: `docs/decisions/0004-a-reader-of-json.md`.

mod access;
mod error;
mod key;
mod marks;
mod serde_impl;
mod skip;
#[cfg(test)]
mod tests;
mod tokens;

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny, Unexpected, Visitor};
use serde_json::de::StrRead;

use self::access::{Elements, Members};

pub use self::error::JsonError;

/// How deep values that are read may lie in one another; what is skipped may lie as deep as it likes.
const DEEPEST: u8 = 128;

/// A reader of JSON, which anything that is [`Deserialize`](serde::Deserialize) can be read from.
///
/// What is read is read as `serde_json` reads it, numbers and escapes by `serde_json` itself. What is *not* read is
/// stepped over in a fifth of the instructions: only where it ends is found out. That takes quotes, backslashes and
/// brackets. Not checked in an object or array that is skipped are the order of its tokens, the kind of
/// a closing bracket, the spelling of numbers and words, control characters in strings, and escapes. Strings,
/// numbers and words that are skipped by themselves are checked, but for the escapes of a string.
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
    text: &'de str,
    at: usize,
    /// How much deeper values may lie.
    depth: u8,
    place: Place,
}

/// What the next map is, where managed fields are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Nothing is left out of it.
    #[default]
    Anywhere,
    /// An object, whose metadata has some.
    Object,
    Metadata,
}

impl<'de> Json<'de> {
    /// Reads `text` from its start.
    pub fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: DEEPEST, place: Place::Anywhere }
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Says that nothing more is expected.
    ///
    /// # Errors
    ///
    /// If something comes that is no white space.
    pub fn end(&mut self) -> Result<(), JsonError> {
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.malformed("the end")),
        }
    }

    /// Steps over a value, and returns its text.
    ///
    /// # Errors
    ///
    /// If there is none, or its end does not come.
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
                self.hand_over(|json| serde::Deserializer::deserialize_ignored_any(json, IgnoredAny))?;
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// Reads an object: `member` is given each key, and must read or skip the value that comes next.
    ///
    /// # Errors
    ///
    /// Those of `member`, and if what comes is no object.
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

    /// The text that has not been read.
    pub(crate) fn rest(&self) -> &'de str {
        &self.text[self.at..]
    }

    /// The managed fields of the object that is read next are left out.
    pub(crate) fn without_managed_fields(&mut self) -> &mut Self {
        self.place = Place::Object;
        self
    }

    #[inline]
    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        match self.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.within(b'}', |json| visitor.visit_map(Members::new(json)))
    }

    fn sequence<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.within(b']', |json| visitor.visit_seq(Elements::new(json)))
    }

    /// Reads what lies between the bracket that stands here and `close`.
    fn within<V>(
        &mut self,
        close: u8,
        read: impl FnOnce(&mut Self) -> Result<V, JsonError>,
    ) -> Result<V, JsonError> {
        if self.depth == 0 {
            return Err(JsonError::custom("values lie too deep in one another").at(self.at));
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

    /// Lets `serde_json` read the value that begins here.
    fn hand_over<V>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> serde_json::Result<V>,
    ) -> Result<V, JsonError> {
        let mut json = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let value = read(&mut json).map_err(|error| JsonError::from(error).at(self.at))?;
        self.at += json.into_iter::<IgnoredAny>().byte_offset();
        Ok(value)
    }

    /// What to say of a value of another type than `visitor` takes.
    #[cold]
    fn unexpected<V: Visitor<'de>>(&mut self, visitor: &V) -> JsonError {
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
