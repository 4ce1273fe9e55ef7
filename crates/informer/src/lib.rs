//! Keeps a cache of Kubernetes objects equal to the API server and tells handlers what changed.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use k8s_openapi::api::core::v1::Pod;
//! use kube_client::Client;
//! use serde::Deserialize;
//! use trimtab_cache::{MetaView, Metadata, Object, controller_uid};
//! use trimtab_informer::InformerFactory;
//!
//! /// The fields of a Pod that are read; the rest is skipped by the parser and never allocated.
//! #[derive(Deserialize)]
//! struct PodView {
//!     metadata: MetaView,
//! }
//!
//! impl Object for PodView {
//!     type Kind = Pod;
//!     fn metadata(&self) -> &impl Metadata { &self.metadata }
//! }
//!
//! let factory = InformerFactory::new(Client::try_default().await?);
//! let pods = factory.informer::<PodView>(); // `informer::<Pod>()` would hold whole Pods
//! let by_owner = pods.add_index("owner", controller_uid);
//! pods.on_change(|event| println!("{event:?}")); // in a controller: queue.add(event.key())
//!
//! factory.start();
//! factory.wait_for_sync(Duration::from_secs(30)).await?;
//! println!("{} Pods, of {} owners", pods.store().len(), by_owner.values().len());
//! # Ok(())
//! # }
//! ```
//!
//! The types of [`k8s_openapi`](https://docs.rs/k8s-openapi) and [`kube_client`] are part of this
//! crate's interface.
//!
//! # Guarantees
//!
//! 1. The store holds a state that the server had, and only moves forward, unless the server itself was
//!    put back to an older state. Of several namespaces that is so in each, and the store's version is
//!    that of the one that lags most.
//! 2. Handlers are told exactly how the store changes, in order: whoever replays the events has the
//!    store. What was deleted while nobody watched is told after the relist, as a tombstone.
//! 3. During a call the store already shows what the call tells of.
//! 4. A handler that is registered late is told first what is there; it misses nothing and is told
//!    nothing twice.
//! 5. A handler that panics, a view that panics and an object that cannot be decoded harm nobody else,
//!    and are told to whoever asked for [trouble](InformerBuilder::on_error).
//! 6. Whatever the server does, the informer tries again, and no two tries in a row without a wait
//!    between them. Only a watch that ended in order is resumed at once.
//! 7. No request hangs for ever: an answer is waited for 75 s at most, its next part for 60 s. A watch on
//!    which nothing comes, not even a bookmark, is given up after 70 s, and the server probed.
//! 8. A server that does not know streaming lists, and does not say so, delays the start by seconds, not
//!    for ever.
//! 9. A slow subscriber has at most one change of each object to take, and delays nobody.
//! 10. Nothing runs before `start`, nor after `stop`, a shutdown, or the drop of the last handle.
//!
//! # Not here
//!
//! Deciding what to do about a change: handlers put keys into a queue (`trimtab-workqueue`), and
//! workers read the store.
//!
//! # Differences from client-go
//!
//! - What to hold of an object is a type: whole, packed, or a view of a few fields. There is no transform,
//!   and `managedFields` is not decoded unless asked for: it reads as empty.
//! - Handlers run one after the other on the informer's task, without a buffer each; one that takes
//!   long delays the others of its kind, and a late one is told the initial state by the caller of
//!   [`Informer::on_change`]. Whoever may be slow takes a [`Subscription`], which does not grow.
//! - A relist goes through the store in one step, and an object that has not changed makes no event.
//! - An object that cannot be decoded is reported, and does not stop its kind. The store keeps its last
//!   good state, marked by [`Informer::is_outdated`].
//! - Errors of a watch count and are reported like those of a list; a watch that breaks off is
//!   resumed where it stood instead of listing again.
//! - A streaming list that never says that it is complete is given up for a list; client-go waits on.
//! - The backoff is forgotten after a healthy while that is as long as the waits before were, not only after
//!   two minutes.
//! - Several namespaces are one informer; resyncs are each handler's own.
//! - Whether the store equals the server can be checked at any time, by [audits](InformerBuilder::audit).
//! - An informer that was stopped can be started again.
//!
//! # Features
//!
//! - `connect`: a client on which dead connections are noticed within 25 s.

mod audit;
mod backoff;
mod builder;
#[cfg(feature = "connect")]
pub mod connect;
mod error;
mod event;
mod factory;
mod handler;
mod informer;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
pub mod metrics;
mod pending;
mod reflector;
mod relist_buffer;
mod selection;
mod shard;
mod shared;
mod source;
mod state;
mod status;
mod subscription;
mod sync;
mod versions;

pub use audit::Inconsistency;
pub use builder::InformerBuilder;
pub use error::InformerError;
pub use event::Event;
pub use factory::{InformerFactory, InformerFactoryBuilder, NotSynced, NotSyncedError};
pub use handler::Handler;
pub use informer::{HandlerBuilder, Informer};
pub use selection::Selection;
pub use shard::Shard;
pub use source::error::SourceError;
pub use status::{Phase, SourceStatus, Status};
pub use subscription::Subscription;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
