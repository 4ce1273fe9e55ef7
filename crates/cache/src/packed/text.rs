//! [`Text`]: an object's JSON text and the positions of the metadata fields that lookups need. It is made by reading
//! the metadata of the server's text once, and copying the text without `managedFields`.

use std::{borrow::Cow, ops::Range};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::{Deserialize, de::Error};

use crate::{Json, JsonError, Labels, ManagedFields, Metadata, OwnerReferences, Time, json::Str};

/// An object's JSON text with its metadata fields located.
#[derive(Clone, Default)]
pub(super) struct Text {
    /// The JSON, followed by the unescaped form of those values below that JSON escapes: usually none.
    text: Box<str>,
    json: u32,
    name: Span,
    namespace: Span,
    uid: Span,
    resource_version: Span,
    labels: Box<[(Span, Span)]>,
    owner_references: OwnerReferences,
    deletion_timestamp: Option<Time>,
}

/// The position of a value in the text.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

impl Text {
    /// Reads an object.
    pub(super) fn read(json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError> {
        json.next(); // white space
        let (start, source) = (json.offset(), json.rest());
        let mut draft = Draft { source, start, managed_fields, ..Draft::default() };
        json.members(|key, json| match &*key {
            "metadata" => draft.metadata(json),
            _ => json.skip().map(drop),
        })?;
        draft.source = &source[..json.offset() - start];
        draft.finish()
    }

    pub(super) fn json(&self) -> &str {
        &self.text[..self.json as usize]
    }

    fn at(&self, span: Span) -> &str {
        &self.text[span.start as usize..][..span.length as usize]
    }
}

impl Metadata for Text {
    fn name(&self) -> &str {
        self.at(self.name)
    }

    fn namespace(&self) -> Option<&str> {
        Some(self.at(self.namespace)).filter(|namespace| !namespace.is_empty())
    }

    fn uid(&self) -> &str {
        self.at(self.uid)
    }

    fn resource_version(&self) -> &str {
        self.at(self.resource_version)
    }

    fn label(&self, key: &str) -> Option<&str> {
        let (_, value) = self.labels.iter().find(|(name, _)| self.at(*name) == key)?;
        Some(self.at(*value))
    }

    fn labels(&self) -> Labels {
        self.labels.iter().map(|(key, value)| (self.at(*key), self.at(*value))).collect()
    }

    fn owner_references(&self) -> &[OwnerReference] {
        &self.owner_references
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp
    }
}

/// Flag of a span that counts from the end of the JSON, while that position is not known yet.
const APPENDED: u32 = 1 << 31;

/// A text while it is being read. Until `finish`, spans are positions in `source`.
#[derive(Default)]
struct Draft<'a> {
    /// The server's text, from the start of the object.
    source: &'a str,
    /// The reader's position at the start of the object.
    start: usize,
    managed_fields: ManagedFields,
    /// The ranges to leave out, in order.
    cuts: Vec<Range<usize>>,
    /// The unescaped form of values that JSON escapes.
    appended: String,
    text: Text,
}

impl<'a> Draft<'a> {
    fn metadata(&mut self, json: &mut Json<'a>) -> Result<(), JsonError> {
        json.next(); // white space
        let (mut is_first, mut end) = (true, json.offset() + 1);
        json.members(|key, json| {
            if key == "managedFields" && self.managed_fields == ManagedFields::Dropped {
                json.skip()?;
                // One comma goes as well: the one before, or the one after if this is the first member.
                let comma = usize::from(is_first && json.next() == Some(b','));
                let from = std::mem::replace(&mut end, json.offset() + comma);
                self.cuts.push(from - self.start..end - self.start);
                return Ok(());
            }
            self.member(&key, json)?;
            (is_first, end) = (false, json.offset());
            Ok(())
        })
    }

    /// Extracts the value of a metadata field, if lookups need it.
    fn member(&mut self, key: &str, json: &mut Json<'a>) -> Result<(), JsonError> {
        match key {
            "name" => self.text.name = self.string(json)?,
            "namespace" => self.text.namespace = self.string(json)?,
            "uid" => self.text.uid = self.string(json)?,
            "resourceVersion" => self.text.resource_version = self.string(json)?,
            "labels" => self.text.labels = self.labels(json)?,
            "ownerReferences" => self.text.owner_references = OwnerReferences::deserialize(json)?,
            "deletionTimestamp" => {
                self.text.deletion_timestamp = Option::<Time>::deserialize(json)?;
            }
            _ => drop(json.skip()?),
        }
        Ok(())
    }

    fn string(&mut self, json: &mut Json<'a>) -> Result<Span, JsonError> {
        let string = Option::<Str<'_>>::deserialize(json)?;
        Ok(string.map_or_else(Span::default, |Str(string)| self.span(string)))
    }

    fn labels(&mut self, json: &mut Json<'a>) -> Result<Box<[(Span, Span)]>, JsonError> {
        let mut labels = Vec::with_capacity(8); // as many as most objects have
        if !json.null()? {
            json.members(|key, json| {
                let Str(value) = Deserialize::deserialize(json)?;
                labels.push((self.span(key), self.span(value)));
                Ok(())
            })?;
        }
        Ok(labels.into())
    }

    /// The span of `part`, which was read from `source`. A number that does not fit in a `u32` belongs to a text that
    /// `finish` refuses as too long.
    fn span(&mut self, part: Cow<'a, str>) -> Span {
        let length = part.len() as u32;
        match part {
            Cow::Borrowed(part) => {
                let offset = part.as_ptr().addr() - self.source.as_ptr().addr();
                Span { start: offset as u32, length }
            }
            Cow::Owned(part) => {
                let offset = self.appended.len() as u32;
                self.appended.push_str(&part);
                Span { start: APPENDED | offset, length }
            }
        }
    }

    /// Copies the text without the cuts, and moves the spans accordingly.
    fn finish(mut self) -> Result<Text, JsonError> {
        let cut: usize = self.cuts.iter().map(Range::len).sum();
        let json = u32::try_from(self.source.len()).ok().filter(|length| *length < APPENDED);
        let json = json.ok_or_else(|| JsonError::custom("the object is longer than 2 GiB"))? - cut as u32;
        let mut text = String::with_capacity(json as usize + self.appended.len()); // exactly
        let mut from = 0;
        for cut in &self.cuts {
            text.push_str(&self.source[from..cut.start]);
            from = cut.end;
        }
        text.push_str(&self.source[from..]);
        text.push_str(&self.appended);
        let Text { name, namespace, uid, resource_version, labels, .. } = &mut self.text;
        let labels = labels.iter_mut().flat_map(|(key, value)| [key, value]);
        for span in [name, namespace, uid, resource_version].into_iter().chain(labels) {
            if span.start & APPENDED != 0 {
                span.start = (span.start & !APPENDED) + json;
            } else {
                let before = self.cuts.iter().take_while(|cut| cut.start < span.start as usize);
                span.start -= before.map(|cut| cut.len() as u32).sum::<u32>();
            }
        }
        Ok(Text { text: text.into(), json, ..self.text })
    }
}
