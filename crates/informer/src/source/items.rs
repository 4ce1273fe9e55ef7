//! [`ItemParser`]: decodes the objects of a list one by one while the body arrives. It holds one chunk of the
//! body, not the list.

use std::marker::PhantomData;

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error},
};
use trimtab_cache::{Json, JsonError, ManagedFields, Metadata, Object};

use super::{
    unreadable::{Unreadable, nameless},
    watch::contained,
};

/// The number of bytes at which parsing begins: an object that ends in the next chunk is read twice. More bytes
/// would not stay in the processor's cache until they are read.
const WORTHWHILE: usize = 64 * 1024;

/// A parser that takes bytes and yields objects. It waits until there are enough bytes.
pub(crate) struct ItemParser<T> {
    buffer: String,
    /// The beginning of a character whose end has not arrived.
    cut: Vec<u8>,
    /// The parser's position; everything before it is parsed.
    at: usize,
    /// The number of bytes behind `at` at which the parser looks again.
    enough: usize,
    ended: bool,
    place: Place,
    meta: ListMeta,
    managed_fields: ManagedFields,
    items: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Before a key or the end of the list object.
    Key,
    /// After a value of the list object.
    AfterValue,
    /// Before the first item or the end of the items.
    FirstItem,
    /// After an item.
    AfterItem,
    End,
}

/// The metadata of a list.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListMeta {
    pub(crate) resource_version: String,
    #[serde(rename = "continue")]
    pub(crate) token: Option<String>,
}

impl<T: Object + DeserializeOwned> ItemParser<T> {
    pub(crate) fn new(managed_fields: ManagedFields) -> Self {
        Self {
            buffer: String::with_capacity(WORTHWHILE * 3 / 2), // and one chunk
            cut: Vec::new(),
            at: 0,
            enough: WORTHWHILE,
            ended: false,
            place: Place::Start,
            meta: ListMeta::default(),
            managed_fields,
            items: PhantomData,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        let mut begun = std::mem::take(&mut self.cut); // usually nothing
        let bytes = if begun.is_empty() {
            chunk
        } else {
            begun.extend_from_slice(chunk);
            &begun
        };
        self.cut = push_text(&mut self.buffer, bytes);
    }

    /// Marks the end of the body.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Returns the next object. `None` asks for more bytes, or ends the list once the body has ended.
    ///
    /// The inner error is an object that is not a `T`; the next call continues after it.
    pub(crate) fn next(&mut self) -> Result<Option<Result<T, Unreadable>>, JsonError> {
        if !self.ended && self.buffer.len() - self.at < self.enough {
            return Ok(None);
        }
        loop {
            let Some(next) = self.peek() else {
                return self.incomplete();
            };
            match (self.place, next) {
                (Place::Start, b'{') => self.step(Place::Key),
                (Place::AfterValue, b',') => self.step(Place::Key),
                (Place::Key | Place::AfterValue, b'}') => self.step(Place::End),
                (Place::Key, _) => {
                    if !self.member()? {
                        return self.incomplete();
                    }
                }
                (Place::FirstItem | Place::AfterItem, b']') => self.step(Place::AfterValue),
                (Place::AfterItem, b',') => {
                    self.at += 1;
                    // Before an item; a `]` here is malformed, and fails as an object.
                    match self.item()? {
                        Some(item) => return Ok(Some(item)),
                        None => {
                            self.at -= 1;
                            return self.incomplete();
                        }
                    }
                }
                (Place::FirstItem, _) => match self.item()? {
                    Some(item) => return Ok(Some(item)),
                    None => return self.incomplete(),
                },
                _ => return Err(malformed("a list", next)),
            }
        }
    }

    /// Returns whether the whole list has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.ended && self.place == Place::End
    }

    /// Returns the list's metadata, once all objects have been taken.
    pub(crate) fn into_meta(self) -> ListMeta {
        self.meta
    }

    /// Reads a member of the list object. `false` if it has not arrived completely; then nothing is read.
    fn member(&mut self) -> Result<bool, JsonError> {
        let start = self.at;
        let complete = self.complete_member()?;
        if !complete {
            self.at = start;
        }
        Ok(complete)
    }

