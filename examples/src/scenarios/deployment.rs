//! The Deployment and the ReplicaSet controller of this package in one process: rollouts, scalings and pauses under faults.
//!
//! The properties are about the numbers that the Deployment controller decides on: `replicas` in the specs of its sets. A
//! ReplicaSet controller that is slower for one set than for another can have more Pods for a moment, upstream's as well.

use std::{future::pending, time::Duration};

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use trimtab_controller::informer::InformerFactory;
use trimtab_events::EventRecorder;
use trimtab_simulation::{
    ChangeKind, Process, Random, Scenario, Step, StoredObject, World, Writer, Written, controller_uid,
};

use super::replicaset::{INFORMER_BACKOFF, MAX_BACKOFF, in_time};
use crate::{
    deployment::{Deployments, Rule},
    replicaset::ReplicaSets,
};

const DEPLOYMENTS: &str = "deployments.apps";
const SETS: &str = "replicasets.apps";
const REVISION: &str = "deployment.kubernetes.io/revision";
/// The time in which a process may not know a change. No fault lasts as long.
const RECENT: Duration = Duration::from_secs(10);

/// Two Deployments of up to ten Pods, and both controllers.
pub fn deployment() -> Scenario {
    scenario("deployment", None)
}

/// The same without one rule of the Deployment controller, which the properties find.
pub fn deployment_without(rule: Rule) -> Scenario {
    scenario(&format!("deployment/{}", rule.name()), Some(rule))
}

fn scenario(name: &str, without: Option<Rule>) -> Scenario {
    Scenario::new(name)
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(100)).termination(Duration::from_millis(200))
        })
        .process("controllers", move |process| run(process, without))
        .workload(steps)
        .touches(SETS)
        .faults(in_time())
        .always("no more Pods wanted than desired and surge", no_set_too_large)
        .always("no fewer Pods kept than must be available", no_set_too_small)
        .always("no revision is lost", no_revision_lost)
        .eventually("every Deployment is rolled out", Duration::from_secs(300), all_rolled_out)
        .settles_within(Duration::from_secs(300))
}

async fn run(process: Process, without: Option<Rule>) -> Result<(), String> {
    let client = process.client();
    let informers =
        InformerFactory::builder(client.clone()).seed(process.seed()).max_backoff(INFORMER_BACKOFF).build();
    let deployments = Deployments::new(client.clone(), &informers, &EventRecorder::discarding());
    let deployments = deployments.starting_at(process.now());
    let deployments = match without {
        Some(rule) => deployments.without(rule),
        None => deployments,
    };
    let sets = ReplicaSets::new(client, &informers);
    let deployments = deployments.wiring().max_backoff(MAX_BACKOFF).reconcile_by(deployments);
    let sets = sets.wiring().max_backoff(MAX_BACKOFF).reconcile_by(sets);
    let (deployments, sets) = tokio::join!(deployments.run(pending()), sets.run(pending()));
    deployments.and(sets).map_err(|error| error.to_string())
}

