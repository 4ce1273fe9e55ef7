//! A follower that watches the Lease, against the API server: how soon it leads, what it asks for, and what it does
//! where it cannot watch.

use std::{convert::Infallible, future::pending, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use trimtab_apiserver::{ApiServer, FaultGuard, Filter, Refusal, Verb};
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, LeaseWatcher};

use crate::log;

const LEASE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);
/// The longest time between two polls.
const POLL: Duration = Duration::from_millis(4400);
/// What a watch may add to the duration of the Lease.
const SOON: Duration = Duration::from_millis(200);

fn builder(server: &ApiServer, identity: &str) -> LeaderElectorBuilder {
    LeaderElector::builder(server.client_as(identity), "default", "web")
        .identity(identity)
        .release_on_cancel(true)
        .seed(7)
}

fn server() -> ApiServer {
    ApiServer::builder().request_log(true).start()
}

/// A leader, and a follower that sends the moment at which it leads.
struct Pair {
    server: ApiServer,
    leader: JoinHandle<()>,
    shut_down: mpsc::Sender<()>,
    follower: JoinHandle<()>,
    successor: mpsc::UnboundedReceiver<Instant>,
    watcher: Option<JoinHandle<Infallible>>,
}

/// How a follower learns of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    /// By a watch of its own.
    Alone,
    /// By a watch that electors share.
    Shared,
}

impl Pair {
    async fn watching(server: ApiServer, watching: Watching) -> Self {
        if watching == Watching::Alone {
            return Self::start(server, |builder| builder.watch(true)).await;
        }
        let watcher = LeaseWatcher::new(server.client_as("follower"), "default");
        let mut pair = Self::start(server, |builder| builder.lease_watcher(&watcher)).await;
        pair.watcher = Some(tokio::spawn(async move { watcher.run().await }));
        pair
    }

    /// Starts both, the follower 300 ms later.
    async fn start(
        server: ApiServer,
        set: impl FnOnce(LeaderElectorBuilder) -> LeaderElectorBuilder,
    ) -> Self {
        let mut elector = builder(&server, "leader").build().expect("sound settings");
        let (shut_down, mut shutdown) = mpsc::channel::<()>(1);
        let leader = tokio::spawn(async move {
            let shutdown = async { _ = shutdown.recv().await };
            let _ = elector.run(shutdown, |leadership| async move { leadership.lost().await }).await;
        });
        sleep(Duration::from_millis(300)).await;
        let mut elector = set(builder(&server, "follower")).build().expect("sound settings");
        let (tell, successor) = mpsc::unbounded_channel();
        let follower = tokio::spawn(async move {
            let lead = |_| {
                tell.send(Instant::now()).expect("listened to");
                pending::<()>()
            };
            let _ = elector.run(pending(), lead).await;
        });
        Self { server, leader, shut_down, follower, successor, watcher: None }
    }

    /// Kills the leader. Returns the time until the follower leads.
    async fn kill(mut self) -> Duration {
        let start = Instant::now();
        self.leader.abort();
        let led = timeout(LEASE * 3, self.successor.recv()).await.expect("a successor").expect("it runs");
        led - start
    }

    fn requests(&self, verb: Verb) -> usize {
        self.server.request_log().matching(&of_follower().verb(verb)).len()
    }

    fn watches(&self) -> usize {
        self.server.faults().open_watches(&of_follower())
    }
}

impl Drop for Pair {
    /// Or they would log that the server is gone.
    fn drop(&mut self) {
        self.follower.abort();
        self.watcher.iter().for_each(JoinHandle::abort);
    }
}

const BOTH: [Watching; 2] = [Watching::Alone, Watching::Shared];

fn of_follower() -> Filter {
    Filter::any().user_agent("follower").resource("leases.coordination.k8s.io")
}

