//! Read-your-own-writes for Kubernetes controllers: an object's controller acts only when its caches show
//! the writes that it made before.
//!
//! ```text
//! 0 ms    web wants 3 Pods, the cache shows 0   the controller creates 3
//! 5 ms    the cache still shows 0               it is called again, and creates 3 more
//! 80 ms   the cache shows 6                     it deletes 3, maybe the ones that serve traffic
//! ```
//!
//! **A trap in the client.** kube-client repeats a request after 429, 503 and 504 by default, a `POST` too. The first
//! try may have been carried out. With `generateName` the second makes a twin, and no ledger sees it, because the
//! client reports a single success. Set `Config::default_retry = false` for the client that writes. A name that
//! follows from the owner and an index makes twins impossible: the server refuses the second with 409.
//!
//! A [`Ledger`] prevents this failure. The controller records each write *before* it sends the request, the
//! informer's handlers report the events, and [`Ledger::ready`] answers one question: may this key act, or
//! must it wait? A key that waits is woken by the event.
//!
//! ```
//! use trimtab_expectations::Ledger;
//!
//! let ledger = Ledger::new();
//! let _waker = ledger.on_wake(|key: &&str| println!("enqueue {key}"));
//!
//! // In the reconciler: record the write, send the request, report its outcome.
//! let write = ledger.expect_creation(&"default/web", "uid-of-web", "pods");
//! write.succeeded(17_u64); // the version in the reply; dropped instead, the outcome is unknown
//!
//! // At the next sync, the cache of Pods is still at version 16.
//! assert!(ledger.ready(&"default/web", |_| Some(16)).is_err());
//!
//! // In the informer's handler: wakes the key.
//! ledger.creation_observed(&"default/web", &"pods");
//! ledger.reached(&"pods", 17);
//! assert!(ledger.ready(&"default/web", |_| Some(17)).is_ok());
//! ```
//!
//! # Guarantees
//!
//! 1. A key may not act while one of its writes is missing in the cache: by version, by UID or by count.
//! 2. In a strict ledger, a write without a reply keeps its key waiting until the cache shows whether it
//!    happened.
//! 3. Once the cache has reached the versions of a key's writes, the key may act, whatever events were
//!    missed.
//! 4. A key that must wait is woken by the event that ends the wait, even if the event arrives during the
//!    check.
//! 5. After [`Ledger::restore`] or [`Ledger::close`], no key may act until the caches are new enough.
//! 6. A batch of a [`SlowStart`] that was started is completed; after a batch with an error none is started.
//! 7. No wait lasts longer than the time to live. A wait that ends this way is counted.
//!
//! # Strictness
//!
//! [`LedgerBuilder::strictness`] sets which evidence holds a key back, for instance by a feature gate:
//!
//! | a key is held back by | [`Strict`](Strictness::Strict) (default) | [`Versions`](Strictness::Versions) | [`Counts`](Strictness::Counts) |
//! |---|---|---|---|
//! | a version that its cache does not show | yes | yes | no |
//! | a write in flight or without a reply | yes | no | no |
//! | counts and UIDs of events that have not come | yes | yes | yes |
//!
//! # After a restart
//!
//! A new process knows nothing of the writes of the old one, and its cache may be older than they are.
//! [`Ledger::snapshot`] is a short text that the old leader keeps in an annotation of its Lease, and
//! [`Ledger::restore`] makes the new one wait for it. It costs no request but the renewal that is sent anyway.
//! Without a snapshot, [`Ledger::close`] costs one `LIST` with `limit=1` for each resource.
//!
//! # Counting alone
//!
//! [`Expectations`] is upstream's `ControllerExpectations`: counts and awaited UIDs, for a controller that
//! needs no versions.
//!
//! ```
//! use trimtab_expectations::Expectations;
//!
//! let expectations = Expectations::new();
//! expectations.expect_creations(&"default/web", 2);
//! expectations.creation_observed(&"default/web");
//! assert!(!expectations.satisfied(&"default/web"));
//! expectations.creation_observed(&"default/web");
//! assert!(expectations.satisfied(&"default/web"));
//! ```
//!
//! # Not here
//!
//! The key to which an event belongs (`trimtab-ownership`), and the queue that calls the reconciler again
//! (`trimtab-workqueue`). The crate shows no Kubernetes type: keys are anything that hashes, UIDs are text.
//! It spawns no task and needs no runtime; its time is tokio's, which tests can pause.
//!
//! # Differences from client-go
//!
//! - These parts are not in client-go but in `k8s.io/kubernetes/pkg/controller`, which is not published as a library.
//! - The [`Ledger`] joins upstream's expectations and its consistency store (KEP-5647). A key that must
//!   wait is woken by the event, not retried by backoff; a lost reply is remembered; a version that the
//!   cache has reached ends the wait for events that were missed.
//! - Deletions are awaited by UID, not by name: a Pod that came back under its old name is another one.
//! - [`Expectations::expect_creations`] and [`Expectations::expect_deletions`] each replace their own count
//!   and keep the other; upstream's forget it.
//! - The time to live can be set, and no wait depends on a resync.
//! - [`slow_start_batch`] returns the successful, the failed and the untried items; an initial size of 0 makes
//!   progress.

mod deadline;
mod expectations;
mod ledger;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
mod shards;
mod slow_start;
mod sync;

pub use expectations::{Counts, Expectations, ExpectationsBuilder};
pub use ledger::{
    Ledger, LedgerBuilder, NotReady, OnWake, ParseSnapshotError, Reason, Snapshot, Status, Strictness, Write,
};
pub use slow_start::{BatchOutcome, SlowStart, slow_start_batch};

pub mod metrics {
    //! The names of the metrics that a ledger with a [name](crate::LedgerBuilder::name) emits.
    //!
    //! They go to the recorder of the [`metrics`](https://docs.rs/metrics) facade that is installed when
    //! the ledger is built.

    pub use crate::ledger::metrics::{EXPIRED_TOTAL, KEYS, PARKED, STALE_SYNC_SKIPS_TOTAL, WAITS_TOTAL};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
