//! CPU, time and memory of the two implementations, on a kube-apiserver
//! of their own: `cargo xtask bench manager`.
//!
//! Each measurement is a line of JSON with the name of the subject.

use super::Programs;
use super::holder::Holder;
use super::usage;
use super::workload::{Fleet, User};
use crate::servers::process::Process;
use crate::servers::{Failure, Real};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The time in which a process that was started becomes steady.
const STEADY: Duration = Duration::from_secs(20);
/// The Pods of each Deployment.
const PODS: usize = 10;

/// The sizes and the scenarios of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// `rollout`, `rss` or `failover`; all if empty.
    pub(crate) scenarios: Vec<String>,
    /// Fewer Deployments.
    pub(crate) quick: bool,
}

impl Plan {
    fn includes(&self, scenario: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.iter().any(|name| name == scenario)
    }
}

/// Runs the scenarios for both subjects.
pub(crate) async fn run(programs: &Programs, plan: &Plan) -> Result<(), Failure> {
    if plan.includes("rollout") {
        for holder in [Holder::Ours, Holder::Upstream] {
            rollout(programs, holder, if plan.quick { 30 } else { 100 }).await?;
        }
    }
    if plan.includes("failover") {
        for holder in [Holder::Ours, Holder::Upstream] {
            failover(programs, holder).await?;
        }
    }
    if plan.includes("rss") {
        memory(programs, if plan.quick { 100 } else { 1000 }).await?;
    }
    Ok(())
}

fn report(holder: Holder, bench: &str, unit: &str, value: f64) {
    let subject = match holder {
        Holder::Ours => "trimtab",
        Holder::Upstream => "kube-controller-manager",
    };
    let bench = format!("manager/{bench}");
    println!(
        "{}",
        json!({"bench": bench, "unit": unit, "better": "lower", "value": value, "subject": subject})
    );
}

/// A kube-apiserver with the namespace and a Kubelet of ten nodes.
struct Cluster {
    real: Real,
    user: User,
    _kubelet: Process,
}

impl Cluster {
    async fn start(programs: &Programs) -> Result<Self, Failure> {
        let real = Real::start_with(&programs.kube, "namespace-controller").await?;
        let kubelet = programs.start_kubelet(real.folder(), 10, 0.2)?;
        let user = User(real.client()?);
        user.create_namespace().await?;
        Ok(Self { real, user, _kubelet: kubelet })
    }
}

/// The CPU of the process and the time until all Pods are ready, and until all are replaced.
async fn rollout(programs: &Programs, holder: Holder, deployments: usize) -> Result<(), Failure> {
    let cluster = Cluster::start(programs).await?;
    let fleet = Fleet { deployments, pods: PODS };
    let process = holder.start(programs, cluster.real.folder())?;
    sleep(Duration::from_secs(3)).await; // until it has listed what there is: nothing
    let begun = Instant::now();
    fleet.create(&cluster.user, "v1").await?;
    cluster.user.complete().await?;
    let created = begun.elapsed();
    eprintln!("manager: {holder}, {deployments} Deployments created in {:.1} s", created.as_secs_f64());
    fleet.roll_out(&cluster.user, "v2").await?;
    cluster.user.complete().await?;
    let all = begun.elapsed();
    eprintln!("manager: {holder}, rolled out in {:.1} s", (all - created).as_secs_f64());
    report(holder, "rollout-cpu", "s", usage::cpu(process.id())?);
    report(holder, "rollout-s", "s", all.as_secs_f64());
    Ok(())
}

/// The time from the kill of the leader until the other process has
/// created the first Pod of a new Deployment.
async fn failover(programs: &Programs, holder: Holder) -> Result<(), Failure> {
    let cluster = Cluster::start(programs).await?;
    let leader = holder.start_candidate(programs, cluster.real.folder())?;
    Fleet { deployments: 1, pods: 1 }.create(&cluster.user, "v1").await?;
    cluster.user.complete().await?;
    let _follower = holder.start_candidate(programs, cluster.real.folder())?;
    sleep(Duration::from_secs(10)).await;
    drop(leader);
    let begun = Instant::now();
    Fleet { deployments: 1, pods: 1 }.roll_out(&cluster.user, "v2").await?;
    cluster.user.created("v2").await?;
    report(holder, "failover-s", "s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// The memory of each process beside the same Deployments, started when all Pods are ready.
async fn memory(programs: &Programs, deployments: usize) -> Result<(), Failure> {
    let cluster = Cluster::start(programs).await?;
    {
        let _process = Holder::Ours.start(programs, cluster.real.folder())?;
        let begun = Instant::now();
        Fleet { deployments, pods: PODS }.create(&cluster.user, "v1").await?;
        cluster.user.complete().await?;
        eprintln!("manager: {deployments} Deployments created in {:.1} s", begun.elapsed().as_secs_f64());
    }
    for holder in [Holder::Ours, Holder::Upstream] {
        let process = holder.start(programs, cluster.real.folder())?;
        sleep(STEADY).await;
        report(holder, "rss", "MiB", usage::resident(process.id())?);
    }
    Ok(())
}
