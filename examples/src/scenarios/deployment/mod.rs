//! The Deployment and the ReplicaSet controller of this package in one process: rollouts, scalings, pauses and rollbacks under
//! faults.

mod properties;

use std::{future::pending, time::Duration};

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use trimtab_controller::informer::InformerFactory;
use trimtab_events::EventRecorder;
use trimtab_simulation::{Process, Random, Scenario, Step};

use self::properties::{
    all_rolled_out, no_new_pod_beside_an_old_one, no_revision_lost, no_set_too_large, no_set_too_small,
    nothing_rolled_out_while_paused,
};
use super::replicaset::{INFORMER_BACKOFF, MAX_BACKOFF, in_time};
use crate::{
    deployment::{Deployments, Rule},
    replicaset::ReplicaSets,
};

const DEPLOYMENTS: &str = "deployments.apps";
const SETS: &str = "replicasets.apps";
/// The time in milliseconds after which every process knows a change, whatever the faults.
const KNOWN: u64 = 11_000;
const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// Two Deployments of up to ten Pods, and both controllers.
pub fn deployment() -> Scenario {
    scenario("deployment", None).workload(steps)
}

/// The same with these steps instead of random ones.
pub fn deployment_with(steps: impl Fn() -> Vec<(Duration, Step)> + Send + Sync + 'static) -> Scenario {
    scenario("deployment", None).workload(move |_| steps())
}

/// The same without one rule of the Deployment controller, which the properties find.
pub fn deployment_without(rule: Rule) -> Scenario {
    scenario(&format!("deployment/{}", rule.name()), Some(rule)).workload(steps)
}

fn scenario(name: &str, without: Option<Rule>) -> Scenario {
    Scenario::new(name)
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(100)).termination(Duration::from_millis(200))
        })
        .process("controllers", move |process| run(process, without))
        .touches(SETS)
        .faults(in_time())
        .always("no more Pods wanted than desired and surge", no_set_too_large)
        .always("no fewer Pods kept than must be available", no_set_too_small)
        .always("no revision is lost", no_revision_lost)
        .always("no new Pod beside an old one", no_new_pod_beside_an_old_one)
        .always("nothing is rolled out while paused", nothing_rolled_out_while_paused)
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
            if random.chance(0.2) {
                at += KNOWN;
            }
            let patch = match random.within(0..12) {
                0..5 => {
                    // Sometimes an earlier template: a rollback by `kubectl rollout undo`.
                    image = if random.chance(0.3) { random.within(1..image + 1) } else { image + 1 };
                    json!({"spec": {"template": template(name, image)}})
                }
                5..8 => json!({"spec": {"replicas": random.within(0..11)}}),
                8..10 => json!({"spec": {"paused": true}}),
                _ => {
                    let revision = random.within(0..4).to_string(); // it may be the present one, or gone
                    json!({"metadata": {"annotations": {ROLLBACK: revision}}})
                }
            };
            let is_pause = patch["spec"]["paused"] == true;
            steps.push((at, Step::patch::<Deployment>("default", name, &patch)));
            if is_pause {
                if random.chance(0.5) {
                    at += KNOWN;
                    image += 1;
                    let change = json!({"spec": {"template": template(name, image)}});
                    steps.push((at, Step::patch::<Deployment>("default", name, &change)));
                }
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
        // A server refuses 0 for both; of percentages, both may come to 0.
        let surge = pods(random, 0);
        let unavailable = pods(random, u64::from(surge == 0));
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
    };
    let mut spec = json!({
        "replicas": random.within(1..11), "selector": {"matchLabels": {"app": name}}, "strategy": strategy,
        "template": template(name, 1),
    });
    if random.chance(0.3) {
        spec["minReadySeconds"] = random.within(1..4).into();
    }
    if random.chance(0.5) {
        spec["revisionHistoryLimit"] = random.within(0..3).into();
    }
    let deployment = json!({"metadata": {"name": name, "namespace": "default"}, "spec": spec});
    serde_json::from_value(deployment).expect("it is a Deployment")
}

fn template(name: &str, image: u64) -> Value {
    json!({
        "metadata": {"labels": {"app": name, "image": image.to_string()}},
        "spec": {"containers": [{"name": "c", "image": image.to_string()}]},
    })
}

/// Returns a number of Pods, at least `least`, or a percentage.
fn pods(random: &mut Random, least: u64) -> Value {
    if random.chance(0.3) {
        format!("{}%", 10 * random.within(1..6)).into()
    } else {
        random.within(least..4).into()
    }
}
