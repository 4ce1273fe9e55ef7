//! [`Text`]: an object's JSON, and where in it the values are that a cache needs. Made in one reading of
//! the server's text, which copies everything but `managedFields` and looks into the metadata alone.

use std::{borrow::Cow, cell::Cell, fmt, marker::PhantomData, ops::Deref};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
    jiff::Timestamp,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{ManagedFields, Metadata};

#[derive(Clone, Default)]
pub(super) struct Text {
    /// The object's JSON. Behind it, as they read, those of the values below that JSON escapes: usually none.
    text: Box<str>,
    json: u32,
    name: Span,
    namespace: Span,
    uid: Span,
    resource_version: Span,
    labels: Box<[(Span, Span)]>,
    owner_references: Box<[OwnerReference]>,
    deletion_timestamp: Option<Timestamp>,
}

/// A part of the text.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

impl Text {
    /// Reads an object. `R` is what values are taken as: borrowed where the deserializer can, or boxed.
    pub(super) fn read<'de, R, D>(deserializer: D, managed_fields: ManagedFields) -> Result<Self, D::Error>
    where
        R: Deserialize<'de> + Deref<Target = RawValue>,
        D: Deserializer<'de>,
    {
        let mut draft = Draft::begin(managed_fields);
        deserializer.deserialize_map(Map {
            draft: &mut draft,
            level: Level::Object,
            raw: PhantomData::<R>,
        })?;
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

    fn owner_references(&self) -> &[OwnerReference] {
        &self.owner_references
    }

    fn deletion_timestamp(&self) -> Option<Timestamp> {
        self.deletion_timestamp
    }
}

thread_local! {
    /// Where texts are put together before they are copied to where they just fit.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// A scratch that has grown beyond this is not kept: most objects are smaller by far.
const LARGEST_SCRATCH: usize = 1 << 20;

/// Marks the start of a span that counts from the end of the JSON, while that is not known.
const BEHIND: u32 = 1 << 31;

/// A text while it is being read.
struct Draft {
    managed_fields: ManagedFields,
    json: String,
    /// Values that are escaped in `json`, as they read.
    behind: String,
    text: Text,
}

impl Draft {
    fn begin(managed_fields: ManagedFields) -> Self {
        let mut json = SCRATCH.take();
        json.clear();
        Self { managed_fields, json, behind: String::new(), text: Text::default() }
    }

    fn finish<E: Error>(mut self) -> Result<Text, E> {
        let json = u32::try_from(self.json.len()).ok().filter(|json| *json < BEHIND);
        let json = json.ok_or_else(|| E::custom("the object is longer than 2 GiB"))?;
        self.text.json = json;
        if !self.behind.is_empty() {
            self.json.push_str(&self.behind);
            let Text { name, namespace, uid, resource_version, labels, .. } = &mut self.text;
            let labels = labels.iter_mut().flat_map(|(key, value)| [key, value]);
            for span in [name, namespace, uid, resource_version].into_iter().chain(labels) {
                if span.start & BEHIND != 0 {
                    span.start = (span.start & !BEHIND) + json;
                }
            }
        }
        self.text.text = self.json.as_str().into();
        if self.json.capacity() <= LARGEST_SCRATCH {
            SCRATCH.set(self.json);
        }
        Ok(self.text)
    }

    /// Of a key that is not `owned` the deserializer has found that nothing in it is escaped.
    fn key<E: Error>(&mut self, key: &str, owned: bool) -> Result<(), E> {
        if !self.json.ends_with('{') {
            self.json.push(',');
        }
        if owned {
            self.json.push_str(&serde_json::to_string(key).map_err(E::custom)?);
        } else {
            self.json.push('"');
            self.json.push_str(key);
            self.json.push('"');
        }
        self.json.push(':');
        Ok(())
    }

    /// Copies a value of the metadata, and takes out of it what is to be known.
    fn metadata<E: Error>(&mut self, key: &str, value: &str) -> Result<(), E> {
        let start = self.json.len();
        self.json.push_str(value);
        match key {
            "name" => self.text.name = self.string(start, value)?,
            "namespace" => self.text.namespace = self.string(start, value)?,
            "uid" => self.text.uid = self.string(start, value)?,
            "resourceVersion" => self.text.resource_version = self.string(start, value)?,
            "labels" => {
                let labels = read::<Labels<'_>, E>(value)?.0.into_iter();
                let mut span = |label| self.span(start, value, label);
                let labels = labels.map(|(key, value)| (span(key), span(value)));
                self.text.labels = labels.collect();
            }
            "ownerReferences" => {
                let owners: Option<Vec<OwnerReference>> = read(value)?;
                self.text.owner_references = owners.unwrap_or_default().into();
            }
            "deletionTimestamp" => {
                self.text.deletion_timestamp = read::<Option<Time>, E>(value)?.map(|time| time.0);
            }
            _ => {}
        }
        Ok(())
    }

    fn string<E: Error>(&mut self, start: usize, value: &str) -> Result<Span, E> {
        let string = read::<Option<Str<'_>>, E>(value)?;
        Ok(string.map_or_else(Span::default, |Str(string)| self.span(start, value, string)))
    }

    /// Where `part` is to be found, which was read out of `value`, which was copied to `start`. A number that
    /// does not fit belongs to a text that is too long: `finish` refuses it.
    fn span(&mut self, start: usize, value: &str, part: Cow<'_, str>) -> Span {
        let length = part.len() as u32;
        match part {
            Cow::Borrowed(part) => {
                let offset = part.as_ptr().addr() - value.as_ptr().addr();
                Span { start: (start + offset) as u32, length }
            }
            Cow::Owned(part) => {
                let offset = self.behind.len() as u32;
                self.behind.push_str(&part);
                Span { start: BEHIND | offset, length }
            }
        }
    }
}

fn read<'a, V: Deserialize<'a>, E: Error>(value: &'a str) -> Result<V, E> {
    serde_json::from_str(value).map_err(E::custom)
}

/// A string that borrows unless it is escaped.
#[derive(Deserialize)]
struct Str<'a>(#[serde(borrow)] Cow<'a, str>);

/// In the order in which they stand there; `null` is none.
struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> Deserialize<'de> for Labels<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Labels<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }

