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

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny, Unexpected, Visitor};
use serde_json::de::StrRead;

use self::{
    access::{Elements, Members},
    skip::Obstacle,
};

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

    /// The next byte that is no white space; stays in front of it.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Steps over a `null`, if that is what comes.
    pub(crate) fn null(&mut self) -> Result<bool, JsonError> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word("null")?;
        }
        Ok(is_null)
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

    /// The same as `next`, of a text that must not end here.
    #[inline]
    fn peek(&mut self) -> Result<u8, JsonError> {
        self.next().ok_or_else(|| self.incomplete())
    }

    /// Whether there is one more in an object or array that `close` ends; if so, stays in front of it.
    #[inline]
    fn has_next(&mut self, close: u8, is_first: &mut bool) -> Result<bool, JsonError> {
        match self.peek()? {
            next if next == close => Ok(false),
            _ if std::mem::take(is_first) => Ok(true),
            b',' => {
                self.at += 1;
                if self.peek()? == close { Err(self.malformed("a value behind `,`")) } else { Ok(true) }
            }
            _ => Err(self.malformed("`,` or the end of an object or array")),
        }
    }

    /// The same, in front of a key.
    #[inline]
    fn has_member(&mut self, is_first: &mut bool) -> Result<bool, JsonError> {
        let has_next = self.has_next(b'}', is_first)?;
        if has_next && self.peek()? != b'"' { Err(self.malformed("a key")) } else { Ok(has_next) }
    }

    #[inline]
    fn colon(&mut self) -> Result<(), JsonError> {
        if self.peek()? != b':' {
            return Err(self.malformed("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// The string that begins here.
    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, JsonError> {
        let start = self.at + 1;
        match skip::obstacle(self.text.as_bytes(), start) {
            Some((end, Obstacle::Quote)) => {
                self.at = end + 1;
                Ok(Cow::Borrowed(&self.text[start..end]))
            }
            Some((_, Obstacle::Backslash)) => {
                self.hand_over(|json| serde::Deserialize::deserialize(json)).map(Cow::Owned)
            }
            Some((at, Obstacle::Control)) => Err(control(at)),
            None => Err(self.incomplete()),
        }
    }

    fn skip_string(&mut self) -> Result<(), JsonError> {
        let mut from = self.at + 1;
        loop {
            match skip::obstacle(self.text.as_bytes(), from) {
                Some((end, Obstacle::Quote)) => {
                    self.at = end + 1;
                    return Ok(());
                }
                Some((at, Obstacle::Backslash)) => from = at + 2,
                Some((at, Obstacle::Control)) => return Err(control(at)),
                None => return Err(self.incomplete()),
            }
        }
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

    /// Steps over `word`.
    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        let rest = &self.text[self.at..];
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else if word.starts_with(rest) {
            Err(self.incomplete())
        } else {
            Err(self.malformed(word))
        }
    }

    /// Lets serde_json read the value that begins here.
    fn hand_over<V>(
        &mut self,
        read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> serde_json::Result<V>,
    ) -> Result<V, JsonError> {
        let mut json = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let value = read(&mut json).map_err(|error| JsonError::from(error).at(self.at))?;
        self.at += json.into_iter::<IgnoredAny>().byte_offset();
        Ok(value)
    }

    #[cold]
    fn incomplete(&self) -> JsonError {
        JsonError::incomplete(self.text.len())
    }

    #[cold]
    fn malformed(&self, expected: &str) -> JsonError {
        let Some(found) = self.text[self.at..].chars().next() else {
            return self.incomplete();
        };
        JsonError::custom(format_args!("expected {expected}, found `{found}`")).at(self.at)
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

#[cold]
fn control(at: usize) -> JsonError {
    JsonError::custom("a control character in a string").at(at)
}
