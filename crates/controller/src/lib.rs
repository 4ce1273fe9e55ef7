//! A Kubernetes controller: informers to queue to workers, with retry, isolation and a graceful stop.
//!
//! ```no_run
//! use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
//! use trimtab_controller::{Action, Controller, informer::InformerFactory};
//!
//! # async fn example(client: kube_client::Client) -> Result<(), trimtab_controller::RunError> {
//! let informers = InformerFactory::new(client);
//! let sets = informers.informer::<ReplicaSet>();
//! let pods = informers.informer::<Pod>();
//! let store = sets.store().clone();
//!
//! let controller = Controller::new("replicaset", &sets)
//!     .owns(&pods) // an event on a Pod becomes its controller's key
//!     .max_retries(15)
//!     .reconciler(move |request| {
//!         let set = store.get(&request.key); // `None`: it was deleted
//!         async move {
//!             println!("{} is there: {}", request.key, set.is_some());
//!             Ok(Action::done())
//!         }
//!     });
//! controller.run(async { /* until */ std::future::pending().await }).await
//! # }
//! ```
//!
//! Each part is re-exported as a module of its name, so that one dependency is enough:
//! [`workqueue`], [`cache`], [`informer`], [`expectations`], [`ownership`], [`leaderelection`],
//! [`featuregate`].
//!
//! # Guarantees
//!
//! 1. A key is never reconciled twice at once, however many workers there are.
//! 2. Every object is reconciled at least once after a run has begun, and after its last change.
//! 3. A reconciler that fails or panics delays its own key only.
//! 4. Failures in a row of one key wait longer each time, 5 ms to 1000 s; a success forgets them.
//! 5. Nothing is spawned before [`Controller::run`], and what it has spawned ends with it; but for the
//!    one task of the process that refreshes the gauges of all named queues.
//! 6. After the shutdown no key is started; what is running has the grace period to finish.
//!
//! [`gates`] holds Trimtab's own feature gates and sets the parts' options from them.
//!
//! # Not here
//!
//! What any part does: this crate wires them. What a kind means: that is the reconciler's.
//!
//! # Differences from client-go and controller-runtime
//!
//! - On shutdown, keys that are still queued are dropped, not drained: the next run queues every
//!   object, and a leader that lost its lease must start nothing more.
//! - A controller can run again after it stopped; informers and caches live on between runs.
//! - A write that is refused because its namespace is terminating counts as done, for every
//!   controller.
//! - An informer that does not sync fails the run with its kind's name, and no other controller.

mod controller;
pub mod gates;
mod reconciler;
mod source;
mod state;
mod worker;

pub use controller::{Controller, RunError};
pub use reconciler::{Action, Error, Reconciler, Request};
pub use worker::Status;

pub use trimtab_cache as cache;
pub use trimtab_expectations as expectations;
pub use trimtab_featuregate as featuregate;
pub use trimtab_informer as informer;
pub use trimtab_leaderelection as leaderelection;
pub use trimtab_ownership as ownership;
pub use trimtab_workqueue as workqueue;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
