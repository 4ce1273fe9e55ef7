//! The tokens of JSON: commas, colons, words and strings.

use std::borrow::Cow;

use serde::{Deserialize, de::Error};

use super::{
    error::JsonError,
    reader::Json,
    skip::{Obstacle, obstacle},
};

impl<'de> Json<'de> {
    /// Returns the next byte after white space. Only the white space is consumed.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Returns the same as `next`, but the end of the text is an error.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, JsonError> {
        self.next().ok_or_else(|| self.incomplete())
    }

    /// Returns whether another member or element follows before `close`. Consumes the comma before it.
    #[inline]
    pub(super) fn has_next(&mut self, close: u8, is_first: &mut bool) -> Result<bool, JsonError> {
        match self.peek()? {
            next if next == close => Ok(false),
            _ if std::mem::take(is_first) => Ok(true),
            b',' => {
                self.at += 1;
                if self.peek()? == close { Err(self.malformed("a value after `,`")) } else { Ok(true) }
            }
            _ => Err(self.malformed("`,` or the end of an object or array")),
        }
    }

    /// Returns the same for the members of an object, which begin with a key.
    #[inline]
    pub(super) fn has_member(&mut self, is_first: &mut bool) -> Result<bool, JsonError> {
        let has_next = self.has_next(b'}', is_first)?;
        if has_next && self.peek()? != b'"' { Err(self.malformed("a key")) } else { Ok(has_next) }
    }

    /// Consumes the colon between a key and its value.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), JsonError> {
        if self.peek()? != b':' {
            return Err(self.malformed("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Decodes the string at the position.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, JsonError> {
        let start = self.at + 1;
        match obstacle(self.text.as_bytes(), start) {
            Some((end, Obstacle::Quote)) => {
                self.at = end + 1;
                Ok(Cow::Borrowed(&self.text[start..end]))
            }
            Some((_, Obstacle::Backslash)) => {
                self.by_serde_json(|json| Deserialize::deserialize(json)).map(Cow::Owned)
            }
            Some((at, Obstacle::Control)) => Err(control(at)),
            None => Err(self.incomplete()),
        }
    }

    /// Skips the string at the position. Its escapes are not checked.
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

    /// Reads the integer at the position, if it is one of at most 18 digits. Otherwise nothing is consumed.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let rest = &self.text.as_bytes()[self.at..];
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = &rest[sign..];
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // A zero has no digits behind it, and one with a sign is a float. More may follow at the end of the text.
        let is_plain = matches!(length, 1..=18)
            && (digits[0] != b'0' || (length == 1 && sign == 0))
            && !matches!(digits.get(length)?, b'.' | b'e' | b'E');
        if !is_plain {
            return None;
        }
        self.at += sign + length;
        let value = digits[..length].iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        Some(if sign == 1 { -value } else { value })
    }

    /// Consumes a `null`, if it is next.
    pub(crate) fn null(&mut self) -> Result<bool, JsonError> {
        let is_null = self.peek()? == b'n';
        if is_null {
            self.word("null")?;
        }
        Ok(is_null)
    }

    /// Consumes `word`.
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
