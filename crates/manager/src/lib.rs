//! Many Kubernetes controllers in one process: client, informers, leader election, Events, health checks and signals, started
//! and stopped in order.
//!
//! ```no_run
//! use std::{error::Error, process::ExitCode};
//!
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube_client::Config;
//! use trimtab_admin::{Admin, metrics};
//! use trimtab_controller::{Action, Controller};
//! use trimtab_manager::Manager;
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     trimtab_manager::exit(run().await)
//! }
//!
//! async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
//!     let metrics = metrics::install()?; // first: metric handles from before the recorder report nothing
//!     let mut manager = Manager::builder("counter", Config::infer().await?)
//!         .leader_election("kube-system", "counter")
//!         .admin("0.0.0.0:8080", Admin::builder().metrics(metrics))
//!         .build()?;
//!     let maps = manager.informers().informer::<ConfigMap>();
//!     let store = maps.store().clone();
//!     let controller = Controller::new("counter", &maps).workers(2).reconciler(move |request| {
//!         let entries = store.get(&request.key).and_then(|map| Some(map.data.as_ref()?.len()));
//!         async move {
//!             println!("{} has {} entries", request.key, entries.unwrap_or(0));
//!             Ok(Action::done())
//!         }
//!     });
//!     manager.controller(controller);
//!     manager.run().await?; // until SIGTERM or Ctrl-C
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. The client that a manager makes from a `Config` sends each request once, with a deadline. No write is repeated
//!    without knowing whether it was carried out.
//! 2. With a leader election, [`Manager::client`] sends no write while this process does not lead.
//! 3. Every informer of [`Manager::informers`] is started and waited for, whether a controller handles its events or a
//!    reconciler only reads its store. No part that reads a store starts before.
//! 4. Parts start in this order: admin server, runnables [before informers](Runnable::before_informers), informers, parts on
//!    every replica, led work. They stop in the reverse order, and the Lease is released after led work has ended.
//! 5. A candidate stands by with synced informers and full queues. At the beginning of a term its workers start at once.
//! 6. The first part that fails is named by the error, and the others are stopped in order. A panic is such a failure.
//! 7. Each step of the shutdown has a time limit. A reconcile or a runnable that exceeds it is named.
//! 8. A second signal ends the process at once, even if all threads of the runtime are blocked.
//!
//! # Not here
//!
//! Webhook servers and their certificates: a [`Runnable`] is the place for a server of your own. Logging: install a
//! subscriber of `tracing` first.
//!
//! # Differences from controller-runtime
//!
//! - A lost Lease ends the led work, not the process, which stands by for the next term with the same informers.
//! - The Lease is released when led work has ended, before the informers stop.
//! - Each of the two steps of the shutdown has its own grace period, 10 s by default, not one of 30 s for all.
//! - The client reads from the server; stores are read through their informers.
//!
//! # Features
//!
//! - `args`: flags for clap: `--kubeconfig`, `--context`, `--feature-gates`. Off by default.
//! - `rustls-tls`: watches over HTTPS are read without a task in between, as those over HTTP are. Off by default, because it
//!   chooses rustls; without it kube-client connects, with the TLS that the program has chosen.

#[cfg(feature = "args")]
mod args;
mod builder;
mod client;
mod deadline;
mod debug;
mod error;
mod failures;
mod handle;
mod led;
mod manager;
mod order;
mod rates;
mod runnable;
mod shutdown;
mod signals;
mod stage;

#[cfg(feature = "args")]
pub use self::args::{KubeconfigArgs, ManagerArgs};
pub use self::{
    builder::ManagerBuilder,
    error::{ManagerError, exit},
    handle::ManagerHandle,
    manager::Manager,
    runnable::Runnable,
    shutdown::Shutdown,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
