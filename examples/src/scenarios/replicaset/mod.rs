//! The ReplicaSet controller of this package: sets are created, scaled, deleted, orphaned and created again under
//! faults.

mod naive;
mod properties;

use std::{future::pending, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use trimtab_controller::{
    expectations::{Ledger, Strictness},
    informer::InformerFactory,
};
use trimtab_simulation::{Fault, FaultMix, Process, Random, Scenario, Step};

use self::properties::{
    at_most_one_controller, every_set_has_its_pods, no_adoption_by_the_dead, no_deletion_beyond_desired,
    no_foreign_adoption, no_pod_too_many,
};
use crate::replicaset::{PodView, Protection, ReplicaSets};

const RESOURCE: &str = "replicasets.apps";
/// The number of sets.
const SETS: u64 = 3;
/// The namespaces with sets and orphans of the same labels.
const NAMESPACES: [&str; 2] = ["default", "kube-public"];
/// The longest delay of a key that failed.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// The limit of the informers' backoff, so that a cache is not older than the faults and a few seconds make it: the
/// properties call the last 10 s recent.
pub(super) const INFORMER_BACKOFF: Duration = Duration::from_secs(1);
/// The longest time for which one fault keeps a process from the present state.
const MOST_BEHIND: Duration = Duration::from_secs(5);
/// The lag of caches in `replicaset-shrinking`: some times a Pod's termination.
const LAG: Duration = Duration::from_millis(800);
/// The time for which probes of `replicaset-shrinking` fail and succeed.
const PROBED: Duration = Duration::from_secs(15);
/// The time within which every set has its Pods, once the faults rest.
const CONVERGED: Duration = Duration::from_secs(60);

/// Three sets of up to ten Pods, and the controller with its default gates. No write takes effect long after its timeout,
/// so there is never a surplus Pod.
pub fn replicaset() -> Scenario {
    safe("replicaset", in_time(), CONVERGED).process("controller", |process| run(process, Strictness::Strict))
}

/// The controller without the gate `UnknownOutcomeConsistency`: it promises nothing about replies that are lost.
pub fn replicaset_versions() -> Scenario {
    safe("replicaset-versions", with_replies(), CONVERGED)
        .process("controller", |process| run(process, Strictness::Versions))
}

/// The controller without the gate `StaleControllerConsistency`, too: as upstream before 1.36, it waits for the time to
/// live after events that were missed.
pub fn replicaset_counts() -> Scenario {
    safe("replicaset-counts", with_replies(), Duration::from_secs(600))
        .process("controller", |process| run(process, Strictness::Counts))
}

/// The controller without one of its protections, under the faults that the protection is for.
pub fn replicaset_without(protection: Protection) -> Scenario {
    let name = format!("replicaset/{}", protection.name());
    let (faults, strictness) = match protection {
        Protection::Counts => (in_time(), Strictness::Strict),
        Protection::FreshUid => return adopting(&name, Some(protection)),
        Protection::UnknownOutcomes => (in_time(), Strictness::Versions),
        Protection::Versions => return unseen(&name, Strictness::Counts, Some(protection)),
        // Versions also settle a deletion, so only counts need its UID.
        Protection::Uids => return shrinking(&name, Some(protection)),
    };
    safe(&name, faults, CONVERGED)
        .process("controller", move |process| run_without(process, strictness, Some(protection)))
}

/// The controller that compares versions, some of whose Pods come and go while it can read nothing.
pub fn replicaset_unseen() -> Scenario {
    unseen("replicaset-unseen", Strictness::Versions, None)
}

/// Pods are deleted, and some of that time the controller can neither watch nor list, so that no event ever tells of them.
fn unseen(name: &str, strictness: Strictness, without: Option<Protection>) -> Scenario {
    let faults = FaultMix::none()
        .with(Fault::Unobserved(MOST_BEHIND), 2)
        .with(Fault::Delete(u32::MAX), 3)
        .at_most(10)
        .within(Duration::from_secs(8));
    // A deletion beyond desired is not the controller's if another client deletes at the same time.
    base(name, None)
        .faults(faults)
        .always("no Pod too many", no_pod_too_many)
        .eventually("every set has its Pods", CONVERGED, every_set_has_its_pods)
        .settles_within(CONVERGED)
        .process("controller", move |process| run_without(process, strictness, without))
}

/// The controller with its default gates, whose sets adopt nothing once they are gone. Reads are current, and a write follows
/// them at once: otherwise no check can know that a set is gone.
pub fn replicaset_adopting() -> Scenario {
    adopting("replicaset-adopting", None)
}

/// The controller that only counts, with a set that loses its Pods one by one while they become ready and unready.
pub fn replicaset_shrinking() -> Scenario {
    shrinking("replicaset-shrinking", None)
}

fn shrinking(name: &str, without: Option<Protection>) -> Scenario {
    // Behind a cache that lags by some times a Pod's termination, the end of one Pod is seen before the deletion of the next.
    let faults = FaultMix::none().with(Fault::Lag { lag: LAG, lasts: PROBED }, 1).at_most(3).within(LAG);
    safe(name, faults, Duration::from_secs(600))
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(700)).termination(Duration::from_millis(200))
        })
        .workload(in_pairs)
        .process("controller", move |process| run_without(process, Strictness::Counts, without))
        .process("probes", probes)
}

