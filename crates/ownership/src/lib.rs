//! Owner references for Kubernetes controllers: claim, adopt and release dependents, and find them by owner.
//!
//! ```text
//! web is deleted with --cascade=orphan, its Pods stay    nobody manages them
//! web comes back, and counts the Pods that it owns: 0    it creates 3 more: 6 Pods serve
//! db has a selector that matches web's Pods, too         it counts them, and deletes the surplus
//! ```
//!
//! A controller prevents this by managing exactly the objects that carry a controller reference to its
//! object. At each sync it [claims](Claims) them: an orphan that its selector matches is adopted, a
//! dependent that no longer matches is released, and a dependent of another controller is left alone.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
//! use kube_client::{Api, Client, api::ListParams};
//! use trimtab_ownership::{Claims, set_controller_reference};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::try_default().await?;
//!     let web = Api::<ReplicaSet>::default_namespaced(client.clone()).get("web").await?;
//!     let pods = Api::<Pod>::default_namespaced(client.clone()).list(&ListParams::default()).await?;
//!
//!     // Adopts the orphans that match and releases the Pods that no longer do.
//!     let claims = Claims::new(client, &web, "app=web".parse()?)?;
//!     let claimed = claims.claim(pods.into_iter().map(Arc::new)).await?;
//!     println!("{} Pods are web's", claimed.len());
//!
//!     // One more, to be created.
//!     let mut pod = Pod::default();
//!     pod.metadata.namespace = web.metadata.namespace.clone();
//!     set_controller_reference(&web, &mut pod.metadata)?;
//!     Ok(())
//! }
//! ```
//!
//! The types of [`k8s_openapi`], [`kube_client`] and [`trimtab_cache`] are part of this crate's interface.
//!
//! # Guarantees
//!
//! 1. A dependent of another controller is never written to.
//! 2. An owner that is being deleted neither adopts nor releases.
//! 3. The check whether the owner may adopt is made at most once for each [`Claims`], and only if there is an
//!    orphan to adopt.
//! 4. A patch changes the very object that was seen, by UID, and no other owner's reference is lost.
//! 5. One dependent that fails does not keep the others from being claimed, and every failure is returned.
//! 6. No more than [`Claims::concurrency`] patches run at once.
//! 7. No request lasts longer than [`Claims::request_timeout`].
//!
//! # Parts
//!
//! - [`Claims`]: the claim table, and the patches that it asks for.
//! - [`OwnerIndex`]: dependents by the UID of their owner, and orphans, on any store.
//! - [`controller_reference`], [`set_controller_reference`], [`resolve_controller_ref`]: from an owner to a
//!   reference and back.
//! - [`History`]: the `ControllerRevision`s of an owner.
//! - [`pods`]: filters, the deletion order and the templates of Pods.
//! - [`active_replica_sets`], [`add_or_update_taints`], [`remove_taints`]: the rest of upstream's `controller_utils`.
//! - [`dependent_name`], [`template_hash`]: names that follow from an owner and an index, or from a content.
//!
//! # Not here
//!
//! Creating and deleting dependents, and knowing when they show up (`trimtab-expectations`). The garbage
//! collector deletes objects whose owner is gone.
//!
//! # Differences from client-go
//!
//! - The claim logic is not in client-go but in `k8s.io/kubernetes/pkg/controller`, which is not published as a library.
//! - Custom resources are claimed as well: they know no strategic merge patches, and get JSON merge patches
//!   with the resource version. After a conflict the object is read and patched once more.
//! - The recheck before an adoption (uncached, UID and deletion timestamp) is built in, not left to
//!   each controller. [`Claims::can_adopt`] replaces it.
//! - A dependent that was replaced by a later object of its name is not claimed, and that is no error.
//! - Patches are sent concurrently, and finalizers work for every kind.

mod adoption;
mod claims;
mod dependent;
mod error;
mod groups;
mod history;
mod in_order;
mod index;
mod known;
mod names;
mod patch;
pub mod pods;
mod reference;
mod replica_sets;
mod request;
mod state;
mod taints;

pub use adoption::AdoptionDenied;
pub use claims::Claims;
pub use error::{ClaimError, ClaimFailure};
pub use history::{History, HistoryError, equal_revisions, next_revision, revision_number, sort_revisions};
pub use index::OwnerIndex;
pub use names::{dependent_name, template_hash};
pub use reference::{
    ReferenceError, controller_reference, controller_reference_with, is_controlled_by,
    resolve_controller_ref, resolve_controller_ref_with, resolve_owner_with, set_controller_reference,
    set_controller_reference_with,
};
pub use replica_sets::active_replica_sets;
pub use taints::{add_or_update_taints, remove_taints};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
