//! The Deployment and the ReplicaSet controller of the examples in the
//! place of upstream's, on a real kube-apiserver.
//!
//! The hand-over: a process with the two controllers is killed in the middle of rollouts, and the other
//! implementation goes on. Every change of every Pod is counted against the bounds of its Deployment.
//! The specs are upstream's end-to-end tests.

mod census;
mod holder;
mod measure;
mod specs;
mod usage;
mod workload;

use crate::servers::process::Process;
use crate::servers::{Failure, Real};
use census::{Census, Counts};
use comfy_table::Table;
use comfy_table::presets::ASCII_FULL_CONDENSED;
use holder::Holder;
pub(crate) use measure::{Plan, run as measure};
use std::path::{Path, PathBuf};
use tokio::time::Instant;
use workload::{ALL, Limits, NAMESPACE, User};

/// The programs of the run.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// etcd, kube-apiserver and kube-controller-manager in one.
    pub(crate) kube: PathBuf,
    /// `trimtab-controller-manager`.
    pub(crate) manager: PathBuf,
    /// `trimtab-apiserver`, for its Kubelet.
    pub(crate) kubelet: PathBuf,
    /// kube-controller-manager alone; by default the one in `kube`.
    pub(crate) upstream: Option<PathBuf>,
}

/// The holders of the controllers, one after the other, in each rollout.
const ROLLOUTS: [&[Holder]; 4] = [
    &[Holder::Upstream, Holder::Ours, Holder::Upstream],
    &[Holder::Ours, Holder::Upstream, Holder::Ours],
    &[Holder::Upstream],
    &[Holder::Ours],
];

impl Programs {
    /// Starts the Kubelet of the cluster whose `kubeconfig` is in this folder.
    fn start_kubelet(&self, folder: &Path, nodes: usize, startup: f64) -> Result<Process, Failure> {
        let arguments = [
            "--kubelet-for=kubeconfig".to_owned(),
            format!("--kubelet=nodes={nodes}"),
            format!("--pod-startup={startup}"),
        ];
        Process::start_program(&self.kubelet, folder, "kubelet", &arguments)
    }
}

/// Runs the hand-over and then upstream's specs, if there is a program of them; true if nothing failed.
pub(crate) async fn run(programs: &Programs, e2e: Option<&Path>) -> Result<bool, Failure> {
    let kept = hand_over(programs).await?;
    Ok(match e2e {
        Some(e2e) => specs::run(programs, e2e).await? && kept,
        None => {
            println!("upstream's specs were left out");
            kept
        }
    })
}

/// Runs the hand-over; true if every bound was kept.
async fn hand_over(programs: &Programs) -> Result<bool, Failure> {
    let transcript = Transcript(Instant::now());
    let cluster = Real::start_with(&programs.kube, holder::OTHERS).await?;
    let _kubelet = programs.start_kubelet(cluster.folder(), 3, 0.3)?;
    transcript.line(
        "kube-apiserver, etcd, a Kubelet, and kube-controller-manager without the two controllers: started",
    );
    let user = User(cluster.client()?);
    user.create_namespace().await?;
    let census = Census::start(&user.0, NAMESPACE).await?;
    let mut stage = Stage { programs, cluster: &cluster, user, transcript, holder: None };
    let mut spans = Vec::new();
    stage.hand_to(Holder::Upstream)?;
    stage.user.create_all("v1").await?;
    stage.user.complete().await?;
    stage.transcript.line(&format!("{} Pods of {} Deployments are ready", workload::total(), ALL.len()));
    for (number, order) in ROLLOUTS.into_iter().enumerate() {
        spans.push(stage.roll_out(&format!("v{}", number + 2), order).await?);
    }
    let mut kept = stage.check_sets().await?;
    drop(stage);
    let history = census.close().await?;
    for (order, span) in ROLLOUTS.into_iter().zip(spans) {
        let rows: Vec<_> = ALL.iter().map(|limits| (limits, history.counts(limits.name, span))).collect();
        println!("\n{}\n{}", title(order), table(&rows));
        kept &= rows.iter().all(|(limits, counts)| limits.are_kept(counts));
    }
    println!(
        "\n{}",
        if kept {
            "each Pod was replaced once, and no bound was broken"
        } else {
            "FAILED: a bound was broken"
        }
    );
    Ok(kept)
}