    fn complete_member(&mut self) -> Result<bool, JsonError> {
        let Some(key) = self.value::<String>()? else {
            return Ok(false);
        };
        match self.peek() {
            None => return Ok(false),
            Some(b':') => self.at += 1,
            Some(other) => return Err(malformed("`:`", other)),
        }
        let Some(next) = self.peek() else { return Ok(false) };
        match (key.as_str(), next) {
            ("items", b'[') => {
                self.step(Place::FirstItem);
                return Ok(true);
            }
            ("metadata", b'{') => match self.value::<ListMeta>()? {
                Some(meta) => self.meta = meta,
                None => return Ok(false),
            },
            (_, b'{' | b'[' | b'"') => {
                if self.value_by(Json::skip)?.is_none() {
                    return Ok(false);
                }
            }
            // A number, or `null` where Go had no items. It ends at the next separator.
            _ => match self.buffer[self.at..].find([',', '}']) {
                Some(length) => self.at += length,
                None => return Ok(false),
            },
        }
        self.place = Place::AfterValue;
        Ok(true)
    }

    fn item(&mut self) -> Result<Option<Result<T, Unreadable>>, JsonError> {
        let (managed_fields, start) = (self.managed_fields, self.at);
        let item = match contained(|| self.value_by(|json| T::decode(json, managed_fields))) {
            Ok(None) => return Ok(None),
            Ok(Some(object)) if object.metadata().name().is_empty() => {
                Err(Unreadable::new(&self.buffer[start..self.at], &nameless(), None)?)
            }
            Ok(Some(object)) => Ok(object),
            Err(error) => {
                let Some(object) = self.value_by(Json::skip)? else {
                    return Ok(None);
                };
                // This checks the whole object: if it is not JSON, the list is malformed.
                Err(Unreadable::new(object, &error, None)?)
            }
        };
        self.place = Place::AfterItem;
        Ok(Some(item))
    }

    fn value<'a, V: Deserialize<'a>>(&'a mut self) -> Result<Option<V>, JsonError> {
        self.value_by(|json| V::deserialize(json))
    }

    /// Reads the value that begins here with `decode`; `None` if its end has not arrived.
    fn value_by<'a, V>(
        &'a mut self,
        decode: impl FnOnce(&mut Json<'a>) -> Result<V, JsonError>,
    ) -> Result<Option<V>, JsonError> {
        let mut json = Json::new(&self.buffer[self.at..]);
        match decode(&mut json) {
            Ok(value) => {
                self.at += json.offset();
                Ok(Some(value))
            }
            Err(error) if error.is_incomplete() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn step(&mut self, place: Place) {
        self.at += 1;
        self.place = place;
    }

    /// Returns the next byte that is not white space; the parser stays before it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.buffer.as_bytes()[self.at..];
        let skip = rest.iter().position(|byte| !byte.is_ascii_whitespace());
        self.at += skip.unwrap_or(rest.len());
        self.buffer.as_bytes().get(self.at).copied()
    }

    /// Asks for twice as many bytes as there are, so that a big object is not tried again and again.
    fn incomplete<V>(&mut self) -> Result<Option<V>, JsonError> {
        if !self.ended {
            let rest = self.buffer.len() - self.at;
            self.enough = (rest * 2).max(rest + WORTHWHILE);
            return Ok(None);
        }
        if self.place == Place::End {
            Ok(None)
        } else {
            Err(JsonError::custom("the list ends before its closing brace"))
        }
    }
}

/// Appends `bytes` as Go reads them: bytes that are not UTF-8 read as U+FFFD. They must not fail every list that has the
/// object. Returns the beginning of a character whose end is missing.
fn push_text(text: &mut String, mut bytes: &[u8]) -> Vec<u8> {
    loop {
        let Err(error) = str::from_utf8(bytes).map(|valid| text.push_str(valid)) else { return Vec::new() };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(valid));
        let Some(length) = error.error_len() else { return rest.to_vec() };
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = &rest[length..];
    }
}

