//! The bodies of the patches that adopt and release, as plain values.
//!
//! Built-in kinds get strategic merge patches, as upstream sends them: such a patch adds or removes one entry
//! of `ownerReferences`, so it needs no resource version, and a dependent that was merely touched is no
//! conflict. The UID in it keeps a later object of the same name from being touched.
//!
//! Custom resources know no strategic merge patches. A JSON merge patch replaces the list as a whole, so it
//! carries the resource version from which the list was read: the server refuses it (409) if there was a
//! write in between, and no other owner's entry is lost.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::{Value, json};
use trimtab_cache::Metadata;

use crate::state::Wanted;

/// A patch of metadata.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Strategic(Value),
    Merge(Value),
}

/// The change that a claim makes to any dependent.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) reference: OwnerReference,
    pub(crate) finalizers: Vec<String>,
}

impl Claim {
    /// Returns a strategic merge patch of the object `uid`; with a `version`, only of that version.
    pub(crate) fn strategic(&self, wanted: Wanted, uid: &str, version: Option<&str>) -> Body {
        let reference = match wanted {
            Wanted::Adopt => json!(self.reference),
            Wanted::Release => json!({"$patch": "delete", "uid": self.reference.uid}),
        };
        let mut body = json!({"metadata": {"uid": uid, "ownerReferences": [reference]}});
        if !self.finalizers.is_empty() {
            let field = match wanted {
                Wanted::Adopt => "finalizers",
                Wanted::Release => "$deleteFromPrimitiveList/finalizers",
            };
            body["metadata"][field] = json!(self.finalizers);
        }
        if let Some(version) = version {
            body["metadata"]["resourceVersion"] = version.into();
        }
        Body::Strategic(body)
    }

    /// Returns a JSON merge patch of an object whose lists are those of `base`.
    pub(crate) fn merge(&self, wanted: Wanted, base: Base) -> Body {
        let Base { uid, resource_version, mut owners, finalizers } = base;
        owners.retain(|other| other.uid != self.reference.uid);
        let finalizers = finalizers.map(|mut present| {
            present.retain(|one| !self.finalizers.contains(one));
            present
        });
        let finalizers = match wanted {
            Wanted::Adopt => {
                owners.push(self.reference.clone());
                finalizers.map(|present| [present, self.finalizers.clone()].concat())
            }
            Wanted::Release => finalizers,
        };
        let mut body = json!({"metadata": {
            "uid": uid, "resourceVersion": resource_version, "ownerReferences": list(&owners),
        }});
        if let Some(finalizers) = finalizers {
            body["metadata"]["finalizers"] = list(&finalizers);
        }
        Body::Merge(body)
    }
}

/// The lists of a dependent that a JSON merge patch starts from.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    uid: String,
    resource_version: String,
    owners: Vec<OwnerReference>,
    /// `None` if they were not read; a patch then leaves them alone.
    finalizers: Option<Vec<String>>,
}

impl Base {
    /// Creates the lists of a cached object, whose finalizers are not known.
    pub(crate) fn cached(metadata: &impl Metadata) -> Self {
        Self {
            uid: metadata.uid().to_owned(),
            resource_version: metadata.resource_version().to_owned(),
            owners: metadata.owner_references().to_vec(),
            finalizers: None,
        }
    }

    /// Creates the lists of an object that was read from the server.
    pub(crate) fn read(metadata: &ObjectMeta) -> Self {
        Self { finalizers: Some(metadata.finalizers.clone().unwrap_or_default()), ..Self::cached(metadata) }
    }

    pub(crate) fn resource_version(&self) -> &str {
        &self.resource_version
    }

    /// Returns whether the server will notice a write after this state.
    pub(crate) fn has_version(&self) -> bool {
        !self.resource_version.is_empty()
    }
}