fn adopting(name: &str, without: Option<Protection>) -> Scenario {
    let faults = in_time().without(|fault| {
        matches!(fault, Fault::StaleRead(_) | Fault::Pause(_) | Fault::Suspend(_) | Fault::Drift { .. })
    });
    safe(name, faults, CONVERGED)
        .always("no adoption by a set that is gone", no_adoption_by_the_dead)
        .process("controller", move |process| run_without(process, Strictness::Strict, without))
}

/// A controller that believes its cache, with the same properties: what the ledger is for.
pub fn replicaset_naive() -> Scenario {
    safe("replicaset/naive", in_time(), CONVERGED).process("controller", naive::run)
}

/// The default controller, with late writes. Here upstream's controller also creates surplus Pods and deletes them again:
/// names are generated, so a late Pod looks like a new one.
pub fn replicaset_late() -> Scenario {
    base("replicaset-late", None)
        .process("controller", |process| run(process, Strictness::Strict))
        .eventually("every set has its Pods", Duration::from_secs(600), every_set_has_its_pods)
        .settles_within(Duration::from_secs(600))
}

/// Returns the scenario for measurements: three sets of ten Pods, at most twenty faults, and a second process that
/// follows all Pods.
pub fn replicaset_bench() -> Scenario {
    base("replicaset", Some(10))
        .process("controller", |process| run(process, Strictness::Strict))
        .process("follower", follow)
        .faults(in_time().at_most(20))
        .always("no Pod too many", no_pod_too_many)
        .eventually("every set has its Pods", Duration::from_secs(600), every_set_has_its_pods)
        .settles_within(Duration::from_secs(600))
}

/// Every fault except late writes. No fault makes the state that a process knows more than 5 s older, so that two of them
/// stay within the time that the properties call recent.
pub(super) fn in_time() -> FaultMix {
    FaultMix::environment()
        .without(|fault| {
            matches!(
                fault,
                Fault::LateCommit(_)
                    | Fault::Delay(_)
                    // Without the bookmark that ends it, a streaming list is given up after ten silent seconds.
                    | Fault::DropBookmarks(_)
                    | Fault::TimeTravel { .. }
                    | Fault::Lag { .. }
                    | Fault::Unobserved(_)
                    | Fault::Partition(_)
                    | Fault::Pause(_)
                    | Fault::Suspend(_)
            )
        })
        .with(Fault::TimeTravel { lag: MOST_BEHIND, lasts: MOST_BEHIND }, 3)
        .with(Fault::Lag { lag: MOST_BEHIND, lasts: MOST_BEHIND * 2 }, 4)
        .with(Fault::Unobserved(MOST_BEHIND), 3)
        .with(Fault::Partition(MOST_BEHIND), 2)
        .with(Fault::Pause(MOST_BEHIND), 2)
        .with(Fault::Suspend(MOST_BEHIND), 1)
}

/// The same, without faults that lose the reply to a write.
fn with_replies() -> FaultMix {
    in_time().without(|fault| matches!(fault, Fault::LoseReply | Fault::Hang | Fault::Partition(_)))
}

/// A scenario with all properties, whose sets have their Pods `within` so long after the faults rest.
fn safe(name: &str, faults: FaultMix, within: Duration) -> Scenario {
    base(name, None)
        .faults(faults)
        .always("no Pod too many", no_pod_too_many)
        .always("no deletion beyond desired", no_deletion_beyond_desired)
        .always("at most one controller", at_most_one_controller)
        .always("no foreign adoption", no_foreign_adoption)
        .eventually("every set has its Pods", within, every_set_has_its_pods)
        .settles_within(within)
}

/// `replicas` is the initial number of Pods of each set; random by default.
fn base(name: &str, replicas: Option<u64>) -> Scenario {
    Scenario::new(name)
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(100)).termination(Duration::from_millis(200))
        })
        .workload(move |random| steps(random, replicas))
        .touches("pods")
}

async fn run(process: Process, strictness: Strictness) -> Result<(), String> {
    run_without(process, strictness, None).await
}

