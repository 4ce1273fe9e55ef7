//! The ReplicaSet controller of this package: sets are created, scaled and deleted under faults.

use std::{collections::BTreeMap, future::pending, time::Duration};

use k8s_openapi::api::apps::v1::ReplicaSet;
use serde_json::{Value, json};
use trimtab_controller::informer::InformerFactory;
use trimtab_simulation::{Fault, FaultMix, Process, Random, Scenario, Step, World, controller_uid};

use crate::replicaset::{PodView, ReplicaSets};

const RESOURCE: &str = "replicasets.apps";
/// The number of sets.
const SETS: u64 = 3;

/// Three sets of up to ten Pods, and the controller. No write takes effect long after its timeout, so there is never a
/// surplus Pod.
pub fn replicaset() -> Scenario {
    scenario("replicaset", None)
        .process("controller", run)
        .faults(in_time())
        .always("no Pod too many", no_pod_too_many)
}

/// The same, with late writes. Here upstream's controller also creates surplus Pods and deletes them again: names are
/// generated, so a late Pod looks like a new one.
pub fn replicaset_late() -> Scenario {
    scenario("replicaset-late", None).process("controller", run)
}

fn in_time() -> FaultMix {
    FaultMix::environment().without(|fault| matches!(fault, Fault::LateCommit(_) | Fault::Delay(_)))
}

/// Returns the scenario for measurements: three sets of ten Pods, at most twenty faults, and a second process that
/// follows all Pods.
pub fn replicaset_bench() -> Scenario {
    scenario("replicaset", Some(10))
        .process("controller", run)
        .process("follower", follow)
        .faults(in_time().at_most(20))
        .always("no Pod too many", no_pod_too_many)
}

/// `replicas` is the initial number of Pods of each set; random by default.
fn scenario(name: &str, replicas: Option<u64>) -> Scenario {
    Scenario::new(name)
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(100)).termination(Duration::from_millis(200))
        })
        .workload(move |random| steps(random, replicas))
        .touches("pods")
        .eventually("every set has its Pods", Duration::from_secs(600), every_set_has_its_pods)
        .settles_within(Duration::from_secs(600))
}

async fn run(process: Process) -> Result<(), String> {
    let informers = InformerFactory::builder(process.client()).seed(process.seed()).build();
    let controller = ReplicaSets::new(process.client(), &informers).controller();
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

fn steps(random: &mut Random, replicas: Option<u64>) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for number in 0..SETS {
        let name = format!("set-{number}");
        let mut at = random.within(0..2000);
        let drawn = random.within(1..11);
        steps.push((at, Step::create(&set(&name, replicas.unwrap_or(drawn)))));
        for _ in 0..random.within(0..3) {
            at += random.within(500..6000);
            let patch = json!({"spec": {"replicas": random.within(0..11)}});
            steps.push((at, Step::patch::<ReplicaSet>("default", &name, &patch)));
        }
        if random.chance(0.2) {
            at += random.within(500..6000);
            steps.push((at, Step::delete::<ReplicaSet>("default", &name)));
        }
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

fn set(name: &str, replicas: u64) -> ReplicaSet {
    let set = json!({
        "metadata": {"name": name, "namespace": "default"},
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

/// Returns the live Pods of each set, by the set's UID.
fn live_pods(world: &World) -> BTreeMap<String, u64> {
    let mut live = BTreeMap::new();
    for pod in world.objects("pods") {
        if pod["metadata"]["deletionTimestamp"].is_null()
            && let Some(owner) = controller_uid(pod)
        {
            *live.entry(owner).or_default() += 1;
        }
    }
    live
}

/// Checks that a set never has more live Pods than any of its specs asked for.
fn no_pod_too_many(world: &World) -> Result<(), String> {
    if world.newest().is_none_or(|newest| newest.commit.resource != "pods") {
        return Ok(()); // nothing else adds Pods
    }
    let mut most: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for written in world.commits().iter().filter(|written| written.commit.resource == RESOURCE) {
        let set: &Value = &written.commit.object;
        let uid = set["metadata"]["uid"].as_str().unwrap_or_default();
        let replicas = set["spec"]["replicas"].as_u64().unwrap_or(1);
        let known = most.entry(uid).or_insert((written.commit.name.as_str(), 0));
        known.1 = known.1.max(replicas);
    }
    for (uid, live) in live_pods(world) {
        if let Some((name, most)) = most.get(uid.as_str())
            && live > *most
        {
            return Err(format!("{name} has {live} Pods, and was never to have more than {most}"));
        }
    }
    Ok(())
}

fn every_set_has_its_pods(world: &World) -> Result<(), String> {
    let live = live_pods(world);
    for set in world.objects(RESOURCE) {
        let wanted = set["spec"]["replicas"].as_u64().unwrap_or(1);
        let uid = set["metadata"]["uid"].as_str().unwrap_or_default();
        let has = live.get(uid).copied().unwrap_or(0);
        if has != wanted {
            return Err(format!("{} has {has} Pods of {wanted}", set["metadata"]["name"]));
        }
    }
    Ok(())
}
