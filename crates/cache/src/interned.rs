//! [`Interned`]: a string that is in memory once, however many objects have it.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::pool::{Pool, hash_of};

/// A string that shares its text with all equal strings in the process.
///
/// For fields that repeat over objects: node names, images, phases. Each copy takes 16 bytes, and comparison for
/// equality compares addresses. Creating one looks it up in a table of all interned strings, which costs about as much
/// as an allocation and its release. A text that does not repeat takes some 40 bytes more than a `Box<str>`.
///
/// ```
/// use serde::Deserialize;
/// use trimtab_cache::Interned;
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct SpecView {
///     node_name: Option<Interned>,
/// }
///
/// let spec: SpecView = serde_json::from_str(r#"{"nodeName": "node-1"}"#)?;
/// assert_eq!(spec.node_name, Some(Interned::new("node-1"))); // the same text
/// assert_eq!(spec.node_name.as_deref(), Some("node-1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Texts without a copy left are freed when the table would grow.
#[derive(Clone)]
pub struct Interned(Arc<str>);

impl Interned {
    /// Interns a text.
    pub fn new(text: &str) -> Self {
        Self(POOL.get(hash_of(text), |other| *other == *text, || text.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

static POOL: Pool<str> = Pool::new(hash_of);

/// Equal texts have the same address.
impl PartialEq for Interned {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Interned {}

impl PartialEq<str> for Interned {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl std::hash::Hash for Interned {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state); // as `str` hashes, because of `Borrow<str>`
    }
}

impl PartialOrd for Interned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Interned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Deref for Interned {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Interned {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Interned {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Default for Interned {
    fn default() -> Self {
        Self::new("")
    }
}

impl From<&str> for Interned {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Interned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Interned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Interned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Interned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(InternedVisitor)
    }
}

/// Looks a borrowed text up, and copies it only if it is new.
struct InternedVisitor;

impl de::Visitor<'_> for InternedVisitor {
    type Value = Interned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Interned, E> {
        Ok(Interned::new(text))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    #[test]
    fn equal_strings_are_one_whoever_makes_them() {
        let make =
            || (0..1_000).map(|number| Interned::new(&format!("node-{}", number % 100))).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(make)).collect();
        let made: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let texts: HashSet<_> = made.iter().map(|one| one.as_str().as_ptr()).collect();
        assert_eq!(texts.len(), 100);
        assert_eq!((&made[7], &*made[7]), (&made[1_007], "node-7"));
        assert!(made[7] != made[8] && made[7] < made[8]);
    }

    #[test]
    fn a_string_is_read_and_written_as_text() {
        let read: Vec<Interned> = serde_json::from_str(r#"["a","\u0061",""]"#).unwrap();
        assert_eq!(read, [Interned::new("a"), Interned::new("a"), Interned::default()]);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["a","a",""]"#);
        serde_json::from_str::<Interned>("1").unwrap_err();
    }
}