async fn run_without(
    process: Process,
    strictness: Strictness,
    protection: Option<Protection>,
) -> Result<(), String> {
    let informers =
        InformerFactory::builder(process.client()).seed(process.seed()).max_backoff(INFORMER_BACKOFF).build();
    let ledger = Ledger::builder().strictness(strictness);
    let sets = ReplicaSets::with_ledger(process.client(), &informers, ledger);
    let sets = match protection {
        Some(protection) => sets.without(protection),
        None => sets,
    };
    let controller = sets.wiring().max_backoff(MAX_BACKOFF).reconcile_by(sets);
    controller.run(pending()).await.map_err(|error| error.to_string())
}

/// Keeps a cache of all Pods and writes nothing.
async fn follow(process: Process) {
    let informers = InformerFactory::builder(process.client()).seed(process.seed()).build();
    let pods = informers.informer::<PodView>();
    informers.start();
    pending::<()>().await;
    drop(pods);
}

/// Makes running Pods unready and ready again, as probes do that fail now and then.
async fn probes(process: Process) {
    let pods = Api::<Pod>::namespaced(process.client(), NAMESPACES[0]);
    let params = PatchParams::default();
    let (mut random, end) = (process.random(), Instant::now() + PROBED);
    while Instant::now() < end {
        sleep(Duration::from_millis(random.within(20..150))).await;
        let Ok(Ok(all)) = timeout(LAG, pods.list(&ListParams::default())).await else { continue };
        let running: Vec<_> = all.items.into_iter().filter(|pod| phase(pod) == Some("Running")).collect();
        let Some(mut status) = random.pick(&running).cloned() else { continue };
        for condition in status.status.iter_mut().flat_map(|status| status.conditions.iter_mut().flatten()) {
            if condition.type_ == "Ready" {
                condition.status = if condition.status == "True" { "False" } else { "True" }.to_owned();
            }
        }
        let (name, patch) = (status.name_any(), Patch::Merge(json!({"status": status.status})));
        // One that fails is one less.
        _ = timeout(LAG, pods.patch_status(&name, &params, &patch)).await;
    }
    pending().await
}

fn phase(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.phase.as_deref()
}

fn steps(random: &mut Random, replicas: Option<u64>) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for number in 0..SETS {
        let name = format!("set-{number}");
        let namespace = NAMESPACES[usize::from(replicas.is_none() && random.chance(0.2))];
        let mut at = random.within(0..2000);
        let drawn = random.within(1..11);
        let create = Step::create(&set(namespace, &name, replicas.unwrap_or(drawn)));
        steps.push((at, create.clone()));
        for _ in 0..random.within(0..3) {
            at += random.within(500..6000);
            let patch = json!({"spec": {"replicas": random.within(0..11)}});
            steps.push((at, Step::patch::<ReplicaSet>(namespace, &name, &patch)));
        }
        if replicas.is_none() && random.chance(0.3) {
            let place = random.within(0..NAMESPACES.len() as u64) as usize;
            steps.push((random.within(0..8000), Step::create(&orphan(NAMESPACES[place], &name))));
        }
        if random.chance(0.2) {
            at += random.within(500..6000);
            steps.push((at, Step::delete::<ReplicaSet>(namespace, &name)));
        } else if replicas.is_none() && random.chance(0.2) {
            at += random.within(500..6000);
            let path = format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}");
            steps.push((at, Step::delete_at(&format!("{path}?propagationPolicy=Orphan"))));
            steps.push((at + random.within(500..3000), create));
        }
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

/// Creates a set of ten Pods, and removes some: one, and soon after it another one. A Pod that is not ready is removed first,
/// so the choice changes from moment to moment.
///
/// The second is removed while the cache shows the first one terminating. Then nothing happens for some time, so that one that
/// is deleted too many stays one too many.
fn in_pairs(random: &mut Random) -> Vec<(Duration, Step)> {
    let mut at = random.within(0..500);
    let mut steps = vec![(at, Step::create(&set(NAMESPACES[0], "set-0", 10)))];
    for replicas in [9, 7, 5] {
        at += 3000;
        for replicas in [replicas, replicas - 1] {
            let patch = json!({"spec": {"replicas": replicas}});
            steps.push((at, Step::patch::<ReplicaSet>(NAMESPACES[0], "set-0", &patch)));
            at += random.within(200..900);
        }
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

fn set(namespace: &str, name: &str, replicas: u64) -> ReplicaSet {
    let set = json!({
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    });
    serde_json::from_value(set).expect("it is a ReplicaSet")
}

/// A Pod without a controller that the set `name` selects, if it is in the same namespace.
fn orphan(namespace: &str, name: &str) -> Pod {
    let pod = json!({
        "metadata": {"name": format!("orphan-of-{name}"), "namespace": namespace, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    serde_json::from_value(pod).expect("it is a Pod")
}
