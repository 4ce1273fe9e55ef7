//! [`Process`]: the client, the name, the seed and the clock of simulated code.

mod actor;
mod clock;
mod transport;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube_client::Client;
use parking_lot::Mutex;
use tokio::time::Instant;

pub(crate) use self::{
    actor::{Actor, Ended},
    transport::{Posted, Reply, ReplyBody, broken},
};
use crate::random::{Random, mix};

type Probe = Arc<dyn Fn() -> bool + Send + Sync>;

/// A simulated process, as the code in it sees it. Cheap to clone.
///
/// Tasks spawned with `tokio::spawn` belong to the process: a crash ends all of them at once, a pause stops them.
#[derive(Clone)]
pub struct Process {
    inner: Arc<Inner>,
}

struct Inner {
    name: Arc<str>,
    /// The number of earlier starts.
    restarts: u32,
    seed: u64,
    history_seed: u64,
    client: Client,
    wall: Wall,
    started: Instant,
    /// The milliseconds for which its machine was suspended.
    suspended_ms: Arc<AtomicU64>,
    probes: Arc<Probes>,
    violations: Arc<Violations>,
}

/// The functions that report whether this process leads, by Lease.
pub(crate) type Probes = Mutex<Vec<(String, Probe)>>;

/// The properties that the process itself has found violated, with the reasons.
pub(crate) type Violations = Mutex<Vec<(String, String)>>;

/// The wall clock at the start, and the amount by which it was moved since.
#[derive(Debug, Clone)]
pub(crate) struct Wall {
    pub(crate) at_start: Timestamp,
    pub(crate) set_by_ms: Arc<AtomicI64>,
}

impl Process {
    /// Returns a client whose requests pass through the simulation and its faults. It does not retry.
    pub fn client(&self) -> Client {
        self.inner.client.clone()
    }

    /// Returns the process's name in the scenario, which is also the `User-Agent` of its clients.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns a name for leader election that is unique, also among the restarts of this process.
    pub fn identity(&self) -> String {
        identity(&self.inner.name, self.inner.restarts)
    }

    /// Returns the number of earlier starts.
    pub fn restarts(&self) -> u32 {
        self.inner.restarts
    }

    /// Returns a seed for random numbers, which differs for each process and each restart.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Returns the seed of the history, which all its processes share: for decisions that must be the same in all of them.
    pub fn history_seed(&self) -> u64 {
        self.inner.history_seed
    }

    /// Returns a generator with [`seed`](Self::seed).
    pub fn random(&self) -> Random {
        Random::seeded(self.inner.seed)
    }

    /// Returns the wall clock of this process, which faults may move. `Timestamp::now()` and `SystemTime::now()` return the
    /// machine's clock instead, which does not depend on the seed.
    pub fn now(&self) -> Timestamp {
        let wall = &self.inner.wall;
        let set_by = SignedDuration::from_millis(wall.set_by_ms.load(Ordering::Relaxed));
        wall.at_start + self.boot_time() + set_by
    }

    /// Returns the time since the process was started, by a clock that goes on while its machine is suspended, as
    /// `CLOCK_BOOTTIME` does. tokio's clock stands still meanwhile.
    pub fn boot_time(&self) -> Duration {
        let suspended = Duration::from_millis(self.inner.suspended_ms.load(Ordering::Relaxed));
        self.inner.started.elapsed() + suspended
    }

    /// Fails the history: reports a violation of `property` that only this process can see. The first one counts.
    pub fn violate(&self, property: &str, reason: impl fmt::Display) {
        self.inner.violations.lock().push((property.to_owned(), reason.to_string()));
    }

    /// Registers a function that returns whether this process leads under `lease`, which can be any name.
    /// [`Scenario::one_leader`](crate::Scenario::one_leader) calls it after each step of the process.
    pub fn leads(&self, lease: &str, is_leader: impl Fn() -> bool + Send + Sync + 'static) {
        self.inner.probes.lock().push((lease.to_owned(), Arc::new(is_leader)));
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("identity", &self.identity()).field("seed", &self.seed()).finish()
    }
}

pub(crate) fn identity(name: &str, restarts: u32) -> String {
    format!("{name}-{restarts}")
}

/// Returns the seed of a process after `restarts` restarts.
fn seed_of(world: u64, process: usize, restarts: u32) -> u64 {
    mix(world, process as u64, u64::from(restarts))
}

/// The result of a process that returned.
pub trait Outcome: Send + 'static {
    /// `Err` with the reason if it failed.
    fn into_result(self) -> Result<(), String>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<T: Send + 'static, E: fmt::Display + Send + 'static> Outcome for Result<T, E> {
    fn into_result(self) -> Result<(), String> {
        self.map(drop).map_err(|error| error.to_string())
    }
}

/// The reaction to a process that returns or panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnEnd {
    /// The history fails.
    #[default]
    Fail,
    /// It counts as a crash: the process restarts after this time.
    Restart(Duration),
}

type Main = Arc<dyn Fn(Process) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The definition of a process.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) name: Arc<str>,
    pub(crate) main: Main,
    pub(crate) on_end: OnEnd,
}

impl Spec {
    pub(crate) fn new<F, T>(name: &str, main: impl Fn(Process) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
        T: Outcome,
    {
        let main: Main = Arc::new(move |process| {
            let running = main(process);
            Box::pin(async move { running.await.into_result() })
        });
        Self { name: name.into(), main, on_end: OnEnd::default() }
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("name", &self.name).field("on_end", &self.on_end).finish_non_exhaustive()
    }
}
