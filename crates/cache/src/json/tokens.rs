//! What JSON is built of, one after the other: commas, colons, words and strings.

use std::borrow::Cow;

use serde::{Deserialize, de::Error};

use super::{
    Json, JsonError,
    skip::{Obstacle, obstacle},
};

impl<'de> Json<'de> {
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

    /// The same as `next`, of a text that must not end here.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, JsonError> {
        self.next().ok_or_else(|| self.incomplete())
    }

    /// Whether there is one more in an object or array that `close` ends; if so, stays in front of it.
    #[inline]
    pub(super) fn has_next(&mut self, close: u8, is_first: &mut bool) -> Result<bool, JsonError> {
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
    pub(super) fn has_member(&mut self, is_first: &mut bool) -> Result<bool, JsonError> {
        let has_next = self.has_next(b'}', is_first)?;
        if has_next && self.peek()? != b'"' { Err(self.malformed("a key")) } else { Ok(has_next) }
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), JsonError> {
        if self.peek()? != b':' {
            return Err(self.malformed("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// The string that begins here.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, JsonError> {
        let start = self.at + 1;
        match obstacle(self.text.as_bytes(), start) {
            Some((end, Obstacle::Quote)) => {
                self.at = end + 1;
                Ok(Cow::Borrowed(&self.text[start..end]))
            }
            Some((_, Obstacle::Backslash)) => {
                self.hand_over(|json| Deserialize::deserialize(json)).map(Cow::Owned)
            }
            Some((at, Obstacle::Control)) => Err(control(at)),
            None => Err(self.incomplete()),
        }
    }

    pub(super) fn skip_string(&mut self) -> Result<(), JsonError> {
        let mut from = self.at + 1;
        loop {
            match obstacle(self.text.as_bytes(), from) {
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

    /// Steps over a `null`, if that is what comes.
    pub(crate) fn null(&mut self) -> Result<bool, JsonError> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word("null")?;
        }
        Ok(is_null)
    }

    /// Steps over `word`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), JsonError> {
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

    #[cold]
    pub(super) fn incomplete(&self) -> JsonError {
        JsonError::incomplete(self.text.len())
    }

    #[cold]
    pub(super) fn malformed(&self, expected: &str) -> JsonError {
        let Some(found) = self.text[self.at..].chars().next() else {
            return self.incomplete();
        };
        JsonError::custom(format_args!("expected {expected}, found `{found}`")).at(self.at)
    }
}

#[cold]
fn control(at: usize) -> JsonError {
    JsonError::custom("a control character in a string").at(at)
}
