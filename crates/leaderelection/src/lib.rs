//! Leader election over a Kubernetes Lease: a token that says until when this process may act.
//!
//! Of several replicas of a controller one leads; the others wait for its Lease to expire. The leader
//! gets a token with an end on the local clock. Its work is stopped before another candidate can take the Lease.
//!
//! ```no_run
//! use kube_client::{Client, Config, client::ClientBuilder};
//! use trimtab_leaderelection::{LeaderElector, Leadership, lease_client_config};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config::infer().await?;
//!     let lease_client = Client::try_from(lease_client_config(config.clone()))?;
//!     let mut elector = LeaderElector::builder(lease_client, "kube-system", "my-controller")
//!         .release_on_cancel(true) // a successor need not wait for the Lease to expire
//!         .build()?;
//!     // Refuses writes while this process does not lead.
//!     let client = ClientBuilder::try_from(config)?.with_layer(&elector.fence()).build();
//!
//!     let shutdown = async { _ = tokio::signal::ctrl_c().await };
//!     let outcome = elector.run_terms(shutdown, |leadership| reconcile(client.clone(), leadership)).await;
//!     if outcome.must_exit() {
//!         std::process::exit(1); // a task blocks its thread and cannot be ended
//!     }
//!     Ok(())
//! }
//!
//! async fn reconcile(_client: Client, leadership: Leadership) {
//!     // Work that writes through the client; it stops when leadership is lost.
//!     leadership.lost().await;
//! }
//! ```
//!
//! The types of [`k8s_openapi`] and [`kube_client`] are part of this crate's interface, and `tower`'s
//! `Layer` and `Service`.
//!
//! # Guarantees
//!
//! Under the [assumptions](#the-inequality-and-its-assumptions) below:
//!
//! 1. No two candidates have a valid token at the same time, whatever their wall clocks show.
//! 2. Led work has ended, by itself or by being dropped, before another candidate can take the Lease,
//!    unless this process did not run for so long; then its first step finds the token invalid.
//! 3. A token that was found invalid once never becomes valid again.
//! 4. The Lease is released only after the led work has ended, every task with a [`WorkGuard`] included, and
//!    only if the server says that it is still ours. A task that does not end keeps the Lease until it
//!    expires, is named in the log, and is reported by [`Outcome::must_exit`].
//! 5. No request of an election can hang: each has a time limit. A [watch](LeaderElectorBuilder::watch) has none, and polls
//!    go on beside it.
//! 6. Nothing is spawned.
//! 7. In a coordinated election the Lease is never created and never taken, only renewed, while it has
//!    this candidate's name and the server prefers no other candidate. Errors of the `LeaseCandidate` do not
//!    stop the renewals of the Lease.
//! 8. Behind a [`FenceLayer`], no write is sent after the end of the token.
//! 9. Nothing in a Lease or in a response of the server stops an election for longer than the Lease's own
//!    duration, or causes a panic: an unreadable time, duration or holder counts as changed when it was seen.
//!
//! # The inequality and its assumptions
//!
//! Let `D` be the lease duration and `R` the renew deadline, `R < D`. A renewal is sent at `s` (the leader
//! reads its clock before it sends), is committed at `c`, and a follower has read it at `o` (it reads its
//! clock after the response). So `s ≤ c ≤ o`. Let every clock advance by at least `1 - ρ` and at most
//! `1 + ρ` seconds in each second.
//!
//! - The token that this renewal has prolonged is valid while the leader's clock shows less than `R` since
//!   `s`: at the latest until `s + R / (1 - ρ)`.
//! - An event of a watch is read after the commit that it reports, so it is such an `o`, too.
//! - The follower takes the Lease when its own clock shows `D` since `o`: at the earliest at
//!   `o + D / (1 + ρ)`, which is not before `s + D / (1 + ρ)`.
//! - The write that takes carries the resource version of that renewal. If a later renewal was committed, the
//!   server refuses the take. If the take was committed, the server refuses every later renewal. So only the
//!   last committed renewal counts, and one that was committed without a response has prolonged no token.
//!
//! Hence the token has ended before the take if `R / (1 - ρ) < D / (1 + ρ)`, that is **`(1 + ρ) / (1 - ρ) < D / R`**.
//! With 15 s and 10 s, rates may be wrong by 20 %. Led work is dropped at `R + (D - R) / 2`, 12.5 s, for which
//! they may be wrong by 9 %; and a task that does not end is reported at `R + 3/4 (D - R)`, 13.75 s: 4 %.
//! Clocks of real machines are wrong by less than 0.1 %.
//!
//! Assumptions, which are not checked:
//!
//! - **The rate is bounded, and a suspension counts.** On Linux and Android the clock is `CLOCK_BOOTTIME`
//!   ([`BootClock`]), which continues while the machine is suspended; elsewhere it is tokio's ([`TokioClock`]).
//! - **The clock of a virtual machine continues while it is migrated or paused.** Many hypervisors stop it for
//!   that time. Then the pause adds to the token: up to `D - R` of it (5 s) keeps guarantee 1, half of that
//!   guarantee 2. A machine that is restored from a snapshot breaks both.
//! - **The API server is linearizable for one object**: it refuses a write with an old resource version. The
//!   Lease is not edited or deleted by hand, and identities are unique.
//! - **Other candidates follow the same rule**: they wait for the duration in the Lease since they saw it change.
//!   client-go's elector does. One that compares `renewTime` with its own clock does not.
//!
//! # Limits of a lease
//!
//! A token is checked, then something is done: between the two, the process can be stopped for any time. And a
//! request that was sent in time can be delayed on its way. So a write that was *in flight* at the end of a token
//! can be committed after another leader has begun. The fence makes this the only such case. The server
//! refuses such a write if it carries a precondition that breaks when the other leader writes: UID and
//! resource version of the object. Let writes carry them. For effects outside of the API server, the receiver must
//! check the leader, for instance by [`Observer::transitions`] as an epoch.
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
//! If the server does not serve `LeaseCandidate`s (the feature gate `CoordinatedLeaderElection` is off
//! by default), or this process may not write its own, the candidate competes for the plain Lease as without
//! this option. In a coordinated
//! election the server decides by `renewTime` and its own wall clock whether a Lease has expired. So
//! guarantees 1 and 2 also need a wall clock that is not behind the server's by more than half the
//! difference of lease duration and renew deadline: 2.5 s, unless these are set.
//!
//! # Fast failover
//!
//! Start informers before [`LeaderElector::run_terms`]: led work begins at once when the Lease is acquired, and finds
//! its caches synced. Set [`release_on_cancel`](LeaderElectorBuilder::release_on_cancel) for planned
//! restarts, and [`watch`](LeaderElectorBuilder::watch) for both: a follower learns of a release at once, and takes
//! the Lease of a crashed leader when it expires. A process that stands for many
//! Leases shares one watch among its electors: [`LeaseWatcher`]. Where watches are not allowed, there is
//! [`wake_at_expiry`](LeaderElectorBuilder::wake_at_expiry).
//!
//! # Not here
//!
//! Recording of Events ([`on_event`](LeaderElectorBuilder::on_event) provides their content), signals, and an
//! HTTP server for the health check.
//!
//! # Differences from client-go
//!
//! - The leader has a token with an end. Upstream's leader context may be cancelled one retry period
//!   and one renew deadline after the last renewal; here leadership ends one renew deadline after it.
//! - Led work is a future, which takes the place of `OnStartedLeading`; `OnStoppedLeading` is the return of
//!   [`run`](LeaderElector::run). Led work is stopped and awaited before the Lease is released; upstream
//!   releases first, and never waits.
//! - A release asks the server for the present holder; upstream uses its cached record and can overwrite
//!   a successor's.
//! - Changes are detected by resource version, so two renewals in one second are two changes.
//! - A Lease that was deleted while it was held is not created before its duration has passed.
//! - If the duration in a Lease is missing, zero or negative, a candidate waits for its own lease duration; upstream
//!   takes the Lease at once.
//! - A leader that finds the Lease without its name has lost it, even if it has no other holder.
//! - Lease durations below one second are refused: they would be written as 0.
//! - An identity is generated if none is given, and is unique to the process.
//! - A `LeaseCandidate` is read every 2 s, or every retry period if that is shorter, not watched. Upstream
//!   watches it.
//! - A ping is answered with a time that is later than the ping's, even if the local clock is behind.
//! - If the server ends a term, led work has the rest of the token to stop, and with `release_on_cancel` the Lease is
//!   released. Upstream lets it expire.
//! - Without the API of `LeaseCandidate`s, or without access to it, upstream's candidates wait forever.
//! - A follower can [watch](LeaderElectorBuilder::watch) the Lease, alone or through a watch that electors share
//!   ([`LeaseWatcher`]); upstream's polls.
//! - The gauge is 0 after every term; upstream's misses some ends.

mod builder;
mod candidacy;
mod candidate;
mod clock;
mod config;
mod elector;
mod event;
mod fence;
mod hooks;
mod leadership;
mod lease;
mod lease_client;
mod lease_watch;
mod lease_watcher;
mod led_term;
pub mod metrics;
mod observer;
mod outcome;
mod renewal;
mod rules;
mod state;
mod work;

pub use builder::LeaderElectorBuilder;
pub use candidacy::Candidacy;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use clock::BootClock;
pub use clock::{Clock, TokioClock};
pub use config::ConfigError;
pub use elector::LeaderElector;
pub use event::LeaderEvent;
pub use fence::{Fence, FenceLayer, FencedError};
pub use leadership::{Leadership, LeadershipLost};
pub use lease_client::lease_client_config;
pub use lease_watcher::LeaseWatcher;
pub use observer::{LeaderChanges, Observer, StaleLeader};
pub use outcome::Outcome;
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub use rules::Rule;
pub use work::WorkGuard;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
