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
//!    priority q. Equal priorities come in arrival order. In a queue with groups this holds within each group.
//! 8. In a queue with groups, the n-th key of a group comes out within n rounds. Each round takes one key from
//!    every group that has a ready key. A group at its [limit](WorkQueueBuilder::group_limit) is passed over.
//! 9. After a shutdown, ready keys still come out and adds are refused. A drain ends when no key is ready and
//!    none is processing, or earlier by its deadline or [`shut_down`](WorkQueue::shut_down).
//! 10. A key that is done and a queue that is dropped leave nothing behind, except that the rate limiter keeps the
//!     failures of a key until [`forget`](WorkQueue::forget). An empty queue of keys of 16 bytes holds about 100 KiB
//!     at most, and 4 KiB once a worker sleeps. A queue with less than an eighth of a burst left frees the rest of the
//!     burst's memory.
//!
//! # Costs
//!
//! A key is hashed once, when it is added. A queued key takes about 60 bytes, including 16 for the key if it is a
//! shared string. No timer runs while no worker waits: one of the waiting workers owns the timer for the delayed
//! keys. Nothing is spawned and the clock is not read, with two exceptions: a queue with a
//! [name](WorkQueueBuilder::name) reads it per key, and each such queue has a task for its metrics; and the clock
//! is read for delays, and per key while the queue holds delayed keys.
//!
//! While several threads use the queue, an add leaves its key in a list, the intake, instead of waiting for the lock. Whoever
//! locks the queue next receives the list first, in the order of the adds: every call sees all adds that had returned
//! before it. A key that was added twice is then dropped by the thread that receives it. In a queue with a name such an add
//! changes the metrics when it is received: with the next call, or at the latest with the next update of the gauges of
//! unfinished work. A thread that has to wait for the lock waits some tens of microseconds before it sleeps.
//!
//! While a queue holds tens of thousands of keys and no worker sleeps, its adds are received two dozen at a time: an add leaves
//! its key beside the state, and the 24th add or any other call receives the keys, in the order of the adds. A key that
//! was added twice is then dropped by the call that receives it. Queues with a name and [`add_ref`](WorkQueue::add_ref) do
//! not do this.
//!
//! Steps under the lock are short: a take makes at most 64 delayed keys ready, so that a million delays that end
//! together do not block the queue. After a burst, each key that is done frees at most 256 slots; a slot at the end
//! that is ready or processing stops this until it is done. Some steps take longer, in proportion to the keys that they
//! look at: a table that grows to double size or shrinks to a quarter; the removal of outdated heap entries, after at
//! least as many keys were moved or removed; a shutdown, which drops the delayed keys; the end of a drain;
//! [`get_many`](WorkQueue::get_many), [`add_many`](WorkQueue::add_many) and [`snapshot`](WorkQueue::snapshot).
//!
//! The crate needs tokio's features `macros`, `rt` and `time`. `get` takes part in tokio's cooperative budget; delays and
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
#[cfg(all(test, not(trimtab_loom)))]
mod batched_tests;
mod builder;
mod column;
mod consumer;
mod delay;
mod drain;
mod get;
mod handle;
mod index;
mod intake;
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
mod wake_ups;
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

/// The name of the crate in `tests/`, whose files `batched_tests` includes.
#[cfg(all(test, not(trimtab_loom)))]
extern crate self as trimtab_workqueue;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
