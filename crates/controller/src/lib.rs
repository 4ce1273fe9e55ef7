//! A Kubernetes controller: informers, a work queue and workers, with retries, isolation of failures and graceful
//! shutdown.
//!
//! **A trap in the client.** kube-client repeats a `POST` after 503 and 504 by default. With `generateName`, a create
//! that is repeated makes a twin, and the client reports a single success: no [`Ledger`] sees it. Set
//! `Config::default_retry = false` for the client of a controller. Failed requests are retried by the work queue.
//!
//! ```no_run
//! use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
//! use kube_client::{Client, Config};
//! use trimtab_controller::{Action, Controller, informer::InformerFactory};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut config = Config::infer().await?;
//!     config.default_retry = false; // it repeats creates, and makes twins
//!     let informers = InformerFactory::new(Client::try_from(config)?);
//!     let sets = informers.informer::<ReplicaSet>();
//!     let pods = informers.informer::<Pod>();
//!     let store = sets.store().clone();
//!
//!     let controller = Controller::new("replicaset", &sets)
//!         .owns(&pods) // an event of a Pod queues the key of its controller
//!         .workers(5)
//!         .max_retries(15)
//!         .reconciler(move |request| {
//!             let set = store.get(&request.key); // `None`: the ReplicaSet was deleted
//!             async move {
//!                 println!("{} exists: {}", request.key, set.is_some());
//!                 Ok(Action::done())
//!             }
//!         });
//!     controller.run(async { _ = tokio::signal::ctrl_c().await }).await?;
//!     Ok(())
//! }
//! ```
//!
//! The other parts of a controller are re-exported as modules of their names, so that they need no dependencies of their own:
//! [`workqueue`], [`cache`], [`informer`], [`expectations`], [`ownership`], [`leaderelection`], [`featuregate`].
//! [`Ledger`] is the ledger of [`expectations`] with the types of a controller, and [`OwnWrites`] connects it to informers: a
//! reconciler's writes are recorded, and their events observed.
//!
//! # Parts
//!
//! - [`Controller`] and its sources: informers ([`Watch`], [`Predicate`], [`keys_by_index`]) and [`ExternalSource`]s. A
//!   [`ControllerHandle`] adds and removes them while the controller runs, and shows its state.
//! - [`Request`], [`Action`] and [`Error`] of a reconcile; [`kube_rs`] for reconcilers in the form of kube-rs.
//! - [`Writer`], [`OwnWrites`] and [`Ledger`]: writes, and the wait until the cache shows them.
//! - [`Finalizer`]; [`set_condition`] and [`patch_status`]; [`await_condition`] and [`wait_established`].
//! - [`metrics`], with controller-runtime's names.
//!
//! # Guarantees
//!
//! 1. A key is never reconciled twice at the same time, whatever the number of workers.
//! 2. Every existing object is reconciled at least once in a run, and again after each change that passes the predicates of
//!    its source; several changes may be handled by one reconcile after the last of them. This includes objects that
//!    cannot be decoded, of which the cache has only the metadata and perhaps an earlier state.
//! 3. A reconciler that fails, panics or does not end does not delay keys that succeed, as long as a worker is free. It is
//!    given up after the [timeout](Controller::reconcile_timeout).
//! 4. The retries of a key are delayed by 5 ms after its first failure, doubling to 1000 s. A success resets the delay. All
//!    retries together are limited to 10 a second, with bursts of 100.
//! 5. Nothing is spawned before [`Controller::run`]. A run returns after every worker that it has spawned has ended, and
//!    a controller whose run was dropped refuses to run again until then. The exception is a reconcile that blocks its
//!    thread and cannot be ended: the error of the run names its key, and says that the process must exit. A run does not
//!    stop the informers; the task that updates the queue's metrics ends within half a second after it.
//! 6. After the shutdown no key is started; running reconciles have the grace period to finish.
//! 7. In led work, the elector does not release the Lease while a reconcile is alive.
//! 8. Each source has its own start, error and backoff. A run begins after the first lists of all sources that are not
//!    [optional](Watch::optional); later, a source that fails delays no other.
//!
//! [`gates`] holds Trimtab's own feature gates and sets the parts' options from them.
//!
//! # Not here
//!
//! The logic of the other parts: this crate connects them. Many controllers in one process, with signals, election and
//! probes, are a manager's work. The logic of a kind belongs to its reconciler.
//!
//! # Differences from client-go and controller-runtime
//!
//! - On shutdown, queued keys are dropped, not drained: the next run queues every object, and a leader that lost its
//!   lease must not start a reconcile.
//! - A controller can run again after its shutdown; informers and caches outlive its runs.
//! - A write that is refused because its namespace is terminating counts as done, in every controller.
//! - A reconcile has a timeout of 2 minutes by default; controller-runtime has none unless it is set.
//! - Priorities age: a key of the initial list is overtaken by at most 100,000 others. In controller-runtime it can starve.
//! - Two controllers of one name are a warning in the log, not an error: a test or a simulation has replicas in one process.
//! - An informer that does not sync fails the run of its controller, with the informer's name. Other controllers
//!   continue.

mod action;
mod await_condition;
mod conditions;
mod controller;
mod error;
mod failure;
mod finalizer;
pub mod gates;
mod handle;
pub mod kube_rs;
pub mod metrics;
mod options;
mod own_writes;
mod predicate;
mod queue;
mod reason_table;
mod reasons;
mod reconciler;
mod records;
mod request;
mod requests;
mod run;
mod running;
mod source;
mod standby;
mod state;
mod status;
mod time_limit;
mod wall_clock;
mod worker;
mod writer;
mod written;

pub use action::Action;
pub use await_condition::{WaitError, await_condition, wait_established};
pub use conditions::{
    condition, find_condition, is_condition_true, patch_status, remove_condition, set_condition,
};
pub use controller::Controller;
pub use error::RunError;
pub use failure::Error;
pub use finalizer::{CleanUp, Finalizer, FinalizerNameError, FinalizerState, MissingFinalizer};
pub use handle::ControllerHandle;
pub use own_writes::OwnWrites;
pub use predicate::{
    Predicate, annotations_changed, generation_changed, labels_changed, resource_version_changed,
};
pub use reasons::{EventKind, Reason, Reasons};
pub use reconciler::{Reconcile, Reconciler};
pub use request::Request;
pub use requests::{RequestError, delete_by_uid, within};
pub use source::{
    SourceId,
    external::{ExternalSource, KeySender},
    mapping::{keys_by_index, keys_by_selector},
    watch::Watch,
};
pub use standby::Standby;
pub use status::{KeyStatus, SourceStatus, Status};
pub use wall_clock::WallClock;
pub use writer::{Applied, Because, Writer, deterministic_name};
pub use written::Written;

pub use trimtab_ownership::{controller_reference, set_controller_reference};

pub use trimtab_cache as cache;
pub use trimtab_expectations as expectations;
pub use trimtab_featuregate as featuregate;
pub use trimtab_informer as informer;
pub use trimtab_leaderelection as leaderelection;
pub use trimtab_ownership as ownership;
pub use trimtab_workqueue as workqueue;

/// A ledger of a controller's writes, keyed by [`ObjectKey`](cache::ObjectKey), with Kubernetes resource versions.
///
/// `R` names the written resources. [`gates::ledger`] returns a builder for it.
pub type Ledger<R = &'static str> = expectations::Ledger<cache::ObjectKey, R, cache::ResourceVersion>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
