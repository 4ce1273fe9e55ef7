//! Keeps a cache of Kubernetes objects equal to the API server and calls handlers for each change.
//!
//! ```no_run
//! use std::{error::Error, time::Duration};
//!
//! use k8s_openapi::api::core::v1::Pod;
//! use kube_client::Client;
//! use serde::Deserialize;
//! use trimtab_cache::{MetaView, Metadata, Object, controller_uid};
//! use trimtab_informer::InformerFactory;
//!
//! /// The fields of a Pod that are read. The parser skips all others.
//! #[derive(Deserialize)]
//! struct PodView {
//!     metadata: MetaView,
//! }
//!
//! impl Object for PodView {
//!     type Kind = Pod;
//!     fn metadata(&self) -> &impl Metadata {
//!         &self.metadata
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let factory = InformerFactory::new(Client::try_default().await?);
//!     let pods = factory.informer::<PodView>(); // `informer::<Pod>()` would hold whole Pods
//!     let by_owner = pods.add_index("owner", controller_uid);
//!     pods.on_change(|event| println!("{event:?}")); // in a controller: queue.add(event.key())
//!
//!     factory.start();
//!     factory.wait_for_sync(Duration::from_secs(30)).await?;
//!     println!("{} Pods of {} owners", pods.store().len(), by_owner.values().len());
//!     factory.shut_down().await;
//!     Ok(())
//! }
//! ```
//!
//! The types of [`k8s_openapi`](https://docs.rs/k8s-openapi) and [`kube_client`] are part of this crate's
//! interface.
//!
//! # Guarantees
//!
//! 1. The store holds a state that the server had. It only moves forward, unless the server itself was restored
//!    to an older state. With several namespaces this holds for each namespace, and the store's version is the
//!    lowest of theirs.
//! 2. Handlers receive every change of the store, in order: replaying the events yields the store. A deletion
//!    that happened while no watch was open is delivered after the relist, as a tombstone.
//! 3. During a handler's call the store already has the change.
//! 4. A handler that is registered late first receives the objects of the store. It misses no change and
//!    receives none twice.
//! 5. A handler that panics, a view that panics, and an object that cannot be decoded or has malformed metadata
//!    affect no other handler and no other object, and are [reported](InformerBuilder::on_error).
//! 6. The informer retries every failure after a backoff. Three requests follow at once: the resumption of a watch
//!    that ended in order after at least a second, the probe after a silent watch, and a list in another form, up to
//!    three times.
//! 7. Every request has a timeout: 75 s for the response to a list, 30 s for the response to a watch, a streaming
//!    list or a probe, and 60 s for the next part of a list. A watch without an event or a bookmark for 70 s is
//!    abandoned, and the server is probed.
//! 8. A server that silently ignores the request for a streaming list delays the start by seconds, or by about a
//!    minute if its events never pause.
//! 9. A slow subscriber has at most one pending change for each object, and delays no other reader.
//! 10. Nothing runs before `start`, after `stop` or `shut_down`, or after the last handle is dropped.
//!
//! # Not here
//!
//! The reaction to a change: handlers put keys into a queue (`trimtab-workqueue`), and workers read the store.
//!
//! # Differences from client-go
//!
//! - The stored form is a type: whole objects, packed objects or a view with a few fields. There is no transform
//!   function. `managedFields` is decoded only on request, and is empty otherwise.
//! - Handlers run one after the other on the informer's task, without a buffer for each. A slow handler delays
//!   the others of its informer. A late handler receives the initial objects on the thread that calls
//!   [`Informer::on_change`]. A [`Subscription`] is for slow consumers; its buffer is bounded.
//! - A relist replaces the store's contents in one step, and an unchanged object causes no event.
//! - An object that cannot be decoded is reported and does not stop its kind, and it does not vanish. The store keeps
//!   its metadata and its last decoded state, indexes of metadata count it, and handlers receive
//!   [`Change::Undecodable`](trimtab_cache::Change::Undecodable). [`Event::metadata`] is known for every event.
//! - Errors of a watch are counted and reported like errors of a list. A watch whose connection breaks is resumed at
//!   its last version, without a relist.
//! - A streaming list that never completes is replaced by a plain list; client-go waits forever.
//! - The backoff is reset after a healthy interval of twice the last delay, not only after two minutes.
//! - One informer can follow several namespaces.
//! - [Audits](InformerBuilder::audit) compare the store with the server.
//! - An informer that was stopped can be started again.
//!
//! # Features
//!
//! - `connect`: a client that detects dead connections within 25 s, and one whose watches are read without a task in
//!   between.

mod audit;
mod backoff;
mod builder;
mod config;
#[cfg(feature = "connect")]
pub mod connect;
mod delivery;
mod error;
mod event;
mod factory;
mod handler;
mod inconsistency;
mod informer;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
pub mod metrics;
mod not_synced;
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
mod unstarted;
mod versions;
#[cfg(any(feature = "connect", all(test, trimtab_loom)))]
mod waking;

pub use builder::InformerBuilder;
pub use error::InformerError;
pub use event::Event;
pub use factory::{InformerFactory, InformerFactoryBuilder};
pub use handler::Handler;
pub use inconsistency::Inconsistency;
pub use informer::{HandlerBuilder, Informer};
pub use not_synced::{NotSynced, NotSyncedError};
pub use selection::Selection;
pub use shard::Shard;
pub use source::error::SourceError;
pub use status::{InformerSummary, Phase, SourceStatus, Status};
pub use subscription::Subscription;

#[cfg(all(doctest, feature = "connect"))] // an example needs the feature
#[doc = include_str!("../README.md")]
struct Readme;
