//! [`Process`]: what a user's code gets of the world: a client, a name, a seed and a clock.

mod actor;
mod clock;
mod transport;

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
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

/// One process of the simulated system, from the side of the code that runs in it. A handle, to be cloned.
///
/// Everything that it spawns with `tokio::spawn` belongs to it: a crash ends all of that at once, a pause stops it.
#[derive(Clone)]
pub struct Process {
    inner: Arc<Inner>,
}

struct Inner {
    name: Arc<str>,
    /// How many times it was started before.
    restarts: u32,
    seed: u64,
    client: Client,
    wall: Wall,
    started: Instant,
    probes: Arc<Probes>,
}

/// Who asks whether this process leads, by lease.
pub(crate) type Probes = Mutex<Vec<(String, Probe)>>;

/// What the wall clock showed at the start, and by how much it was set since.
#[derive(Debug, Clone)]
pub(crate) struct Wall {
    pub(crate) at_start: Timestamp,
    pub(crate) set_by_ms: Arc<AtomicI64>,
}

impl Process {
    /// A client whose requests go through the world, with its faults. It does not retry.
    pub fn client(&self) -> Client {
        self.inner.client.clone()
    }

    /// The process's name in the scenario, which is also its clients' `User-Agent`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A name that no other process has, and not this one after a restart: for a leader's identity.
    pub fn identity(&self) -> String {
        identity(&self.inner.name, self.inner.restarts)
    }

    /// How many times it was started before.
    pub fn restarts(&self) -> u32 {
        self.inner.restarts
    }

    /// A seed of this process's own, another one after each restart: for code that draws random numbers.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Draws from [`seed`](Self::seed).
    pub fn random(&self) -> Random {
        Random::seeded(self.inner.seed)
    }

    /// The wall clock of this process, which faults may set. `Timestamp::now()` and `SystemTime::now()` show the
    /// machine's instead, which no seed decides.
    pub fn now(&self) -> Timestamp {
        let wall = &self.inner.wall;
        let set_by = SignedDuration::from_millis(wall.set_by_ms.load(Ordering::Relaxed));
        wall.at_start + self.inner.started.elapsed() + set_by
    }

    /// Says how to ask this process whether it leads under `lease`: what
    /// [`Scenario::one_leader`](crate::Scenario::one_leader) asks, after each step of the process. `lease` is any name.
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

/// The seed of a process that is started for the `restarts`th time after the first.
fn seed_of(world: u64, process: usize, restarts: u32) -> u64 {
    mix(world, process as u64, u64::from(restarts))
}

/// How a process ended by itself.
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

/// What is done when a process ends or panics by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnEnd {
    /// The history has failed.
    #[default]
    Fail,
    /// It counts as a crash: the process is started again after so long.
    Restart(Duration),
}

type Main = Arc<dyn Fn(Process) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How to start a process.
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
