//! [`TestCluster`]: a server and the processes of a test.

use std::{
    fmt,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use kube_client::Client;
use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Duration, Instant, sleep},
};
use trimtab_apiserver::{ApiServer, ApiServerBuilder, Commit, Filter};
use trimtab_controller::{ControllerHandle, informer::InformerFactory};
use trimtab_manager::{Manager, ManagerBuilder, ManagerError};

use crate::{
    Requests,
    commits::CommitLog,
    observed::{Observed, Process},
};

/// The beginning of the `User-Agent` of controllers, by which their requests are told from those of the test.
const CONTROLLER: &str = "controller:";

/// The horizon of [`TestCluster::until_idle`].
const HORIZON: Duration = Duration::from_secs(10);
/// The virtual time after which controllers count as never idle.
const LIMIT: Duration = Duration::from_secs(3600);
/// The longest step of virtual time between two checks.
const STEP: Duration = Duration::from_millis(64);

/// An API server in the process, and the controllers that run against it.
///
/// Use it with paused time, as in `#[tokio::test(start_paused = true)]`: an hour of waiting then takes no time.
pub struct TestCluster {
    server: ApiServer,
    state: Mutex<State>,
}

struct State {
    commits: CommitLog,
    observed: Vec<Observed>,
    /// The number of requests before the last [`TestCluster::forget`].
    requests: usize,
    /// The version at the last [`TestCluster::forget`].
    version: u64,
}

/// The work that controllers had left when the time limit of [`TestCluster::try_until_idle`] had passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not idle after {after:?}:\n  {}", .work.join("\n  "))]
#[non_exhaustive]
pub struct NotIdle {
    /// The time limit.
    pub after: Duration,
    /// The reasons, one a line.
    pub work: Vec<String>,
}

