//! A deduplicating, fair queue of keys for Kubernetes controllers, and for any other keyed work.
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
//!
//! A worker that fails asks for another try with [`add_rate_limited`](WorkQueue::add_rate_limited), and one
//! that succeeds says [`forget`](WorkQueue::forget). [`add_after`](WorkQueue::add_after) is for what is to be
//! looked at again in a while, [`add_with`](WorkQueue::add_with) for priorities. A loop that takes one key after the other costs
//! less as a [`Consumer`]; a producer that has its key borrowed says [`add_ref`](WorkQueue::add_ref).
//!
//! # Guarantees
//!
//! 1. A key is never with two workers at once.
//! 2. A key added while it is being processed comes out again once its [`Item`] is dropped.
//! 3. However often a key is added before a worker takes it, it comes out once.
//! 4. A worker that panics or is cancelled leaks no key; a cancelled `get` has taken none.
//! 5. No worker sleeps while a key is ready that nobody is on the way to take.
//! 6. Of two delays of one key the earlier wins, and an `add` does not cancel a delay.
//! 7. A key cannot starve: one of priority p is overtaken by at most `(q − p) × ageing` later keys of
//!    priority q. Equal priorities come in arrival order.
//! 8. In a queue with groups, the n-th key of a group comes within n rounds of one key a group.
//! 9. After a shutdown, ready keys still come out and no other is accepted; a drain ends when nothing is
//!    ready and nothing is processing.
//! 10. Neither a key's end nor the queue's leaves anything behind: an empty queue holds less than 100 KiB, and one
//!     with an eighth of a burst left gives the rest of its memory back.
//!
//! # What it costs
//!
//! A key is hashed once, when it is added. A queued key takes some 60 bytes, its own 16 for a shared string
//! included. Nothing is spawned and no timer runs: one of the workers that wait keeps the time for the delayed
//! keys. A call makes at most 64 delayed keys ready, so that a million delays which end together do not
//! hold the queue's lock. After a burst the end of each key gives back at most 256 slots, once an eighth of them
//! is in use; a slot behind which a key is ready or with a worker waits for it. What takes the lock for longest is a table
//! that doubles, or halves twice: one pass over it. Only a queue with a [name](WorkQueueBuilder::name) reads the clock for each key.
//!
//! Needs tokio's `rt` and `time`: `get` shares its thread by tokio's budget, and delays and drains with a
//! deadline need a runtime with time enabled.
//!
//! # Not here
//!
//! What a key means, what to do for it and how to judge the result: that is the controller's. Nothing is
//! persisted, and a queue ends with its process.
//!
//! # Differences from client-go
//!
//! - `Done` is the drop of an [`Item`], so it cannot be forgotten, called twice, or called for a key that was
//!   never taken (which queues the key twice there).
//! - A drain ends when nothing is ready *and* nothing is processing; there it looks at the latter alone and
//!   can leave work behind. Any number of drains may wait. The delayed keys that it drops are returned.
//! - `add_after` never blocks; there it does while the intake of 1000 is full.
//! - `add` and its kin return whether the queue accepted the key.
//! - Priorities age, which controller-runtime's do not; a raised key keeps its place by arrival; the default
//!   priority of every add is [`priority::NORMAL`].
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
mod lanes;
pub mod limiter;
mod list;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
pub mod metrics;
mod offer;
mod order;
mod parallelize;
mod queue;
mod ready;
mod shared;
mod slots;
mod snapshot;
mod state;
mod sync;
mod time;
mod wait;
mod window;

pub use self::{
    builder::{WorkQueueBuilder, priority},
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
