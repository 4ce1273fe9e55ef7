//! [`ItemParser`]: the objects of a list, one by one, while its body still comes in. Holds one chunk of
//! the body, not the list.

use std::marker::PhantomData;

use serde::{
    Deserialize,
    de::{DeserializeOwned, Error},
};
use trimtab_cache::{Json, JsonError, ManagedFields, Object};

use super::watch::{Undecodable, contained};

/// Parsing begins when so much has come: an object that ends in the next chunk is read twice. More would not stay in
/// the processor's cache until it is read.
const WORTHWHILE: usize = 64 * 1024;

/// A parser that is fed bytes and gives objects. It takes no step until enough has been fed.
pub(crate) struct ItemParser<T> {
    buffer: String,
    /// The beginning of a character whose end has not come.
    cut: Vec<u8>,
    /// Everything before is done with.
    at: usize,
    /// So much must be in `buffer` behind `at` before it is worth looking.
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
    /// In front of a key, or of the end of the list object.
    Key,
    /// Behind a value of the list object.
    AfterValue,
    /// In front of the first item, or of the end of the items.
    FirstItem,
    /// Behind an item.
    AfterItem,
    End,
}

/// What a list says of itself.
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

    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<(), JsonError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let mut begun = std::mem::take(&mut self.cut); // usually nothing
        let bytes = if begun.is_empty() {
            chunk
        } else {
            begun.extend_from_slice(chunk);
            &begun
        };
        let text = str::from_utf8(bytes).or_else(|error| match error.error_len() {
            Some(_) => Err(JsonError::custom(error)),
            None => {
                let (text, cut) = bytes.split_at(error.valid_up_to());
                self.cut = cut.to_vec();
                str::from_utf8(text).map_err(JsonError::custom)
            }
        })?;
        self.buffer.push_str(text);
        Ok(())
    }

    /// Says that the whole body has been fed.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// The next object; `None` if more must be fed, or if there are no more once the body has ended.
    ///
    /// An object that is there but is no `T` is the inner error, and the next call goes on behind it.
    pub(crate) fn next(&mut self) -> Result<Option<Result<T, Undecodable>>, JsonError> {
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
                    // In front of an item now; a `]` here would be wrong, and is no object either.
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

    /// Whether the whole list has been taken.
    pub(crate) fn is_done(&self) -> bool {
        self.ended && self.place == Place::End
    }

    /// What the list said of itself, once the body has ended and all objects have been taken.
    pub(crate) fn into_meta(self) -> ListMeta {
        self.meta
    }

    /// A member of the list object. `false` if it has not come in whole; nothing is taken then.
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
            // A number, or `null` where Go had no items. It ends where the next thing begins.
            _ => match self.buffer[self.at..].find([',', '}']) {
                Some(length) => self.at += length,
                None => return Ok(false),
            },
        }
        self.place = Place::AfterValue;
        Ok(true)
    }

    fn item(&mut self) -> Result<Option<Result<T, Undecodable>>, JsonError> {
        let managed_fields = self.managed_fields;
        let item = match contained(|| self.value_by(|json| T::decode(json, managed_fields))) {
            Ok(None) => return Ok(None),
            Ok(Some(object)) => Ok(object),
            Err(error) => {
                let Some(object) = self.value_by(Json::skip)? else {
                    return Ok(None);
                };
                // Which looks at all of it: if it is no JSON at all, the list is at fault.
                Err(Undecodable::new(object, error)?)
            }
        };
        self.place = Place::AfterItem;
        Ok(Some(item))
    }

    fn value<'a, V: Deserialize<'a>>(&'a mut self) -> Result<Option<V>, JsonError> {
        self.value_by(|json| V::deserialize(json))
    }

    /// The value that begins here, as `decode` reads it; `None` if its end has not come.
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

    /// The next byte that is no white space; stays in front of it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.buffer.as_bytes()[self.at..];
        let skip = rest.iter().position(|byte| !byte.is_ascii_whitespace());
        self.at += skip.unwrap_or(rest.len());
        self.buffer.as_bytes().get(self.at).copied()
    }

    /// More is needed; twice of what there is, lest a big object be tried over and over.
    fn incomplete<V>(&mut self) -> Result<Option<V>, JsonError> {
        if !self.ended {
            let rest = self.buffer.len() - self.at;
            self.enough = (rest * 2).max(rest + WORTHWHILE);
            return Ok(None);
        }
        if self.place == Place::End {
            Ok(None)
        } else {
            Err(JsonError::custom("the list ends in the middle"))
        }
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
    fn parse(text: &str, piece: usize) -> Result<(Vec<String>, ListMeta), JsonError> {
        let mut parser = ItemParser::<View>::new(ManagedFields::Dropped);
        let mut names = Vec::new();
        let mut pieces = text.as_bytes().chunks(piece);
        loop {
            while let Some(item) = parser.next()? {
                names.push(match item {
                    Ok(view) => format!("{} {}", view.metadata.name(), view.number),
                    Err(wrong) => format!("{}: {}", wrong.key, wrong.reason),
                });
            }
            match pieces.next() {
                Some(piece) => {
                    parser.feed(piece)?;
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