impl TestCluster {
    /// Starts a server with a request log.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start() -> Self {
        Self::with(ApiServer::builder())
    }

    /// Starts a server with these settings and a request log.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn with(server: ApiServerBuilder) -> Self {
        let server = server.request_log(true).start();
        let commits = CommitLog::new(server.commits());
        let state = State { commits, observed: Vec::new(), requests: 0, version: server.resource_version() };
        Self { server, state: Mutex::new(state) }
    }

    /// Returns the server, for example to inject faults.
    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    /// Returns a client for the test itself. Its requests are not those of a controller.
    pub fn client(&self) -> Client {
        self.server.client_as("test")
    }

    /// Returns a client for a controller without a manager.
    pub fn controller_client(&self, name: &str) -> Client {
        self.server.client_as(&format!("{CONTROLLER}{name}"))
    }

    /// Returns a builder of a manager on this server.
    pub fn manager(&self, name: &str) -> ManagerBuilder {
        Manager::with_client_that_may_retry(name, self.controller_client(name))
    }

    /// Runs a manager in a task of its own, and waits for its work in [`until_idle`](Self::until_idle).
    pub fn run(&self, manager: Manager) -> RunningManager {
        let alive = Arc::new(AtomicBool::new(true));
        let process = Process::Manager(manager.handle());
        self.state.lock().observed.push(Observed { process, alive: alive.clone() });
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            if stopped.await.is_err() {
                pending::<()>().await; // dropped without a stop: the task is aborted
            }
        };
        let task = tokio::spawn(async move { manager.run_until(shutdown).await });
        RunningManager { alive, stop: Some(stop), task }
    }

    /// Waits in [`until_idle`](Self::until_idle) for controllers that run without a manager, and for all informers of
    /// their factory.
    pub fn observe(
        &self,
        controllers: impl IntoIterator<Item = ControllerHandle>,
        informers: &InformerFactory,
    ) {
        let controllers = controllers.into_iter().collect();
        let process = Process::Controllers { controllers, informers: informers.clone() };
        let alive = Arc::new(AtomicBool::new(true));
        self.state.lock().observed.push(Observed { process, alive });
    }

    /// Waits until every controller is idle: its queue is empty, no key is in work or due within 10 s, and
    /// each informer has reached the last commit of its own selection.
    ///
    /// A controller that requeues each key every few seconds is never idle; see
    /// [`try_until_idle`](Self::try_until_idle) for another horizon.
    ///
    /// # Panics
    ///
    /// If that is not so after an hour. The message says what is left.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it has changed nothing.
    #[track_caller]
    pub fn until_idle(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            if let Err(error) = self.try_until_idle(HORIZON, LIMIT).await {
                panic!("{caller}: {error}");
            }
        }
    }

    /// Waits until every controller is idle, at most for `limit`. Keys that are due later than `horizon` from then do not
    /// count.
    ///
    /// # Errors
    ///
    /// The work that is left after `limit`.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it has changed nothing.
    pub async fn try_until_idle(&self, horizon: Duration, limit: Duration) -> Result<(), NotIdle> {
        let start = Instant::now();
        let mut step = Duration::from_millis(1);
        loop {
            // With paused time, the clock moves only when every task waits: work without a timer is done by then.
            sleep(step).await;
            let work = self.work(horizon);
            if work.is_empty() {
                return Ok(());
            }
            if start.elapsed() >= limit {
                return Err(NotIdle { after: limit, work });
            }
            step = (step * 2).min(STEP);
        }
    }

    /// Returns the work that is left, one reason a line.
    fn work(&self, horizon: Duration) -> Vec<String> {
        let mut state = self.state.lock();
        let State { commits, observed, .. } = &mut *state;
        commits.update();
        observed.retain(Observed::is_alive);
        let elections: Vec<_> = observed.iter().filter_map(Observed::election).collect();
        let mut work: Vec<_> = observed.iter().flat_map(|one| one.work(commits, horizon)).collect();
        for (candidate, leader) in &elections {
            match leader {
                None => work.push(format!("{candidate}: nobody leads yet")),
                Some(leader) if elections.iter().any(|(other, _)| other == leader) => {}
                Some(leader) => work.push(format!("{candidate}: the leader {leader} does not run any more")),
            }
        }
        work
    }

    /// Returns the requests of all controllers since the last [`forget`](Self::forget).
    pub fn requests(&self) -> Requests {
        let forgotten = self.state.lock().requests;
        let all = self.server.request_log().matching(&Filter::any());
        let since = all.into_iter().skip(forgotten);
        Requests(since.filter(|exchange| exchange.user_agent.starts_with(CONTROLLER)).collect())
    }

    /// Returns the commits of a resource, such as `deployments.apps`, since the last [`forget`](Self::forget), whoever
    /// made them.
    pub fn commits(&self, resource: &str) -> Vec<Commit> {
        let mut state = self.state.lock();
        state.commits.update();
        let since = |commit: &&Commit| commit.version > state.version;
        state.commits.of(resource).iter().filter(since).cloned().collect()
    }

    /// Lets [`requests`](Self::requests) and [`commits`](Self::commits) begin here.
    pub fn forget(&self) {
        let mut state = self.state.lock();
        state.requests = self.server.request_log().matching(&Filter::any()).len();
        state.version = self.server.resource_version();
    }

    /// Asserts that the controllers have settled: when all objects are reconciled once more without a change,
    /// nothing is written.
    ///
    /// # Panics
    ///
    /// If something is written, or the controllers do not become idle.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, keys may have been queued again.
    #[track_caller]
    pub fn assert_settles(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            self.until_idle().await;
            self.forget();
            let active: Vec<_> = {
                let state = self.state.lock();
                state.observed.iter().filter(|one| one.is_alive()).flat_map(Observed::controllers).collect()
            };
            let reconciles = |controllers: &[ControllerHandle]| {
                controllers.iter().map(|controller| controller.status().reconciles).sum::<u64>()
            };
            let before = reconciles(&active);
            active.iter().for_each(ControllerHandle::requeue_all);
            self.until_idle().await;
            let writes = self.requests().writes();
            assert!(
                writes.is_empty(),
                "{caller}: not settled: {} reconciles without a change wrote:\n{writes}",
                reconciles(&active) - before,
            );
        }
    }
}

impl fmt::Debug for TestCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestCluster").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A manager that runs in a task. Dropping it is a crash: everything of the process ends at once.
#[derive(Debug)]
#[must_use = "the process ends when this is dropped"]
pub struct RunningManager {
    alive: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ManagerError>>,
}

impl RunningManager {
    /// Stops the process in order, as SIGTERM does, and returns its result.
    ///
    /// # Errors
    ///
    /// As [`Manager::run_until`].
    ///
    /// # Panics
    ///
    /// If the run itself panicked.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the process crashes.
    pub async fn stop(mut self) -> Result<(), ManagerError> {
        if let Some(stop) = self.stop.take() {
            _ = stop.send(()); // an error means that it has ended
        }
        (&mut self.task).await.expect("the run of a manager contains panics")
    }

    /// Ends the process at once, as a crash does: nothing is released, flushed or awaited.
    pub fn crash(self) {
        drop(self);
    }
}

impl Drop for RunningManager {
    fn drop(&mut self) {
        self.alive.store(false, Relaxed);
        self.task.abort();
    }
}
