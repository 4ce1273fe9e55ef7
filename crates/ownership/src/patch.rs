//! The bodies of the patches that adopt and release, as plain values.
//!
//! They are JSON merge patches, since custom resources know no strategic ones. A merge patch replaces
//! a list as a whole, so each body carries the resource version from which the list was read: the
//! server refuses it (409) if anybody wrote in between, and no other owner's entry is lost. The UID is
//! there for the same reason: an object that was re-created under the same name is not touched.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::{Value, json};
use trimtab_cache::Metadata;

/// The state of a dependent that a patch starts from.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    uid: String,
    resource_version: String,
    owners: Vec<OwnerReference>,
    /// `None` if they were not read; a patch then leaves them alone.
    finalizers: Option<Vec<String>>,
}

impl Base {
    /// From a cached object, of which the finalizers are not known.
    pub(crate) fn cached(metadata: &impl Metadata) -> Self {
        Self {
            uid: metadata.uid().to_owned(),
            resource_version: metadata.resource_version().to_owned(),
            owners: metadata.owner_references().to_vec(),
            finalizers: None,
        }
    }

    /// From what the server has just said.
    pub(crate) fn read(metadata: &ObjectMeta) -> Self {
        Self { finalizers: Some(metadata.finalizers.clone().unwrap_or_default()), ..Self::cached(metadata) }
    }

    /// Whether the server will notice that somebody wrote after this state.
    pub(crate) fn has_version(&self) -> bool {
        !self.resource_version.is_empty()
    }

    /// Makes `owner` the controller, and adds `finalizers`.
    pub(crate) fn adopt(mut self, owner: &OwnerReference, finalizers: &[String]) -> Value {
        self.owners.retain(|other| other.uid != owner.uid);
        self.owners.push(owner.clone());
        if let Some(present) = &mut self.finalizers {
            let missing: Vec<_> = finalizers.iter().filter(|one| !present.contains(one)).cloned().collect();
            present.extend(missing);
        }
        self.body()
    }

    /// Takes out every reference to the owner with the UID `owner`, and `finalizers`.
    pub(crate) fn release(mut self, owner: &str, finalizers: &[String]) -> Value {
        self.owners.retain(|other| other.uid != owner);
        if let Some(present) = &mut self.finalizers {
            present.retain(|one| !finalizers.contains(one));
        }
        self.body()
    }

    fn body(self) -> Value {
        let mut body = json!({"metadata": {
            "uid": self.uid,
            "resourceVersion": self.resource_version,
            "ownerReferences": list(&self.owners),
        }});
        if let Some(finalizers) = self.finalizers {
            body["metadata"]["finalizers"] = list(&finalizers);
        }
        body
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

    fn metadata(uid: &str, owners: Vec<OwnerReference>, finalizers: &[&str]) -> ObjectMeta {
        ObjectMeta {
            uid: Some(uid.into()),
            resource_version: Some("7".into()),
            owner_references: Some(owners),
            finalizers: Some(finalizers.iter().map(ToString::to_string).collect()),
            ..ObjectMeta::default()
        }
    }

    fn text(body: &Value) -> String {
        body.to_string()
    }

    /// OW-T10: a single owner.
    #[test]
    fn releasing_from_the_only_owner_removes_the_list() {
        let base = Base::cached(&metadata("p1", vec![owner("u1", true)], &["keep"]));
        assert_eq!(
            text(&base.release("u1", &[])),
            r#"{"metadata":{"ownerReferences":null,"resourceVersion":"7","uid":"p1"}}"#
        );
    }

    /// OW-T10: the owner's UID and the dependent's are escaped.
    #[test]
    fn quotes_in_uids_are_escaped() {
        let base = Base::cached(&metadata("p\"1", vec![owner("u\"1", true), owner("u\"2", false)], &[]));
        assert_eq!(
            text(&base.release("u\"1", &[])),
            concat!(
                r#"{"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"u\"2"}],"#,
                r#""resourceVersion":"7","uid":"p\"1"}}"#
            )
        );
    }

    /// OW-T10: two owners; two owners and a finalizer.
    #[test]
    fn releasing_keeps_other_owners_and_other_finalizers() {
        let both = metadata("p1", vec![owner("u1", true), owner("u2", false)], &["a", "b"]);
        assert_eq!(
            Base::cached(&both).release("u1", &["a".into()]),
            json!({"metadata": {"uid": "p1", "resourceVersion": "7", "ownerReferences": [owner("u2", false)]}}),
            "finalizers that were not read are left alone",
        );
        assert_eq!(
            Base::read(&both).release("u1", &["a".into()]),
            json!({"metadata": {"uid": "p1", "resourceVersion": "7", "ownerReferences": [owner("u2", false)],
                "finalizers": ["b"]}}),
        );
    }

    #[test]
    fn adopting_keeps_other_owners_and_turns_our_own_reference_into_the_controlling_one() {
        let base = Base::read(&metadata("p1", vec![owner("u2", false), owner("u1", false)], &["a"]));
        assert_eq!(
            base.adopt(&owner("u1", true), &["a".into(), "b".into()]),
            json!({"metadata": {"uid": "p1", "resourceVersion": "7",
                "ownerReferences": [owner("u2", false), owner("u1", true)], "finalizers": ["a", "b"]}}),
        );
    }
}