/// `null` for an empty list: a merge patch then removes the field.
fn list<T: serde::Serialize>(items: &[T]) -> Value {
    if items.is_empty() { Value::Null } else { json!(items) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(uid: &str, controller: bool) -> OwnerReference {
        OwnerReference {
            api_version: "apps/v1".into(),
            kind: "ReplicaSet".into(),
            name: "web".into(),
            uid: uid.into(),
            controller: controller.then_some(true),
            block_owner_deletion: controller.then_some(true),
        }
    }

    fn claim(uid: &str, finalizers: &[&str]) -> Claim {
        let finalizers = finalizers.iter().map(ToString::to_string).collect();
        Claim { reference: owner(uid, true), finalizers }
    }

    fn metadata(owners: Vec<OwnerReference>, finalizers: &[&str]) -> ObjectMeta {
        ObjectMeta {
            uid: Some("p1".into()),
            resource_version: Some("7".into()),
            owner_references: Some(owners),
            finalizers: Some(finalizers.iter().map(ToString::to_string).collect()),
            ..ObjectMeta::default()
        }
    }

    fn text(body: Body) -> String {
        let (Body::Strategic(body) | Body::Merge(body)) = body;
        body.to_string()
    }

    /// OW-T10: a single owner; its UID with a quote; the dependent's UID with a quote; a finalizer.
    #[test]
    fn a_release_names_one_reference_and_escapes_uids() {
        let release = |owner: &str, finalizers, dependent| {
            text(claim(owner, finalizers).strategic(Wanted::Release, dependent, None))
        };
        assert_eq!(
            release("u1", &[], "p1"),
            r#"{"metadata":{"ownerReferences":[{"$patch":"delete","uid":"u1"}],"uid":"p1"}}"#
        );
        assert_eq!(
            release("u\"1", &[], "p\"1"),
            r#"{"metadata":{"ownerReferences":[{"$patch":"delete","uid":"u\"1"}],"uid":"p\"1"}}"#
        );
        assert_eq!(
            release("u1", &["f1", "f2"], "p1"),
            concat!(
                r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["f1","f2"],"#,
                r#""ownerReferences":[{"$patch":"delete","uid":"u1"}],"uid":"p1"}}"#
            )
        );
    }

    #[test]
    fn an_adoption_adds_one_reference_and_names_a_version_if_asked_to() {
        let Body::Strategic(body) = claim("u1", &["f1"]).strategic(Wanted::Adopt, "p1", Some("7")) else {
            panic!("a strategic patch");
        };
        assert_eq!(
            body,
            json!({"metadata": {"uid": "p1", "resourceVersion": "7", "finalizers": ["f1"],
                "ownerReferences": [owner("u1", true)]}})
        );
    }

    /// OW-T10, for custom resources: two owners; two owners and a finalizer.
    #[test]
    fn a_merge_patch_keeps_other_owners_and_other_finalizers() {
        let both = metadata(vec![owner("u1", true), owner("u2", false)], &["a", "b"]);
        assert_eq!(
            claim("u1", &["a"]).merge(Wanted::Release, Base::cached(&both)),
            Body::Merge(
                json!({"metadata": {"uid": "p1", "resourceVersion": "7", "ownerReferences": [owner("u2", false)]}})
            ),
            "finalizers that were not read are left alone",
        );
        assert_eq!(
            claim("u1", &["a"]).merge(Wanted::Release, Base::read(&both)),
            Body::Merge(
                json!({"metadata": {"uid": "p1", "resourceVersion": "7", "ownerReferences": [owner("u2", false)],
                "finalizers": ["b"]}})
            ),
        );
        let only = metadata(vec![owner("u1", true)], &[]);
        assert_eq!(
            text(claim("u1", &[]).merge(Wanted::Release, Base::cached(&only))),
            r#"{"metadata":{"ownerReferences":null,"resourceVersion":"7","uid":"p1"}}"#
        );
    }

    #[test]
    fn a_merge_patch_turns_our_own_reference_into_the_controlling_one() {
        let base = Base::read(&metadata(vec![owner("u2", false), owner("u1", false)], &["a"]));
        assert_eq!(
            claim("u1", &["a", "b"]).merge(Wanted::Adopt, base),
            Body::Merge(json!({"metadata": {"uid": "p1", "resourceVersion": "7",
                "ownerReferences": [owner("u2", false), owner("u1", true)], "finalizers": ["a", "b"]}})),
        );
    }
}
