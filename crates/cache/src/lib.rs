//! Kubernetes objects by key, with typed indexes, label selectors and tombstones.
//!
//! ```
//! use k8s_openapi::api::core::v1::Pod;
//! use trimtab_cache::{Change, ObjectKey, StoreWriter};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut writer = StoreWriter::<Pod>::new();
//! let store = writer.store().clone(); // for reading; clones see the same objects
//! let by_node = store.add_index("node", |pod: &Pod| pod.spec.as_ref()?.node_name.clone());
//!
//! let pod = |text| serde_json::from_str::<Pod>(text);
//! writer.apply(pod(
//!     r#"{"metadata": {"namespace": "default", "name": "web", "labels": {"app": "web"}},
//!         "spec": {"containers": [], "nodeName": "node-1"}}"#,
//! )?);
//!
//! let key = ObjectKey::namespaced("default", "web");
//! assert!(store.get(&key).is_some());
//! assert_eq!(by_node.keys("node-1"), [key.clone()]);
//! assert_eq!(store.select(Some("default"), &"app in (web,shop)".parse()?).len(), 1);
//!
//! let changes = writer.replace(vec![], "17"); // a list that no longer has the Pod
//! assert!(matches!(&changes[..], [Change::Deleted(last)] if last.key == key && last.final_state_unknown));
//! # Ok(())
//! # }
//! ```
//!
//! The types of [`k8s_openapi`] and [`kube_client`] are part of this crate's interface. `Selector` and `FieldSelector`
//! are those of `trimtab-selector`.
//!
//! # Guarantees
//!
//! 1. Objects and indexes change together: a lookup finds an object under the values that it has.
//! 2. A replacement takes effect in one step and returns exactly the changes.
//! 3. A replacement reuses the stored object if UID and resource version are the same.
//! 4. An index function that panics costs its own index that one object, and nothing else.
//! 5. An index drops a value that no object has any more.
//! 6. A snapshot does not change, whatever is written, and taking it copies nothing.
//! 7. A task that waits for a condition misses no write.
//! 8. A packed object decodes to the same value as the whole one, once for all callers that hold it.
//! 9. An object that cannot be decoded keeps its place: the store has its metadata, and metadata indexes count it.
//!
//! # Not here
//!
//! A store does not know an API server. `trimtab-informer` keeps a store equal to one.
//!
//! # Differences from client-go
//!
//! - Looking up an index that does not exist, or with a value of the wrong type, does not compile.
//! - Readers cannot write, and cannot change an object in place.
//! - Every deletion has a [`Tombstone`], with a mark if its final state is unknown. For an object of which no
//!   state could be decoded it is [`Change::UndecodableDeleted`], with the metadata alone.
//! - An index function that panics is contained; in client-go it ends the process.
//! - A store has one writer, so there are no transactions: several changes are a loop, a list is `replace`.
//! - An object with a wrong field is kept by its metadata; in client-go the whole list fails.

mod bits;
mod chunks;
mod contents;
mod few;
mod index;
mod indexer;
mod interned;
mod json;
mod key;
mod labels;
mod managed_fields;
mod object;
mod owners;
mod packed;
mod places;
mod pool;
mod postings;
mod replacement;
mod shards;
mod shared;
mod slots;
mod snapshot;
mod store;
mod time;
mod tombstone;
mod undecodable;
mod version;
mod writer;

pub use index::{Index, controller_uid};
pub use interned::Interned;
pub use json::{Json, JsonError};
pub use key::{ObjectKey, ParseKeyError};
pub use labels::{Labels, LabelsIter};
pub use managed_fields::ManagedFields;
pub use object::{MetaView, Metadata, Object};
pub use owners::OwnerReferences;
pub use packed::{Packed, PackedError};
pub use replacement::Replacement;
pub use snapshot::Snapshot;
pub use store::Store;
pub use time::{MicroTime, ParseTimeError, Time};
pub use tombstone::{Change, Tombstone};
pub use trimtab_selector::{
    FieldSelector, FieldSelectorError, Operator, Requirement, Selector, SelectorError,
};
pub use undecodable::Undecodable;
pub use version::{ParseVersionError, ResourceVersion};
pub use writer::StoreWriter;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