fn malformed(expected: &str, found: u8) -> JsonError {
    JsonError::custom(format_args!("expected {expected}, found `{}`", found.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use trimtab_cache::{MetaView, Metadata};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct View {
        metadata: MetaView,
        #[serde(default)]
        number: u8,
    }

    impl Object for View {
        type Kind = ConfigMap;
        fn metadata(&self) -> &impl Metadata {
            &self.metadata
        }
    }

    /// Parses `text`, fed in pieces of `piece` bytes.
    fn parse(text: impl AsRef<[u8]>, piece: usize) -> Result<(Vec<String>, ListMeta), JsonError> {
        let mut parser = ItemParser::<View>::new(ManagedFields::Dropped);
        let mut names = Vec::new();
        let mut pieces = text.as_ref().chunks(piece);
        loop {
            while let Some(item) = parser.next()? {
                names.push(match item {
                    Ok(view) => format!("{} {}", view.metadata.name(), view.number),
                    Err(Unreadable::Object(wrong)) => {
                        format!("{}: {}", wrong.object.key(), wrong.object.reason())
                    }
                    Err(Unreadable::Malformed(wrong)) => format!("malformed: {}", wrong.object.reason()),
                });
            }
            match pieces.next() {
                Some(piece) => {
                    parser.feed(piece);
                    parser.enough = 0;
                }
                None if parser.ended => return Ok((names, parser.into_meta())),
                None => parser.end(),
            }
        }
    }

    #[test]
    fn a_list_is_read_alike_however_it_is_cut() {
        let text = r#" {"kind":"List","apiVersion":"v1","n":12,"metadata":{"resourceVersion":"7","continue":"t"} ,
            "items":[ {"metadata":{"name":"a","labels":{"x":"}],\"{"}},"number":1},
                      {"metadata":{"namespace":"n","name":"b"},"number":"wrong"} , {"metadata":{"name":"c"}}],
            "more":[{"a":1}] , "last":null } "#;
        for piece in 1..text.len() {
            let (names, meta) = parse(text, piece).expect("a list");
            assert_eq!(names.len(), 3, "{piece}");
            assert_eq!([names[0].as_str(), names[2].as_str()], ["a 1", "c 0"], "{piece}");
            assert!(names[1].starts_with("n/b: invalid type: string \"wrong\""), "{}", names[1]);
            assert_eq!((meta.resource_version.as_str(), meta.token.as_deref()), ("7", Some("t")));
        }
    }

    #[test]
    fn an_item_with_malformed_metadata_does_not_fail_its_list() {
        let text = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}},{"metadata":"text"},
            {"metadata":{"name":5}},{"metadata":{"name":"b","resourceVersion":7}},5,{"metadata":{"name":"c"}}]}"#;
        for piece in 1..text.len() {
            let (names, _) = parse(text, piece).expect("a list");
            let starts = ["a 0", "malformed: ", "malformed: ", "b: ", "malformed: ", "c 0"];
            assert_eq!(names.len(), starts.len(), "{names:?}");
            for (name, start) in names.iter().zip(starts) {
                assert!(name.starts_with(start), "{name} {start}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_do_not_fail_a_list() {
        let text = b"{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"metadata\":{\"name\":\"\xff\xc3\xa4\xe2\x82\"}},
            {\"metadata\":{\"name\":\"b\"}}]}";
        for piece in 1..text.len() {
            let (names, _) = parse(text, piece).expect("a list");
            assert_eq!(names, ["\u{fffd}ä\u{fffd} 0", "b 0"], "{piece}");
        }
    }

    #[test]
    fn metadata_may_follow_the_items_and_items_may_be_null_or_empty() {
        for items in ["null", "[]", "[ ]"] {
            let text = format!(r#"{{"items":{items},"metadata":{{"resourceVersion":"7"}}}}"#);
            for piece in 1..text.len() {
                let (names, meta) = parse(&text, piece).expect("a list");
                assert!(names.is_empty());
                assert_eq!(meta.resource_version, "7");
            }
        }
    }

    #[test]
    fn a_list_that_is_cut_or_is_no_json_is_an_error() {
        let text = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}"#;
        for end in 0..text.len() {
            assert!(parse(&text[..end], 8).is_err(), "{end}");
        }
        for text in
            ["[]", "nonsense", r#"{"items":[{"metadata":{]}]}"#, r#"{"items":[{"metadata":{"name":"a"}},]}"#]
        {
            assert!(parse(text, 8).is_err(), "{text}");
        }
    }
}
