//! Kubernetes objects by key, with typed indexes, label selectors and tombstones.
//!
//! ```
//! use k8s_openapi::api::core::v1::Pod;
//! use trimtab_cache::{Change, ObjectKey, StoreWriter};
//!
//! let mut writer = StoreWriter::<Pod>::new();
//! let store = writer.store().clone(); // reads; clones are cheap and see the same objects
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
//! let changes = writer.replace(vec![], "17"); // a list that no longer has it
//! assert!(matches!(&changes[..], [Change::Deleted(last)] if last.key == key && last.final_state_unknown));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The types of [`k8s_openapi`] and [`kube_client`] are part of this crate's interface.
//!
//! # Guarantees
//!
//! 1. Objects and indexes change together: a lookup finds an object under the values that it has.
//! 2. A replacement takes effect in one step and returns exactly what it changed.
//! 3. A replacement reuses the stored object where UID and resource version are the same.
//! 4. An index function that panics costs its own index that one object, and nothing else.
//! 5. Index values that no object has any more take no memory.
//! 6. A snapshot stays as it was whatever is written, and taking it copies nothing.
//! 7. No write is missed by whoever waits for it.
//! 8. A packed object reads as the whole one, and is decoded once while somebody holds it.
//!
//! # Not here
//!
//! Keeping a store equal to an API server is `trimtab-informer`'s work; a store does not know one.
//!
//! # Differences from client-go
//!
//! - Looking up an index that does not exist, or with a value of the wrong type, does not compile.
//! - Readers cannot write, nor change an object in place.
//! - Every deletion is a [`Tombstone`], with a mark if its final state is unknown.
//! - An index function that panics is contained; client-go's ends the process.
//! - A store has one writer, so there are no transactions: a batch is a loop, a list is `replace`.

mod bits;
mod chunks;
mod contents;
mod few;
mod index;
mod interned;
mod json;
mod key;
mod labels;
mod managed_fields;
mod object;
mod packed;
mod places;
mod postings;
mod replacement;
mod shards;
mod slots;
mod snapshot;
mod store;
mod tombstone;
mod version;
mod writer;

pub use index::{Index, controller_uid};
pub use interned::Interned;
pub use json::{Json, JsonError};
pub use key::{ObjectKey, ParseKeyError};
pub use labels::{Labels, LabelsIter};
pub use managed_fields::ManagedFields;
pub use object::{MetaView, Metadata, Object};
pub use packed::{Packed, PackedError};
pub use replacement::Replacement;
pub use snapshot::Snapshot;
pub use store::Store;
pub use tombstone::{Change, Tombstone};
pub use trimtab_selector::{
    FieldSelector, FieldSelectorError, Operator, Requirement, Selector, SelectorError,
};
pub use version::{ParseVersionError, ResourceVersion};
pub use writer::StoreWriter;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