fn steps(random: &mut Random) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for name in ["web", "db"] {
        let mut at = random.within(0..1500);
        steps.push((at, Step::create(&first(name, random))));
        let mut image = 1;
        for _ in 0..random.within(1..5) {
            at += random.within(200..6000);
            let spec = match random.within(0..10) {
                0..5 => {
                    // Sometimes an earlier template: a rollback.
                    image = if random.chance(0.3) { random.within(1..image + 1) } else { image + 1 };
                    json!({"template": template(name, image)})
                }
                5..8 => json!({"replicas": random.within(0..11)}),
                _ => json!({"paused": true}),
            };
            let is_pause = spec.get("paused").is_some();
            steps.push((at, Step::patch::<Deployment>("default", name, &json!({"spec": spec}))));
            if is_pause {
                at += random.within(200..4000);
                let resume = json!({"spec": {"paused": false}});
                steps.push((at, Step::patch::<Deployment>("default", name, &resume)));
            }
        }
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

fn first(name: &str, random: &mut Random) -> Deployment {
    let strategy = if random.chance(0.2) {
        json!({"type": "Recreate"})
    } else {
        let rolling = json!({"maxSurge": random.within(0..4), "maxUnavailable": random.within(1..4)});
        json!({"type": "RollingUpdate", "rollingUpdate": rolling})
    };
    let spec = json!({
        "replicas": random.within(1..11), "selector": {"matchLabels": {"app": name}}, "strategy": strategy,
        "template": template(name, 1),
    });
    let deployment = json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
    serde_json::from_value(deployment).expect("it is a Deployment")
}

fn template(name: &str, image: u64) -> Value {
    json!({
        "metadata": {"labels": {"app": name, "image": image.to_string()}},
        "spec": {"containers": [{"name": "c", "image": image.to_string()}]},
    })
}

/// The newest commit, if a process changed a set of a Deployment with it; and the UID of the Deployment.
fn own_set_commit(world: &World) -> Option<(&Written, String)> {
    let newest = world.newest().filter(|newest| newest.commit.resource == SETS)?;
    matches!(newest.by, Writer::Process(_)).then_some(())?;
    Some((newest, controller_uid(&newest.commit.object)?))
}

/// The commit of the same object before the newest one.
fn before<'a>(world: &'a World, written: &Written) -> Option<&'a StoredObject> {
    let uid = &written.commit.object["metadata"]["uid"];
    let mut earlier = world.commits().iter().rev().skip(1);
    earlier.find(|other| other.commit.object["metadata"]["uid"] == *uid).map(|other| &other.commit.object)
}

