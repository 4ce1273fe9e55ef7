//! Who controls an object: build controller references, claim, adopt and release dependents.
//!
//! A controller manages the objects that carry a controller reference to its object. At each sync it
//! claims them: an orphan that its selector matches is adopted, one of its own that no longer matches
//! is released, and what belongs to another is left alone.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
//! # use trimtab_cache::{Object, Store};
//! use trimtab_ownership::{Claims, controller_reference};
//!
//! # async fn sync(client: kube_client::Client, set: ReplicaSet, pods: Store<Pod>) -> Result<(), Box<dyn std::error::Error>> {
//! let claims = Claims::new(client, &set, "app=web".parse()?)?; // once per sync
//! let mine: Vec<Arc<Pod>> = claims.claim(pods.in_namespace("default")).await?;
//!
//! let mut pod = Pod::default(); // one more
//! pod.metadata.owner_references = Some(vec![controller_reference(&set)?]);
//! # Ok(())
//! # }
//! ```
//!
//! The types of [`k8s_openapi`], [`kube_client`] and [`trimtab_cache`] are part of this crate's interface.
//!
//! # Guarantees
//!
//! 1. What another object controls is never written to.
//! 2. An owner that is being deleted neither adopts nor releases.
//! 3. Whether the owner may adopt is asked at most once per [`Claims`], and only if there is an orphan
//!    to adopt.
//! 4. A patch changes the very object that was seen, in the very state that was seen, or nothing.
//! 5. One dependent that fails does not keep the others from being claimed.
//!
//! # Not here
//!
//! Creating and deleting dependents, and knowing when they show up (`trimtab-expectations`).
//! Deleting what has lost its owner is the garbage collector's work.
//!
//! # Differences from client-go
//!
//! - The claim logic is not in client-go but in `k8s.io/kubernetes/pkg/controller`, which nobody can import.
//! - Patches are JSON merge patches with UID *and* resource version, and work for built-in kinds and
//!   custom resources alike. Upstream's strategic merge patches work for built-in kinds only. The price:
//!   a dependent that changed since it was cached is refused with a conflict, and claimed at a later sync.
//! - The recheck before an adoption (uncached, UID and deletion timestamp) is built in, not left to
//!   each controller. [`Claims::can_adopt`] replaces it.
//! - Adopting with finalizers works for every kind.

mod adoption;
mod claims;
mod dependent;
mod error;
mod patch;
mod reference;
mod state;

pub use adoption::AdoptionDenied;
pub use claims::Claims;
pub use error::{ClaimError, ClaimFailure};
pub use reference::{
    ReferenceError, controller_reference, controller_reference_with, is_controlled_by,
    resolve_controller_ref, resolve_controller_ref_with, resolve_owner_with,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
