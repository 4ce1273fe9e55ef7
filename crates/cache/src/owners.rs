//! [`OwnerReferences`]: the owners of an object, shared by all objects with the same owners.

use std::{fmt, ops::Deref, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::{Deserialize, Deserializer};

use crate::{
    json::Str,
    pool::{Pool, hash_of},
};

/// The owner references of an object, in one slice that all objects with the same references share.
///
/// A reference takes 250 bytes, and all Pods of a ReplicaSet have the same one. Reading references that are known makes no
/// copy of their texts. References cannot be changed in place, only made anew:
///
/// ```
/// use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
/// use trimtab_cache::OwnerReferences;
///
/// let owner = OwnerReference { kind: "ReplicaSet".into(), name: "web".into(), uid: "7".into(), ..Default::default() };
/// let owners: OwnerReferences = [owner].into_iter().collect();
/// assert_eq!(owners[0].name, "web");
/// ```
#[derive(Clone, Default)]
pub struct OwnerReferences(Option<Arc<[OwnerReference]>>);

static POOL: Pool<[OwnerReference]> =
    Pool::new(|owners| hash_of_uids(owners.iter().map(|owner| &*owner.uid)));

/// Returns the hash of references: a UID is of one object only, so that the rest adds nothing.
fn hash_of_uids<'a>(uids: impl Iterator<Item = &'a str>) -> u64 {
    uids.fold(0, |hash, uid| hash_of(&(hash, uid)))
}

impl Deref for OwnerReferences {
    type Target = [OwnerReference];

    fn deref(&self) -> &[OwnerReference] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<&[OwnerReference]> for OwnerReferences {
    fn from(owners: &[OwnerReference]) -> Self {
        if owners.is_empty() {
            return Self::default();
        }
        let hash = hash_of_uids(owners.iter().map(|owner| &*owner.uid));
        Self(Some(POOL.get(hash, |other| *other == *owners, || owners.into())))
    }
}

impl FromIterator<OwnerReference> for OwnerReferences {
    fn from_iter<I: IntoIterator<Item = OwnerReference>>(owners: I) -> Self {
        Self::from(&*owners.into_iter().collect::<Vec<_>>())
    }
}

/// Equal references have the same address.
impl PartialEq for OwnerReferences {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Eq for OwnerReferences {}

impl fmt::Debug for OwnerReferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&**self).finish()
    }
}

/// From a list; null is an empty one.
impl<'de> Deserialize<'de> for OwnerReferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Option::<Vec<Read<'de>>>::deserialize(deserializer)?.unwrap_or_default();
        if read.is_empty() {
            return Ok(Self::default());
        }
        let hash = hash_of_uids(read.iter().map(|owner| text(&owner.uid)));
        let known = |other: &[OwnerReference]| {
            other.len() == read.len() && other.iter().zip(&read).all(|(other, read)| read.is(other))
        };
        Ok(Self(Some(POOL.get(hash, known, || read.iter().map(Read::copied).collect()))))
    }
}

/// A reference while it is read: its texts are copied only if nobody has them yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read<'a> {
    #[serde(borrow)]
    api_version: Option<Str<'a>>,
    block_owner_deletion: Option<bool>,
    controller: Option<bool>,
    kind: Option<Str<'a>>,
    name: Option<Str<'a>>,
    uid: Option<Str<'a>>,
}

impl Read<'_> {
    fn is(&self, other: &OwnerReference) -> bool {
        text(&self.uid) == other.uid
            && text(&self.name) == other.name
            && text(&self.kind) == other.kind
            && text(&self.api_version) == other.api_version
            && self.controller == other.controller
            && self.block_owner_deletion == other.block_owner_deletion
    }

    fn copied(&self) -> OwnerReference {
        OwnerReference {
            api_version: text(&self.api_version).to_owned(),
            block_owner_deletion: self.block_owner_deletion,
            controller: self.controller,
            kind: text(&self.kind).to_owned(),
            name: text(&self.name).to_owned(),
            uid: text(&self.uid).to_owned(),
        }
    }
}

/// Returns a text; an absent one is empty, as in Go.
fn text<'a>(text: &'a Option<Str<'_>>) -> &'a str {
    text.as_ref().map_or("", |Str(text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;

    const OWNERS: &str = r#"[{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "w\u0065b", "uid": "u1", "controller": true,
        "blockOwnerDeletion": true}, {"uid": "u2", "name": null, "more": [1]}]"#;

    fn read(text: &str) -> OwnerReferences {
        OwnerReferences::deserialize(&mut Json::new(text)).expect("owner references")
    }

    #[test]
    fn references_are_read_as_their_own_type_reads_them() {
        let expected: Vec<OwnerReference> = serde_json::from_str(OWNERS).expect("owner references");
        assert_eq!(*read(OWNERS), *expected);
        assert_eq!(serde_json::from_str::<OwnerReferences>(OWNERS).expect("owner references"), read(OWNERS));
        assert_eq!(OwnerReferences::from(&*expected), read(OWNERS));
        for empty in ["null", "[]"] {
            assert_eq!(read(empty), OwnerReferences::default());
        }
        for wrong in ["{}", r#"[{"uid": 1}]"#, r#"[{"controller": "yes"}]"#, "[1]"] {
            OwnerReferences::deserialize(&mut Json::new(wrong)).expect_err(wrong);
        }
    }

    #[test]
    fn equal_references_are_one_and_others_are_not() {
        let (one, other) = (read(OWNERS), read(OWNERS));
        assert!(std::ptr::eq(&*one, &*other));
        for (from, to) in [
            ("apps/v1", "apps/v2"),
            ("ReplicaSet", "Job"),
            ("65b", "65c"),
            ("true,", "false,"),
            ("\"u2", "\"u3"),
        ] {
            let other = read(&OWNERS.replacen(from, to, 1));
            assert!(one != other && *one != *other, "{to}");
        }
    }
}