/// Prints lines with the time since the start.
#[derive(Debug)]
struct Transcript(Instant);

impl Transcript {
    fn line(&self, text: &str) {
        println!("{:6.1} s  {text}", self.0.elapsed().as_secs_f64());
    }
}

/// The cluster, and the process that holds the two controllers.
struct Stage<'a> {
    programs: &'a Programs,
    cluster: &'a Real,
    user: User,
    transcript: Transcript,
    holder: Option<(Holder, Process)>,
}

impl Stage<'_> {
    /// Kills the present holder and starts the next, unless it is the same.
    fn hand_to(&mut self, next: Holder) -> Result<(), Failure> {
        if self.holder.as_ref().is_some_and(|(present, _)| *present == next) {
            return Ok(());
        }
        if let Some((present, process)) = self.holder.take() {
            drop(process); // SIGKILL, in the middle of its writes
            self.transcript.line(&format!("  {present} is killed"));
        }
        self.holder = Some((next, next.start(self.programs, self.cluster.folder())?));
        self.transcript.line(&format!("  {next} is started"));
        Ok(())
    }

    /// Rolls out an image with these holders; returns the versions of the
    /// server at the beginning and at the end.
    async fn roll_out(&mut self, image: &str, order: &[Holder]) -> Result<(u64, u64), Failure> {
        self.hand_to(order[0])?;
        let from = self.user.roll_out(image).await?;
        self.transcript.line(&format!("rollout of {image} by {}", title(order)));
        for (nth, next) in order.iter().enumerate().skip(1) {
            let ready = self.user.ready(image, workload::total() * nth / order.len()).await?;
            self.transcript.line(&format!("  {ready} of {} Pods of {image} are ready", workload::total()));
            self.hand_to(*next)?;
        }
        let to = self.user.complete().await?;
        self.transcript.line(&format!("  {image} is rolled out"));
        Ok((from, to))
    }

    /// Checks that each Deployment has one set for each template, with ascending
    /// revisions, and Pods of the last alone.
    async fn check_sets(&self) -> Result<bool, Failure> {
        let last = ROLLOUTS.len() as i64 + 1;
        let mut kept = true;
        for limits in &ALL {
            let wanted = |revision| if revision == last { limits.desired as i64 } else { 0 };
            let expected: Vec<_> = (1..=last).map(|revision| (revision, wanted(revision))).collect();
            let found = self.user.sets(limits).await?;
            if found != expected {
                println!("FAILED {}: revisions and Pods are {found:?}, expected {expected:?}", limits.name);
                kept = false;
            }
        }
        Ok(kept)
    }
}

impl Limits {
    /// Whether a rollout kept the bounds, and replaced each Pod exactly once.
    ///
    /// `maxSurge` bounds the Pods that the sets want. The new set grows when the old ones were
    /// scaled down, and its Pods can come before the old ones are deleted: upstream's controllers
    /// and ours have a Pod more for a moment then.
    fn are_kept(&self, counts: &Counts) -> bool {
        counts.most_wanted <= self.most() as i64
            && counts.least_ready >= self.least()
            && (counts.created, counts.deleted, counts.needless) == (self.desired, self.desired, 0)
    }
}

/// Names the holders of a rollout.
fn title(order: &[Holder]) -> String {
    order.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → ")
}

fn table(rows: &[(&Limits, Counts)]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_FULL_CONDENSED);
    table.set_header([
        "deployment",
        "Pods wanted",
        "Pods",
        "at most",
        "ready",
        "at least",
        "created",
        "deleted",
        "",
    ]);
    for (limits, counts) in rows {
        table.add_row([
            limits.name.to_owned(),
            counts.most_wanted.to_string(),
            counts.most_live.to_string(),
            limits.most().to_string(),
            counts.least_ready.to_string(),
            limits.least().to_string(),
            counts.created.to_string(),
            counts.deleted.to_string(),
            match counts.most_live.saturating_sub(limits.most()) {
                _ if !limits.are_kept(counts) => "FAILED".to_owned(),
                0 => "ok".to_owned(),
                more => format!("ok; {more} more for a moment"),
            },
        ]);
    }
    table
}