/// In each phase between two renewals.
#[tokio::test(start_paused = true)]
async fn a_watching_follower_leads_within_the_lease_duration_and_200_ms_of_a_crash() {
    let (mut longest, mut longest_polling) = (Duration::ZERO, Duration::ZERO);
    for phase in 0..7 {
        let life = Duration::from_millis(20_000 + 300 * phase);
        for watching in BOTH {
            let pair = Pair::watching(server(), watching).await;
            sleep(life).await;
            let took = pair.kill().await;
            assert!(took > LEASE - RETRY && took <= LEASE + SOON, "{watching:?}, phase {phase}: {took:?}");
            longest = longest.max(took);
        }
        let pair = Pair::start(server(), |builder| builder.wake_at_expiry(true)).await;
        sleep(life).await;
        longest_polling = longest_polling.max(pair.kill().await);
    }
    assert!(longest > LEASE - Duration::from_millis(200), "right after a renewal: {longest:?}");
    assert!(longest_polling > LEASE + Duration::from_secs(1), "polls see it late: {longest_polling:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watching_follower_takes_a_released_lease_at_once() {
    for (phase, watching) in (0..7).flat_map(|phase| BOTH.map(|watching| (phase, watching))) {
        let mut pair = Pair::watching(server(), watching).await;
        sleep(Duration::from_millis(10_000 + 600 * phase)).await;
        let start = Instant::now();
        pair.shut_down.send(()).await.expect("it leads");
        let led =
            timeout(RETRY, pair.successor.recv()).await.expect("within a retry period").expect("it runs");
        assert!(led - start <= Duration::from_millis(100), "{:?}", led - start);
    }
}

/// The cost: a read at the start, and a watch each five minutes.
#[tokio::test(start_paused = true)]
async fn a_watching_follower_does_not_poll_while_the_leader_renews() {
    for watching in BOTH {
        let pair = Pair::watching(server(), watching).await;
        sleep(Duration::from_secs(1200)).await;
        assert_eq!(pair.requests(Verb::Get), 1, "{watching:?}");
        let watches = pair.requests(Verb::Watch);
        assert!((3..=6).contains(&watches), "{watching:?}: {watches} watches in 20 minutes");
        assert_eq!(pair.watches(), 1);
    }
}

/// A fault of watches, and the line that the log has.
type Case = (&'static str, fn(&ApiServer) -> FaultGuard, &'static str);

/// It polls as it would without a watch, and says so once.
#[tokio::test(start_paused = true)]
async fn where_it_cannot_watch_a_follower_polls_and_says_so_once() {
    let cases: [Case; 6] = [
        (
            "403",
            |server| server.faults().refuse(watch_of_follower(), Refusal::forbidden(), usize::MAX),
            "the API server denies access (401 or 403): check the Role of this process",
        ),
        (
            "404",
            |server| {
                let missing = Refusal::new(http::StatusCode::NOT_FOUND, "NotFound");
                server.faults().refuse(watch_of_follower(), missing, usize::MAX)
            },
            "the object is gone (404)",
        ),
        (
            "410",
            |server| server.faults().refuse(watch_of_follower(), Refusal::expired(), usize::MAX),
            "the API server responded with 410",
        ),
        (
            "hang",
            |server| server.faults().hold(watch_of_follower()),
            "the watch has not shown a change that a read has found",
        ),
        (
            "silence",
            |server| server.faults().stall_watches(of_follower()),
            "the watch has not shown a change that a read has found",
        ),
        (
            "lag",
            |server| server.faults().lag_watches(of_follower(), Duration::from_secs(30)),
            "the watch has not shown a change that a read has found",
        ),
    ];
    for ((case, fault, line), watching) in
        cases.into_iter().flat_map(|case| BOTH.map(|watching| (case, watching)))
    {
        let (log, _guard) = log::capture();
        let server = server();
        let fault = fault(&server);
        let mut pair = Pair::watching(server, watching).await;
        sleep(Duration::from_secs(600)).await;
        let polls = pair.requests(Verb::Get);
        assert!((100..=300).contains(&polls), "{case}, {watching:?}: {polls} polls in 10 minutes");
        let watches = pair.requests(Verb::Watch);
        assert!(watches <= 20, "{case}: {watches} watches in 10 minutes");
        let mut lines = log.take();
        if watching == Watching::Shared && case == "lag" {
            assert!(lines.len() <= 3, "{lines:?}");
            lines.dedup(); // it shows old states between, so it fails anew
        }
        let of_watching = match watching {
            Watching::Alone => "watching the Lease failed: it is polled",
            Watching::Shared => "watching the Leases failed: they are polled",
        };
        assert_eq!(lines, [format!("{of_watching}: {line}")], "{case}");
        let start = Instant::now();
        pair.leader.abort();
        let led = timeout(LEASE * 3, pair.successor.recv()).await.expect("a successor").expect("it runs");
        assert!(led - start <= LEASE + POLL + SOON, "{case}: {:?}", led - start);
        fault.release();
    }
}

fn watch_of_follower() -> Filter {
    of_follower().verb(Verb::Watch)
}

/// The line that it guards: `is_behind` in `Candidate::tend`.
#[tokio::test(start_paused = true)]
async fn a_watch_that_hung_is_opened_again() {
    for watching in BOTH {
        let server = server();
        let silence = server.faults().stall_watches(of_follower());
        let pair = Pair::watching(server, watching).await;
        sleep(Duration::from_secs(40)).await;
        let watches = pair.requests(Verb::Watch);
        assert!((3..=8).contains(&watches), "{watching:?}: {watches} watches in 40 s");
        silence.release();
        sleep(Duration::from_secs(90)).await; // the longest backoff, and a poll
        let polls = pair.requests(Verb::Get);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(pair.requests(Verb::Get), polls, "{watching:?}: it watches again");
        let took = pair.kill().await;
        assert!(took <= LEASE + SOON, "{watching:?}: {took:?}");
    }
}

/// The line that it guards: `Slot::tick` in `LeaseWatcher::follow`.
#[tokio::test(start_paused = true)]
async fn a_shared_watch_that_falls_silent_is_noticed_before_the_lease_expires() {
    let mut pair = Pair::watching(server(), Watching::Shared).await;
    sleep(Duration::from_secs(20)).await;
    let silence = pair.server.faults().stall_watches(of_follower());
    let start = Instant::now();
    pair.shut_down.send(()).await.expect("the leader runs");
    let led = timeout(LEASE * 3, pair.successor.recv()).await.expect("a successor").expect("it runs");
    assert!(led - start <= POLL + SOON * 4, "it polled: {:?}", led - start);
    silence.release();
}

/// Watches break, end and expire.
#[tokio::test(start_paused = true)]
async fn a_watch_that_broke_is_opened_again_and_nothing_is_missed() {
    for fault in [
        (|server| _ = server.faults().cut_watches(&of_follower())) as fn(&ApiServer),
        |server| _ = server.faults().end_watches(&of_follower()),
        |server| server.faults().compact(),
    ] {
        for watching in BOTH {
            let pair = Pair::watching(server(), watching).await;
            for _ in 0..5 {
                sleep(Duration::from_millis(10_700)).await;
                fault(&pair.server);
            }
            sleep(Duration::from_secs(10)).await;
            let took = pair.kill().await;
            assert!(took <= LEASE + SOON, "{watching:?}: {took:?}");
        }
    }
}

/// A Lease that is deleted under its leader is created again by it, and watched on.
#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_waited_for_and_watched_on() {
    for watching in BOTH {
        let pair = Pair::watching(server(), watching).await;
        sleep(Duration::from_secs(10)).await;
        let leases: kube_client::Api<k8s_openapi::api::coordination::v1::Lease> =
            kube_client::Api::default_namespaced(pair.server.client());
        leases.delete("web", &kube_client::api::DeleteParams::default()).await.expect("deleted");
        sleep(Duration::from_secs(60)).await;
        let lease = leases.get("web").await.expect("created again");
        assert_eq!(lease.spec.expect("a spec").holder_identity.as_deref(), Some("leader"));
        let took = pair.kill().await;
        assert!(took <= LEASE + SOON, "{watching:?}: {took:?}");
    }
}

