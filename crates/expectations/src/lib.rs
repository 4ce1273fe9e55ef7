//! Have my own writes come back? Counts and awaited deletions, so that a Kubernetes controller never
//! acts twice on a stale cache.
//!
//! A controller that creates three Pods and is called again before its cache shows them creates
//! three more. So it writes down what it expects to see *before* it sends the calls, its informer's
//! handlers tick off what they see, and while something is missing it neither creates nor deletes.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use trimtab_expectations::{Expectations, slow_start_batch};
//!
//! # async fn create_pod(index: usize) -> Result<(), &'static str> {
//! #     if index < 3 { Ok(()) } else { Err("quota exceeded") }
//! # }
//! let expectations = Expectations::new();
//! let key = "default/web"; // of the object that controls the Pods
//! assert!(expectations.satisfied(&key)); // nothing is awaited: the cache can be trusted
//!
//! // In the reconciler: first expect, then call, then take back what will never come.
//! expectations.expect_creations(&key, 10);
//! let outcome = slow_start_batch(10, 1, create_pod).await; // batches of 1, 2, 4, …
//! expectations.lower(&key, outcome.failures + outcome.skipped, 0);
//! assert_eq!((outcome.successes, outcome.first_error), (3, Some("quota exceeded")));
//!
//! // In the informer's handler, once for each Pod of `web` that is added:
//! for _ in 0..3 {
//!     assert!(!expectations.satisfied(&key));
//!     expectations.creation_observed(&key);
//! }
//! assert!(expectations.satisfied(&key));
//! # }
//! ```
//!
//! # Guarantees
//!
//! 1. A key is not satisfied while a creation or deletion that was expected of it is missing, unless
//!    it has been missing for longer than the time to live.
//! 2. A key of which nothing was expected is satisfied, and observing something for it changes nothing.
//! 3. Expecting creations does not forget awaited deletions, nor the other way round.
//! 4. A deletion awaited by UID counts once, however often it is observed, and only its own.
//! 5. A batch that was started is completed; after a batch with an error no further one is started.
//! 6. In a strict [`Ledger`], a write whose outcome is unknown holds its key back until the cache shows
//!    whether it happened; in any, a key that waits for a version is given back once the cache has
//!    reached it.
//!
//! # Versions instead of counts
//!
//! Where the server's resource versions can be compared (Kubernetes 1.35 and later promise it), a
//! [`Ledger`] needs no counting: it keeps the highest version that a key has written to each resource,
//! and [`Ledger::ready`] asks whether the caches have reached it. It also covers updates, and replies
//! that got lost. Counts and UIDs are part of it, for what has no version.
//!
//! ```
//! use trimtab_expectations::Ledger;
//!
//! let ledger = Ledger::new();
//! let write = ledger.begin(&"default/web", "uid-of-web", "pods"); // then send the request
//! write.succeeded(17); // dropped instead, its outcome is unknown
//!
//! let cache_at = |version: u64| move |_resource: &&str| Some(version);
//! assert!(ledger.ready(&"default/web", cache_at(16)).is_err()); // parked
//! assert_eq!(ledger.reached(&"pods", 17), ["default/web"]); // in the informer's handler: enqueue it
//! assert!(ledger.ready(&"default/web", cache_at(17)).is_ok());
//! ```
//!
//! [`ExpectationsBuilder::strictness`] turns it down, for instance by a feature gate:
//!
//! | a key is held back by | [`Strict`](Strictness::Strict) (default) | [`Versions`](Strictness::Versions) | [`Off`](Strictness::Off) |
//! |---|---|---|---|
//! | a version that its caches do not show | yes | yes | no |
//! | a write under way, or without an answer | yes | no | no |
//! | counts and UIDs that are booked beside | yes | yes | no |
//!
//! # Not here
//!
//! Which key an event belongs to (`trimtab-ownership`), and who calls the reconciler again
//! (`trimtab-workqueue`). The crate shows no Kubernetes type: keys are anything that hashes, UIDs are text.
//!
//! # Differences from client-go
//!
//! - These are not in client-go but in `k8s.io/kubernetes/pkg/controller`, which nobody can import.
//! - The UID-tracking kind tracks real UIDs, not names: a Pod that came back under its old name is
//!   another one. It is not a separate type: counts and UIDs are one record under one lock.
//! - `expect_creations` and `expect_deletions` each replace their own count and keep the other;
//!   upstream's forget it. Awaiting more UIDs keeps those that are awaited already.
//! - The time to live can be set, and is measured on tokio's clock, which tests can pause.
//!   [`Expectations::expires_in`] tells when to look again, so that a lost event costs the time to
//!   live and not a resync period on top.
//! - The [`Ledger`] is upstream's consistency store (KEP-5647) with three additions: a key that must wait
//!   is woken by the event, not retried by backoff; a lost reply is known to be one; and no wait is
//!   longer than the time to live. [`Strictness::Versions`] is upstream's store without the second,
//!   [`Strictness::Off`] its store that does nothing.
//! - [`slow_start_batch`] says how many calls failed and how many were skipped, and an initial size
//!   of 0 makes progress.

mod expectations;
mod ledger;
mod slow_start;
mod state;

pub use expectations::{Expectations, ExpectationsBuilder};
pub use ledger::{Ledger, NotReady, Strictness, Write};
pub use slow_start::{BatchOutcome, slow_start_batch};
pub use state::Counts;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
