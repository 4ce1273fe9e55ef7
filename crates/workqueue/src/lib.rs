//! A deduplicating, fair queue of keys for Kubernetes controllers, and for any other keyed work.
//!
//! ```
//! use trimtab_workqueue::WorkQueue;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let queue = WorkQueue::new();
//!     queue.add("default/web");
//!     queue.add("default/web"); // coalesced with the first
//!
//!     let item = queue.get().await.expect("the queue is open");
//!     assert_eq!(*item, "default/web");
//!     drop(item); // done: from here on the key may come out again
//!     assert!(queue.is_empty());
//! }
//! ```
//!
//! A worker whose processing failed calls [`add_rate_limited`](WorkQueue::add_rate_limited); a worker whose
//! processing succeeded calls [`forget`](WorkQueue::forget). [`add_after`](WorkQueue::add_after) adds a key after
//! a delay, [`add_with`](WorkQueue::add_with) with a priority. A [`Consumer`] is the cheaper form of a loop over
//! [`get`](WorkQueue::get); [`add_ref`](WorkQueue::add_ref) adds a borrowed key.
//!
//! # Guarantees
//!
//! 1. A key is never with two workers at once.
//! 2. A key added while it is being processed comes out again once its [`Item`] is dropped.
//! 3. A key added several times before a worker takes it comes out once.
//! 4. A worker that panics or is cancelled leaks no key; a cancelled `get` has taken no key.
//! 5. Every ready key wakes a waiting worker, even if a woken worker is cancelled.
//! 6. Of two delays of one key the earlier wins, and an `add` does not cancel a delay.
//! 7. A key cannot starve: one of priority p is overtaken by at most `(q − p) × ageing` later keys of
//!    priority q. Equal priorities come in arrival order.
//! 8. In a queue with groups, the n-th key of a group comes out within n rounds. Each round takes one key from
//!    every group that has a ready key.
//! 9. After a shutdown, ready keys still come out and adds are refused; a drain ends when no key is ready and
//!    none is processing.
//! 10. A key that is done and a queue that is dropped leave nothing behind: an empty queue holds less than
//!     100 KiB, and a queue with less than an eighth of a burst left frees the rest of the burst's memory.
//!
//! # Costs
//!
//! A key is hashed once, when it is added. A queued key takes about 60 bytes, including 16 for the key if it is a
//! shared string. Nothing is spawned and no timer runs while no worker waits: one of the waiting workers owns the
//! timer for the delayed keys. The clock is read per key only if the queue has a
//! [name](WorkQueueBuilder::name) or holds delayed keys.
//!
//! Steps under the lock are short: one step makes at most 64 delayed keys ready, so that a million delays that end
//! together do not block the queue. After a burst, each key that is done frees at most 256 slots; a slot at the end
//! that is ready or processing stops this until it is done. Three steps take longer: the hash table's growth to
//! double size or shrinking to a quarter, which is one pass over the table; a shutdown, which drops the delayed keys;
//! and [`snapshot`](WorkQueue::snapshot).
//!
//! The crate needs tokio's features `rt` and `time`. `get` takes part in tokio's cooperative budget; delays and
//! drains with a deadline need a runtime with time enabled.
//!
//! # Not here
//!
//! The meaning of a key, the work for it, and the decision whether that work succeeded belong to the controller.
//! Nothing is persisted: the keys are lost when the process ends.
//!
//! # Differences from client-go
//!
//! - `Done` is the drop of an [`Item`]. It cannot be forgotten, called twice, or called for a key that was never
//!   taken; in client-go the last of these queues the key twice.
//! - A drain ends when no key is ready *and* none is processing. client-go's only looks at the processing keys and
//!   can leave work behind. Any number of drains may wait. A drain returns the delayed keys that were dropped.
//! - `add_after` never blocks; client-go's blocks while its channel of 1000 entries is full.
//! - The `add` methods return whether the queue accepted the key.
//! - Priorities age, unlike controller-runtime's. A key whose priority is raised keeps its arrival. The default
//!   priority is [`priority::NORMAL`].
//! - A panic in [`parallelize_until`] reaches the caller.

mod batch;
mod builder;
mod column;
mod consumer;
mod delay;
mod drain;
mod get;
mod index;
mod item;
mod key_source;
mod lanes;
pub mod limiter;
mod list;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
pub mod metrics;
mod parallelize;
pub mod priority;
mod priority_queue;
mod queue;
mod rank;
mod ready;
mod shared;
mod slot_id;
mod slots;
mod snapshot;
mod state;
mod sync;
mod time;
mod waiters;
mod window;

pub use self::{
    builder::WorkQueueBuilder,
    consumer::Consumer,
    drain::{Drain, Drained},
    item::Item,
    parallelize::parallelize_until,
    queue::{AddOptions, WorkQueue},
    snapshot::{Entry, Stage},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