/// One list, one watch and a read for each elector, while all leaders renew.
#[tokio::test(start_paused = true)]
async fn many_electors_share_one_watch_and_do_not_poll() {
    const LEASES: usize = 20;
    let server = server();
    let elector = |identity: &str, number: usize| {
        LeaderElector::builder(server.client_as(identity), "default", format!("web-{number}"))
            .identity(identity)
    };
    let mut leaders: Vec<JoinHandle<()>> = (0..LEASES)
        .map(|number| {
            let mut leader = elector("leader", number).build().expect("sound settings");
            tokio::spawn(async move { _ = leader.run(pending(), |_| pending::<()>()).await })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let watcher = LeaseWatcher::new(server.client_as("follower"), "default");
    let (tell, mut successors) = mpsc::unbounded_channel();
    for number in 0..LEASES {
        let mut follower =
            elector("follower", number).lease_watcher(&watcher).build().expect("sound settings");
        let tell = tell.clone();
        tokio::spawn(async move {
            let lead = |_| {
                tell.send(number).expect("listened to");
                pending::<()>()
            };
            let _ = follower.run(pending(), lead).await;
        });
    }
    tokio::spawn(async move { watcher.run().await });
    sleep(Duration::from_secs(200)).await;
    let requests = |verb| server.request_log().matching(&of_follower().verb(verb)).len();
    assert_eq!((requests(Verb::List), requests(Verb::Watch), requests(Verb::Get)), (1, 1, LEASES));
    leaders.swap_remove(7).abort();
    let led = timeout(LEASE + SOON, successors.recv()).await.expect("a successor").expect("it runs");
    assert_eq!(led, 7);
    sleep(LEASE).await;
    assert!(successors.try_recv().is_err(), "the other leaders renew");
}

#[tokio::test]
async fn a_watcher_of_another_namespace_is_refused() {
    let server = ApiServer::start();
    let watcher = LeaseWatcher::new(server.client(), "kube-system");
    let built = LeaderElector::builder(server.client(), "default", "web").lease_watcher(&watcher).build();
    let error = built.expect_err("it does not watch the Lease");
    assert_eq!(error.fields(), ["lease_watcher", "namespace"]);
    let message = "lease_watcher of namespace \"kube-system\" does not watch the Leases in \"default\"";
    assert_eq!(error.to_string(), message);
}
