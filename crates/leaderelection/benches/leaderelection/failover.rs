//! How soon a leader has a successor, how many requests that takes, and how soon the successor's work begins.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use kube_client::{Client, client::ClientBuilder};
use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};
use tower::util::{MapRequestLayer, MapResponseLayer};
use trimtab_test_support::bench::report_lower;

use crate::{Failure, builder, config, option};

/// Until a follower has seen its leader, and connections are open.
const SETTLE: Duration = Duration::from_secs(5);
/// Leaders end at different times between two renewals.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);

/// How a leader ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is shut down, and releases the Lease.
    Shutdown,
    /// It is gone from one moment to the next.
    Kill,
}

/// What one pair has measured, in seconds.
struct Measured {
    failover: f64,
    warm: f64,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let pairs: usize = option("objects")?;
    let (watching, polling) = tokio::join!(run_with(pairs, true), run_with(pairs, false));
    watching?;
    polling
}

async fn run_with(pairs: usize, watches: bool) -> Result<(), Failure> {
    let of = |end| try_join_all((0..pairs).map(move |number| pair(number, pairs, end, watches)));
    let (terms, kills, requests) =
        tokio::join!(of(End::Shutdown), of(End::Kill), settled(pairs.div_ceil(2), watches));
    let (terms, kills) = (terms?, kills?);
    let suffix = if watches { "/watch" } else { "" };
    let failovers = |pairs: &[Measured]| median(pairs.iter().map(|pair| pair.failover));
    report_lower(&format!("leaderelection/failover-term{suffix}"), "s", failovers(&terms));
    report_lower(&format!("leaderelection/failover-kill{suffix}"), "s", failovers(&kills));
    let slowest = kills.iter().map(|pair| pair.failover).fold(0.0, f64::max);
    report_lower(&format!("leaderelection/failover-kill-slowest{suffix}"), "s", slowest);
    let warm = median(terms.iter().chain(&kills).map(|pair| pair.warm));
    report_lower(&format!("leaderelection/warm{suffix}"), "ms", warm * 1e3);
    report_lower(&format!("leaderelection/requests{suffix}"), "/min", requests?);
    Ok(())
}

async fn pair(number: usize, pairs: usize, end: End, watches: bool) -> Result<Measured, Failure> {
    let lease = format!("{end:?}-{watches}-{number}").to_lowercase();
    let leader = builder(Client::try_from(config()?)?, &lease, "leader", watches);
    let mut leader = leader.release_on_cancel(end == End::Shutdown).build()?;
    let (shut_down, shutdown) = oneshot::channel::<()>();
    let leader = tokio::spawn(async move {
        let shutdown = async { _ = shutdown.await };
        _ = leader.run(shutdown, |leadership| async move { leadership.lost().await }).await;
    });
    sleep(SETTLE / 5).await;
    let responded = Arc::new(Mutex::new(Instant::now()));
    let noted = responded.clone();
    let note = MapResponseLayer::new(move |response: http::Response<_>| {
        *noted.lock() = Instant::now();
        response
    });
    let client = ClientBuilder::try_from(config()?)?.with_layer(&note).build();
    let mut follower = builder(client, &lease, "follower", watches).build()?;
    let (tell, led) = oneshot::channel();
    let follower = tokio::spawn(async move {
        let lead = |_| {
            _ = tell.send(Instant::now());
            pending::<()>()
        };
        follower.run(pending(), lead).await
    });
    let phase = RETRY_PERIOD.mul_f64(number as f64 / pairs as f64);
    sleep(SETTLE + phase).await;
    let start = Instant::now();
    match end {
        End::Shutdown => _ = shut_down.send(()),
        End::Kill => leader.abort(),
    }
    let led = led.await?;
    let warm = led - *responded.lock();
    follower.abort();
    Ok(Measured { failover: (led - start).as_secs_f64(), warm: warm.as_secs_f64() })
}

/// The requests in a minute of a leader and a follower, on average of several pairs.
async fn settled(pairs: usize, watches: bool) -> Result<f64, Failure> {
    let requests = Arc::new(AtomicUsize::new(0));
    let mut candidates = Vec::new();
    for number in 0..pairs {
        for identity in ["leader", "follower"] {
            let counted = requests.clone();
            let count = MapRequestLayer::new(move |request: http::Request<_>| {
                counted.fetch_add(1, SeqCst);
                request
            });
            let client = ClientBuilder::try_from(config()?)?.with_layer(&count).build();
            let lease = format!("settled-{watches}-{number}");
            let mut elector = builder(client, &lease, identity, watches).build()?;
            candidates.push(tokio::spawn(async move {
                _ = elector.run(pending(), |_| pending::<()>()).await;
            }));
        }
    }
    sleep(SETTLE).await;
    let before = requests.load(SeqCst);
    sleep(MINUTE).await;
    let sent = requests.load(SeqCst) - before;
    candidates.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(sent as f64 / pairs as f64)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
