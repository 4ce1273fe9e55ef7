//! The differential run: one stream of plausible and nearly plausible requests, sent to our server and to a
//! kube-apiserver side by side. It finds the kinds of requests that are answered otherwise.

mod compare;
pub(crate) mod corpus;
pub(crate) mod definitions;
mod dice;
mod families;
mod fixture;
mod kinds;
mod known;
mod mask;
mod probe;
mod reply;
mod report;
mod shrink;
mod values;
mod words;
mod yaml;

use crate::servers::{Choice, Failure, Server};
use compare::difference;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kube_client::Client;
use probe::Probe;
use reply::{Reply, reply};
use report::{Group, Report};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How many requests are under way at once.
const AT_ONCE: usize = 8;
/// How many requests a seed has.
const REQUESTS: usize = 1_000;
/// How many smaller requests are tried for a group.
const ATTEMPTS: usize = 40;

/// The options of a run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The only seed; without one, 1 to 20.
    pub(crate) seed: Option<u64>,
    /// When to stop.
    pub(crate) seconds: Option<u64>,
    /// The program with a kube-apiserver.
    pub(crate) kube: Option<PathBuf>,
    /// Where the corpus is written to.
    pub(crate) record: Option<PathBuf>,
}

/// Both servers.
#[derive(Clone)]
struct Pair {
    real: Client,
    ours: Client,
}

/// The outcome of one request.
struct Verdict {
    probe: Probe,
    same_code: bool,
    /// The kind of the difference, and both replies.
    difference: Option<(String, Reply, Reply)>,
}

/// Runs the stream against both servers; true if the shares are reached
/// and every group that is left has a reason.
pub(crate) async fn run(run: &Run) -> Result<bool, Failure> {
    let ours = Server::start(&Choice::Embedded, None).await?;
    let real = Server::start(&Choice::Real, run.kube.as_deref()).await?;
    let pair = Pair { real: real.client()?, ours: ours.client()? };
    tokio::try_join!(fixture::make(&pair.real), fixture::make(&pair.ours))?;
    if let Some(path) = &run.record {
        return corpus::record(&pair, path).await;
    }
    let begin = Instant::now();
    let mut report = Report::default();
    for seed in run.seed.map_or(1..=20, |seed| seed..=seed) {
        let in_time = || run.seconds.is_none_or(|seconds| begin.elapsed() < Duration::from_secs(seconds));
        let probes = stream::iter(families::stream(seed, REQUESTS)).map(|probe| judge(&pair, probe));
        let mut verdicts = probes.buffer_unordered(AT_ONCE);
        while let Some(verdict) = if in_time() { verdicts.next().await } else { None } {
            report.count(verdict?);
        }
        eprintln!("seed {seed}: {} requests, {} groups", report.requests(), report.groups.len());
    }
    let shrunk = stream::iter(&mut report.groups).map(|group| shrink(&pair, group)).buffer_unordered(AT_ONCE);
    shrunk.try_collect::<()>().await?;
    Ok(report.print())
}

/// Sends a request to both servers. A difference counts if it shows again.
async fn judge(pair: &Pair, probe: Probe) -> Result<Verdict, Failure> {
    let mut found = compare(pair, &probe).await?;
    if found.is_some() {
        found = compare(pair, &probe.again(1)).await?;
    }
    let same_code = found.as_ref().is_none_or(|(_, real, ours)| real.code == ours.code);
    Ok(Verdict { probe, same_code, difference: found })
}

async fn compare(pair: &Pair, probe: &Probe) -> Result<Option<(String, Reply, Reply)>, Failure> {
    let (real, ours) = tokio::try_join!(reply(&pair.real, probe), reply(&pair.ours, probe))?;
    Ok(difference(&real, &ours).map(|kind| (kind, real, ours)))
}

/// Takes parts away from the request of a group as long as the difference stays of one kind.
async fn shrink(pair: &Pair, group: &mut Group) -> Result<(), Failure> {
    let mut attempt = 2;
    'smaller: loop {
        for ask in shrink::smaller(&group.probe) {
            if attempt >= ATTEMPTS {
                return Ok(());
            }
            let probe = group.probe.asking(ask);
            let found = compare(pair, &probe.again(attempt)).await?;
            attempt += 1;
            if let Some((kind, real, ours)) = found.filter(|(kind, ..)| *kind == group.kind) {
                debug_assert_eq!(kind, group.kind, "the kind stays");
                (group.probe, group.real, group.ours) = (probe, real, ours);
                continue 'smaller;
            }
        }
        return Ok(());
    }
}

/// Replays the recorded answers of a kube-apiserver on our server;
/// true if nothing differs that has no reason.
pub(crate) async fn replay(server: &Server) -> Result<bool, Failure> {
    let client = server.client()?;
    fixture::make(&client).await?;
    corpus::replay(&client).await
}

/// Reports whether a path is there to be written to.
fn folder_exists(path: &Path) -> bool {
    path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir())
}
