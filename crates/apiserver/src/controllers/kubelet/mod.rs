//! [`Kubelet`]: makes Pods run where there are no machines. It is a client like any other, so that
//! it serves a real cluster without nodes just as well.

mod nodes;
mod plan;
mod pods;
mod requests;
mod source;
mod status;
mod view;

use std::{fmt, future::Future, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use kube_client::{Client, Error};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};

pub use self::plan::{PodPlan, SeenPod};
use self::{
    pods::{Action, Pods, Settings},
    source::Observed,
    view::PodView,
};

/// How many requests are under way at the same time.
const CONCURRENCY: usize = 64;
/// How long one may take before it is given up and tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a failed request rests before it is tried again.
const REST: Duration = Duration::from_millis(250);

/// Stands in for nodes, their kubelets and the scheduler: keeps Nodes `Ready`, binds every Pod to one
/// of them in turn, starts it after a while, and ends it a while after its deletion was asked for.
///
/// It holds no task: everything happens inside [`run`](Self::run), with at most 64 requests at a time,
/// however many Pods there are. Time is the runtime's, so it works under a paused clock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use std::time::Duration;
/// use trimtab_apiserver::{ApiServer, Kubelet};
///
/// let server = ApiServer::start();
/// let kubelet = Kubelet::new(server.client_as("kubelet")).startup(Duration::from_secs(2));
/// let hour = tokio::time::sleep(Duration::from_secs(3600)); // or until a signal comes
/// kubelet.run(hour).await;
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Kubelet {
    client: Client,
    nodes: Vec<String>,
    heartbeats: bool,
    settings: Settings,
}

impl Kubelet {
    /// A kubelet of one node, `node-1`, whose Pods start and end without delay.
    pub fn new(client: Client) -> Self {
        Self { client, nodes: Vec::new(), heartbeats: false, settings: Settings::default() }
    }

    /// Adds a node of this name; the first takes the place of `node-1`.
    pub fn node(mut self, name: &str) -> Self {
        self.nodes.push(name.to_owned());
        self
    }

    /// How long a Pod takes from its binding to `Running` and `Ready`.
    pub fn startup(mut self, startup: Duration) -> Self {
        self.settings.startup = startup;
        self
    }

    /// How long a Pod takes to end, counted from when its deletion is seen. Where that is longer than
    /// its grace period, the grace period counts.
    pub fn termination(mut self, termination: Duration) -> Self {
        self.settings.termination = termination;
        self
    }

    /// Says what becomes of the Pods that `rule` has a plan for. The first rule with a plan counts; a Pod without
    /// one runs until it is deleted, but a Job's Pod that may end has succeeded after a second.
    ///
    /// Rules are asked at every turn of a Pod's life, so they are to be quick and to answer the same for the same.
    ///
    /// ```
    /// # use trimtab_apiserver::{ApiServer, Kubelet, PodPlan};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let server = ApiServer::start();
    /// let kubelet = Kubelet::new(server.client_as("kubelet"))
    ///     .rule(|pod| (pod.label("app") == Some("broken")).then(|| PodPlan::exits(1)));
    /// # drop(kubelet);
    /// # }
    /// ```
    pub fn rule(mut self, rule: impl Fn(SeenPod<'_>) -> Option<PodPlan> + Send + Sync + 'static) -> Self {
        self.settings.rules.push(rule);
        self
    }

    /// Whether each node has a Lease in `kube-node-lease` that is renewed every 10 s, for those who would otherwise
    /// take it for dead, such as upstream's node lifecycle controller. By default it has none: the writes of a
    /// test are its own.
    pub fn heartbeats(mut self, heartbeats: bool) -> Self {
        self.heartbeats = heartbeats;
        self
    }

    /// Makes Pods run until `shutdown` completes. Failing requests are logged and tried again.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time: what it had not done yet, another `run` does. A request that was
    /// under way may still reach the server.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        if self.nodes.is_empty() {
            self.nodes.push("node-1".to_owned());
        }
        let (sender, receiver) = mpsc::channel(1024);
        tokio::select! {
            // One task for all: the two sides take turns, and end together. In a fixed order, here and below, so that
            // Pods come to run in the same order in every run of a simulation.
            biased;
            () = shutdown => {}
            () = self.watch(sender) => {}
            () = self.work(receiver) => {}
        }
    }

    /// Has the nodes first, then sees the Pods.
    async fn watch(&self, sender: mpsc::Sender<Observed>) {
        let nodes = self.register().await;
        let followed = source::follow(&self.client, sender);
        if self.heartbeats {
            tokio::select! {
                biased;
                () = followed => {}
                () = nodes::keep_alive(&self.client, &nodes) => {}
            }
        } else {
            followed.await;
        }
    }

    /// Makes each node exist and `Ready`, however long that takes.
    async fn register(&self) -> Vec<nodes::Registered> {
        let mut all = Vec::new();
        for node in &self.nodes {
            all.push(loop {
                match nodes::register(&self.client, node).await {
                    Ok(registered) => break registered,
                    Err(error) => {
                        tracing::debug!(node, %error, "registering a node failed, and will be tried again");
                        sleep(REST).await;
                    }
                }
            });
        }
        all
    }

    async fn work(&self, mut observed: mpsc::Receiver<Observed>) {
        let mut pods = Pods::new(self.nodes.clone(), self.settings.clone());
        let mut requests = FuturesUnordered::new();
        loop {
            while requests.len() < CONCURRENCY
                && let Some((pod, action)) = pods.due(Instant::now())
            {
                requests.push(async move {
                    let result = self.perform(&pod, &action).await;
                    (pod, action, result)
                });
            }
            let next = pods.next_due().filter(|_| requests.len() < CONCURRENCY);
            tokio::select! {
                biased; // what is done first: it makes room, and a constant flow of changes must not keep it waiting
                Some((pod, action, result)) = requests.next() => {
                    let now = Instant::now();
                    let again = result.err().filter(is_worth_another_try).map(|error| {
                        tracing::debug!(pod = pod.metadata.name, ?action, %error, "will be tried again");
                        now + REST
                    });
                    pods.done(&pod.metadata.uid, again, now);
                }
                change = observed.recv() => match change {
                    None => return,
                    Some(Observed::All(all)) => pods.replace(all, Instant::now()),
                    Some(Observed::Changed(pod)) => pods.changed(*pod, Instant::now()),
                    Some(Observed::Gone(pod)) => pods.gone(&pod.metadata.uid),
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
    }

    async fn perform(&self, pod: &PodView, action: &Action) -> Result<(), Error> {
        let request = requests::perform(&self.client, pod, action);
        timeout(PATIENCE, request)
            .await
            .unwrap_or_else(|_| Err(Error::Service("the API server did not answer in time".into())))
    }
}

/// Whether the same request may succeed later: it does not if the Pod is gone or has changed, and if
/// it is still needed then, the change brings it back.
fn is_worth_another_try(error: &Error) -> bool {
    !matches!(error, Error::Api(status) if matches!(status.code, 404 | 409))
}

impl fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, nodes, heartbeats, settings } = self;
        f.debug_struct("Kubelet")
            .field("nodes", nodes)
            .field("heartbeats", heartbeats)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}
