//! A deduplicating, fair queue of keys for Kubernetes controllers.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use trimtab_workqueue::WorkQueue;
//!
//! let queue = WorkQueue::new();
//! queue.add("default/web");
//! queue.add("default/web"); // coalesced with the first
//!
//! let item = queue.get().await.expect("queue is open");
//! assert_eq!(*item, "default/web");
//! drop(item); // done: from here on the key may come out again
//! assert!(queue.is_empty());
//! # }
//! ```

mod batch;
mod builder;
mod delay;
mod drain;
mod get;
mod item;
pub mod limiter;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
pub mod metrics;
mod order;
mod queue;
mod ready;
mod shared;
mod slots;
mod snapshot;
mod state;
mod sync;
mod time;
mod wait;

pub use self::{
    builder::{WorkQueueBuilder, priority},
    drain::{Drain, Drained},
    item::Item,
    queue::{AddOptions, WorkQueue},
    snapshot::{Entry, Stage},
};
