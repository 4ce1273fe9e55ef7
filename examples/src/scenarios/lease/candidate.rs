//! One candidate, its led work, and the two places at which it watches itself.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Method, Request, Response};
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Client,
    api::{Patch, PatchParams},
    client::{Body, ClientBuilder},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::{BoxError, service_fn, util::BoxCloneService};
use trimtab_leaderelection::{LeaderElector, Leadership, Outcome, Rule};
use trimtab_simulation::{Process, Random};

use super::{LEASE, Removed};
use crate::scenarios::clock::BootTime;

/// The largest number of candidates; a history has at least two.
pub(super) const MOST: u8 = 7;
/// The pause of a leader between two writes.
const REST: Duration = Duration::from_millis(1500);

/// A candidate in one process.
pub(super) struct Candidate {
    process: Process,
    without: Option<Removed>,
    /// The number of led tasks that are alive.
    working: Arc<AtomicUsize>,
    /// The token of the present term.
    token: Arc<Mutex<Option<Leadership>>>,
}

/// The way to the server, with a watcher on it.
type Connection = BoxCloneService<Request<Body>, Response<Body>, BoxError>;

/// Counts a led task until it is dropped.
struct Working(Arc<AtomicUsize>);

impl Working {
    fn start(working: &Arc<AtomicUsize>) -> Self {
        working.fetch_add(1, SeqCst);
        Self(working.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Candidate {
    pub(super) fn new(process: Process, without: Option<Removed>) -> Self {
        Self { process, without, working: Arc::default(), token: Arc::default() }
    }

    /// Stands for election until it hands over. Most first lives do after a while; later ones go on for ever.
    pub(super) async fn run(self) -> Result<(), String> {
        let process = &self.process;
        let candidates = 2 + process.history_seed() % u64::from(MOST - 1);
        let letter = process.name().bytes().last().unwrap_or(b'a');
        if u64::from(letter - b'a') >= candidates {
            return pending().await; // this history has fewer
        }
        let mut random = process.random();
        let mut elector = self.elector(&mut random).map_err(|error| error.to_string())?;
        let fence = elector.fence();
        let writes = ClientBuilder::new(self.write_client(), "default");
        let client = match self.without {
            Some(Removed::Fence) => writes.build(),
            _ => writes.with_layer(&fence).build(),
        };
        let observer = elector.observer();
        let life = match process.restarts() {
            0 if random.chance(0.5) => Some(Duration::from_millis(random.within(5_000..35_000))),
            _ => None,
        };
        let shutdown = async {
            match life {
                Some(life) => sleep(life).await,
                None => pending().await,
            }
        };
        let outcome = elector
            .run_terms(shutdown, |leadership| {
                *self.token.lock() = Some(leadership.clone());
                let told = leadership.clone();
                process.leads(LEASE, move || told.is_valid());
                let term = observer.transitions().unwrap_or(0);
                self.helper(&leadership, Duration::from_millis(random.within(0..6_000)));
                self.work(client.clone(), term, Working::start(&self.working))
            })
            .await;
        match outcome {
            Outcome::ShutDown(_) | Outcome::NeverLed | Outcome::Lost(_) | Outcome::Unfinished { .. } => {
                Ok(())
            }
            _ => Err("the work ended while it was led".to_owned()),
        }
    }

    fn elector(&self, random: &mut Random) -> Result<LeaderElector, trimtab_leaderelection::ConfigError> {
        let process = &self.process;
        let wall = process.clone();
        let builder = LeaderElector::builder(self.lease_client(), "default", "work")
            .identity(process.identity())
            .seed(process.seed())
            .clock(BootTime(process.clone()))
            .wall_clock(move || wall.now())
            .grace_period(Duration::from_secs(10))
            .watch(random.chance(0.4))
            .wake_at_expiry(random.chance(0.5))
            .release_on_cancel(true);
        match self.without {
            Some(Removed::ObservedTime) => builder.without(Rule::LocallyObservedTime),
            Some(Removed::DeadlineBeforeSend) => builder.without(Rule::DeadlineBeforeSend),
            Some(Removed::JoinBeforeRelease) => builder.without(Rule::JoinBeforeRelease),
            Some(Removed::Fence | Removed::Precondition) | None => builder,
        }
        .build()
    }

    /// The client of the elector. It sees each release, and whether led work is alive then.
    fn lease_client(&self) -> Client {
        let (process, working) = (self.process.clone(), self.working.clone());
        let service = service_fn(move |request: Request<Body>| {
            let (process, working) = (process.clone(), working.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                let lease: Value = serde_json::from_slice(&body).unwrap_or_default();
                let alive = working.load(SeqCst);
                if lease["spec"]["holderIdentity"] == "" && alive > 0 {
                    process.violate(
                        "no led task is alive after release",
                        format!("the Lease is released, and {alive} led tasks are alive"),
                    );
                }
                let request = Request::from_parts(parts, Body::from(body.to_vec()));
                process.client().send(request).await.map_err(BoxError::from)
            }
        });
        ClientBuilder::new(service, "default").build()
    }

    /// The client of led work, as it is below the fence: it sees each write as it is sent.
    fn write_client(&self) -> Connection {
        let (process, token) = (self.process.clone(), self.token.clone());
        BoxCloneService::new(service_fn(move |request: Request<Body>| {
            let (process, token) = (process.clone(), token.clone());
            async move {
                let leads = token.lock().as_ref().is_some_and(Leadership::is_valid);
                if *request.method() != Method::GET && !leads {
                    process.violate(
                        "no write is sent after the token's end",
                        format!("{} {}", request.method(), request.uri().path()),
                    );
                }
                process.client().send(request).await.map_err(BoxError::from)
            }
        }))
    }

    /// A task of led work that takes its time to end.
    fn helper(&self, leadership: &Leadership, takes: Duration) {
        let Ok(guard) = leadership.work_guard("helper") else { return };
        let (leadership, working) = (leadership.clone(), Working::start(&self.working));
        tokio::spawn(async move {
            leadership.lost().await;
            sleep(takes).await;
            drop(working);
            drop(guard); // the last
        });
    }

    /// Writes without an end. It does not check whether it leads: that is the part of the fence.
    async fn work(&self, client: Client, term: u32, working: Working) {
        let _working = working;
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        for count in 0_u64.. {
            // The outcome of one write does not matter here: the next one comes soon.
            if let Ok(seen) = maps.get("work").await {
                sleep(Duration::from_millis(50)).await; // decides
                let mut patch = json!({"data": {
                    "term": term.to_string(), "leader": self.process.identity(), "count": count.to_string(),
                }});
                if self.without != Some(Removed::Precondition) {
                    patch["metadata"] = json!({
                        "uid": seen.metadata.uid, "resourceVersion": seen.metadata.resource_version,
                    });
                }
                maps.patch("work", &PatchParams::default(), &Patch::Merge(patch)).await.ok();
            }
            sleep(REST).await;
        }
    }
}