/// The states of the Deployment `uid` of late.
fn recent<'a>(world: &'a World, uid: &str) -> Vec<&'a StoredObject> {
    let mut states = Vec::new();
    for written in world.commits().iter().rev() {
        if written.commit.object["metadata"]["uid"].as_str() == Some(uid) {
            states.push(&written.commit.object);
            if written.at + RECENT < world.now() {
                break; // it was in force when the time began that counts
            }
        }
    }
    states
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn surge(deployment: &StoredObject) -> i64 {
    number(&deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"])
}

/// The Pods that the sets of a Deployment want.
fn wanted(world: &World, uid: &str) -> i64 {
    let own = world.objects(SETS).filter(|set| controller_uid(set).as_deref() == Some(uid));
    own.map(|set| number(&set["spec"]["replicas"])).sum()
}

/// When a set grows, all sets together want no more Pods than the Deployment allowed at some moment of late.
fn no_set_too_large(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let (set, earlier) = (&written.commit.object, before(world, written));
    let grew = number(&set["spec"]["replicas"]) - earlier.map_or(0, |set| number(&set["spec"]["replicas"]));
    if written.commit.change == ChangeKind::Deleted || grew <= 0 {
        return Ok(());
    }
    let allowed = recent(world, &uid).iter().map(|one| number(&one["spec"]["replicas"]) + surge(one)).max();
    let (wanted, allowed) = (wanted(world, &uid), allowed.unwrap_or(0));
    if wanted > allowed {
        return Err(format!(
            "with {}, {wanted} Pods are wanted, and {allowed} are allowed",
            written.commit.name
        ));
    }
    Ok(())
}

/// When a set shrinks in a rolling update, as many Pods stay as must be available, as far as they were available of late. A
/// Deployment that was scaled of late has no such bound.
fn no_set_too_small(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let Some(earlier) = before(world, written) else { return Ok(()) };
    let set = &written.commit.object;
    let (was, is) = (number(&earlier["spec"]["replicas"]), number(&set["spec"]["replicas"]));
    let states = recent(world, &uid);
    let Some(deployment) = states.first().filter(|_| is < was) else { return Ok(()) };
    let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
    let was_scaled = states.iter().any(|one| one["spec"]["replicas"] != deployment["spec"]["replicas"]);
    if was_scaled || !rolling.is_object() || written.at < RECENT {
        return Ok(());
    }
    let most_available = |set: &StoredObject| {
        let own = recent(world, set["metadata"]["uid"].as_str().unwrap_or_default());
        own.iter().map(|state| number(&state["status"]["availableReplicas"])).max().unwrap_or(0)
    };
    let others = world.objects(SETS).filter(|other| controller_uid(other).as_deref() == Some(&*uid));
    let others = others.filter(|other| other["metadata"]["uid"] != set["metadata"]["uid"]);
    let elsewhere: i64 =
        others.map(|other| most_available(other).min(number(&other["spec"]["replicas"]))).sum();
    let own = most_available(set);
    let least = number(&deployment["spec"]["replicas"]) - number(&rolling["maxUnavailable"]);
    let (before, after) = (elsewhere + own.min(was), elsewhere + own.min(is));
    if after < least && after < before {
        let name = &written.commit.name;
        return Err(format!("{name} went from {was} to {is}, and of {least} Pods {after} stay available"));
    }
    Ok(())
}

/// No set of an earlier template is deleted (the limit is higher than the number of templates), and no revision falls.
fn no_revision_lost(world: &World) -> Result<(), String> {
    let Some((written, _)) = own_set_commit(world) else { return Ok(()) };
    let name = &written.commit.name;
    if written.commit.change == ChangeKind::Deleted {
        return Err(format!("{name} is deleted"));
    }
    let Some(earlier) = before(world, written) else { return Ok(()) };
    let (was, is) = (revision(earlier), revision(&written.commit.object));
    if is < was { Err(format!("{name} goes from revision {was} to {is}")) } else { Ok(()) }
}

fn revision(object: &StoredObject) -> i64 {
    object["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Every Deployment has its Pods, all of its template, says so, and has the revision of its newest set. One that is paused
/// keeps the templates and the revision that it had.
fn all_rolled_out(world: &World) -> Result<(), String> {
    for deployment in world.objects(DEPLOYMENTS) {
        is_rolled_out(world, deployment)
            .map_err(|problem| format!("{}: {problem}", deployment["metadata"]["name"]))?;
    }
    Ok(())
}

fn is_rolled_out(world: &World, deployment: &StoredObject) -> Result<(), String> {
    let (uid, spec) = (deployment["metadata"]["uid"].as_str().unwrap_or_default(), &deployment["spec"]);
    let sets: Vec<_> =
        world.objects(SETS).filter(|set| controller_uid(set).as_deref() == Some(uid)).collect();
    let pods: Vec<_> = world.objects("pods").filter(|pod| is_live_of(pod, &sets)).collect();
    let (live, desired) = (pods.len() as i64, number(&spec["replicas"]));
    let status = &deployment["status"];
    if number(&status["replicas"]) != live
        || status["observedGeneration"] != deployment["metadata"]["generation"]
    {
        return Err(format!("has {live} Pods, and the status is {status}"));
    }
    if spec["paused"] == true {
        let most = desired + surge(deployment);
        return if live <= most { Ok(()) } else { Err(format!("has {live} Pods of at most {most}")) };
    }
    let mut revisions: Vec<_> = sets.iter().map(|set| revision(set)).collect();
    revisions.sort_unstable();
    if revisions.windows(2).any(|pair| pair[0] == pair[1]) || revisions.last() != Some(&revision(deployment))
    {
        return Err(format!("the revisions are {revisions:?}, and its own is {}", revision(deployment)));
    }
    let image = &spec["template"]["metadata"]["labels"]["image"];
    if let Some(old) = pods.iter().find(|pod| pod["metadata"]["labels"]["image"] != *image) {
        return Err(format!("{} is of an old template", old["metadata"]["name"]));
    }
    let counts = ["updatedReplicas", "availableReplicas"].map(|field| number(&status[field]));
    if live != desired || counts != [live; 2] {
        return Err(format!("has {live} Pods of {desired}, and the status is {status}"));
    }
    Ok(())
}

/// Whether a Pod belongs to one of the sets and is not being deleted.
fn is_live_of(pod: &StoredObject, sets: &[&StoredObject]) -> bool {
    let owner = controller_uid(pod);
    let is_own = sets.iter().any(|set| set["metadata"]["uid"].as_str() == owner.as_deref());
    is_own && pod["metadata"]["deletionTimestamp"].is_null()
}