    fn visit_none<E: Error>(self) -> Result<Labels<'de>, E> {
        Ok(Labels(Vec::new()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Labels<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels<'de>, A::Error> {
        let mut labels = Vec::with_capacity(8); // as many as most objects have
        while let Some((Str(key), Str(value))) = map.next_entry()? {
            labels.push((key, value));
        }
        Ok(Labels(labels))
    }
}

/// Which map is being read. Below the metadata values are copied unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Object,
    Metadata,
}

/// Copies a map into the draft.
struct Map<'a, R> {
    draft: &'a mut Draft,
    level: Level,
    raw: PhantomData<R>,
}

impl<'de, R: Deserialize<'de> + Deref<Target = RawValue>> Visitor<'de> for Map<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Object => "an object",
            Level::Metadata => "an object's metadata",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { draft, level, raw } = self;
        let dropped = level == Level::Metadata && draft.managed_fields == ManagedFields::Dropped;
        draft.json.push('{');
        while let Some(Str(key)) = map.next_key()? {
            if dropped && key == "managedFields" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            draft.key(&key, matches!(key, Cow::Owned(_)))?;
            match level {
                Level::Object if key == "metadata" => {
                    map.next_value_seed(Map { draft: &mut *draft, level: Level::Metadata, raw })?;
                }
                Level::Object => draft.json.push_str(map.next_value::<R>()?.get()),
                Level::Metadata => draft.metadata(&key, map.next_value::<R>()?.get())?,
            }
        }
        draft.json.push('}');
        Ok(())
    }
}

impl<'de, R: Deserialize<'de> + Deref<Target = RawValue>> DeserializeSeed<'de> for Map<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}
