//! Who may act, and until when: leader election over a Kubernetes Lease, timed on the local monotonic clock.
//!
//! Of several replicas of a controller one leads; the others wait for its lease to expire. The leader
//! gets a token that says until when it may act, and its work is stopped before anybody else can
//! take the lease.
//!
//! ```no_run
//! use trimtab_leaderelection::{LeaderElector, Outcome};
//!
//! # async fn reconcile_everything() {}
//! # async fn example(client: kube_client::Client, shutdown: impl Future<Output = ()>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut elector = LeaderElector::builder(client, "kube-system", "my-controller")
//!     .release_on_cancel(true) // a successor need not wait for the lease to expire
//!     .build()?;
//!
//! let outcome = elector
//!     .run_terms(shutdown, |leadership| async move {
//!         tokio::select! {
//!             () = reconcile_everything() => {} // each write asks `leadership.is_valid()` first
//!             () = leadership.lost() => {}      // time to wind up
//!         }
//!     })
//!     .await;
//! assert!(!matches!(outcome, Outcome::Lost(_))); // it stood again each time it lost the lease
//! # Ok(())
//! # }
//! ```
//!
//! The types of [`k8s_openapi`] and [`kube_client`] are part of this crate's interface.
//!
//! # Guarantees
//!
//! 1. No two candidates have a valid token at the same time, whatever their wall clocks show, as long as
//!    none's monotonic clock runs faster than another's by the ratio of lease duration to renew
//!    deadline, and nobody edits or deletes the lease by hand.
//! 2. Led work has ended, by itself or by being dropped, before another candidate can take the lease,
//!    unless this process did not run for so long; then its first step finds the token invalid.
//! 3. A token that was invalid once never becomes valid again.
//! 4. The lease is released only after the led work has ended, and only if the server says that it is
//!    still ours.
//! 5. No request of an election can hang: each has a time limit.
//! 6. Nothing is spawned.
//! 7. In a coordinated election the lease is never created and never taken, only renewed, while it has
//!    this candidate's name and the server prefers nobody else; trouble with the `LeaseCandidate` keeps no
//!    lease from being renewed.
//!
//! The clock is `CLOCK_MONOTONIC` on Linux, which stands still while a machine is suspended: after
//! a suspension the leader believes in its token for what was left of it, until its next renewal fails.
//! Let writes carry a resource version, and the server refuses what comes too late.
//!
//! # Coordinated election
//!
//! With [`LeaderElectorBuilder::coordinated`] the API server picks the leader (KEP-4355), so that during
//! an upgrade the oldest version leads:
//!
//! ```no_run
//! use trimtab_leaderelection::{Candidacy, LeaderElector};
//!
//! # async fn example(client: kube_client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let elector = LeaderElector::builder(client, "kube-system", "my-controller")
//!     .coordinated(Candidacy::new(env!("CARGO_PKG_VERSION")))
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! Where the server does not serve `LeaseCandidate`s (the feature gate `CoordinatedLeaderElection` is off
//! by default), the candidates stand for the plain Lease as if nothing had been set. In a coordinated
//! election the server decides by `renewTime` and its own wall clock whether a lease has expired. So
//! guarantees 1 and 2 also need a wall clock that is not behind the server's by more than half the
//! difference of lease duration and renew deadline: 2.5 s, unless these are set.
//!
//! # Not here
//!
//! Events on the lease. A token is not a fence: a request that was sent in time may arrive late.
//!
//! # Differences from client-go
//!
//! - The leader has a token with an end. Upstream's leader context may be cancelled one retry period
//!   and one renew deadline after the last renewal; here leadership ends one renew deadline after it.
//! - Led work is a future. It is stopped and awaited before the lease is released; upstream releases
//!   first, and never waits.
//! - A release asks the server who holds the lease; upstream trusts what it saw last and can wipe out
//!   a successor's record.
//! - Changes are told apart by resource version, so two renewals in one second are two changes.
//! - A lease that is missing though its holder was alive is waited for, not created at once.
//! - A leader that finds the lease without its name has lost it, even if nobody else's is there.
//! - Lease durations below one second are refused: they would be written as 0.
//! - An identity is made up if none is given, and is unique to the process.
//! - A `LeaseCandidate` is read every 2 s, or every retry period if that is shorter, not watched. Upstream
//!   watches it.
//! - A ping is answered with a time that is later than the ping's, even if the local clock is behind.
//! - At the end of a term that the server wants, led work has the rest of the token to wind up, and the
//!   lease is given back with `release_on_cancel`. Upstream lets it lapse.
//! - Without the API of `LeaseCandidate`s upstream's candidates wait for ever.
//! - The gauge is 0 after every term; upstream's misses some ends.

mod candidacy;
mod candidate;
mod config;
mod elector;
mod leadership;
mod lease;
pub mod metrics;
mod observer;
mod outcome;
mod standing;
mod state;

pub use candidacy::Candidacy;
pub use config::{ConfigError, LeaderElectorBuilder};
pub use elector::LeaderElector;
pub use leadership::Leadership;
pub use observer::{Observer, StaleLeader};
pub use outcome::Outcome;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
