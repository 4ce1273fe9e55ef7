//! The operator of `examples/website`, unchanged, in managers of two processes that elect a leader.

mod properties;
mod watched;

use std::{future::pending, time::Duration};

use serde_json::json;
use trimtab_manager::{Manager, ManagerBuilder, ManagerError};
use trimtab_simulation::{Fault, FaultMix, Process, Random, Scenario, Step};
use trimtab_website::kind::{Website, WebsiteSpec};

use self::{
    properties::all_is_well,
    watched::{Watched, forgets_keys},
};
use super::clock::BootTime;

/// The definition that people apply to their clusters.
const DEFINITION: &str = include_str!("../../../website/manifests/crd.yaml");
/// The theme that websites share.
const THEME: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: dark, namespace: default}
data: {style.css: "body { color: white }"}
"#;

const NAMESPACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: website-system}}";
/// The Lease of the operators, for properties.
const LEASE: &str = "website-system/website-operator";

/// Returns two processes of the operator, and websites that are created, changed and deleted, one after the other in
/// three places.
///
/// Properties: every change is reconciled; no website is reconciled twice at once, and only the holder of the Lease
/// writes; the state ends right, and nothing is written after it; a controller that is idle remembers no key.
pub fn website() -> Scenario {
    scenario("website").replicas("operator", 2, run).one_leader(LEASE).no_write_without_lease(LEASE)
}

/// Returns a process with two managers that do not elect a leader: they reconcile the same websites.
pub fn website_twice() -> Scenario {
    scenario("website/twice").process("operator", run_twice)
}

fn scenario(name: &str) -> Scenario {
    let seconds = Duration::from_secs;
    let faults = FaultMix::none()
        .with(Fault::CrashBefore(seconds(3)), 4)
        .with(Fault::CrashAfter(seconds(3)), 4)
        .with(Fault::LoseRequest, 1)
        .with(Fault::LoseReply, 3)
        .with(Fault::Refuse(409), 2)
        .with(Fault::Refuse(500), 1)
        .with(Fault::Refuse(503), 1)
        .with(Fault::Hang, 1)
        .with(Fault::StaleRead(seconds(8)), 2)
        .with(Fault::Lag { lag: seconds(5), lasts: seconds(20) }, 4)
        .with(Fault::Unobserved(seconds(5)), 4)
        .with(Fault::CutWatches, 2)
        .with(Fault::Compact, 2)
        .with(Fault::Partition(seconds(15)), 1)
        .with(Fault::Pause(seconds(20)), 1)
        .at_most(5)
        .within(seconds(20));
    Scenario::new(name)
        .manifest(DEFINITION)
        .manifest(NAMESPACE)
        .manifest(THEME)
        .workload(steps)
        .faults(faults)
        .eventually("every website is as it should be", seconds(300), all_is_well)
        .settles_within(seconds(300))
}

async fn run(process: Process) -> Result<(), ManagerError> {
    let (wall, boot) = (process.clone(), BootTime(process.clone()));
    let (seed, identity) = (process.seed(), process.identity());
    let builder = settings(&process).leader_election("website-system", "website-operator");
    let manager = builder.election_settings(move |elector| {
        elector.identity(identity).seed(seed).clock(boot).wall_clock(move || wall.now())
    });
    let mut manager = manager.build()?;
    Watched::new(&process).add_to(&mut manager);
    if let Some(observer) = manager.observer() {
        process.leads(LEASE, move || observer.is_leader());
    }
    let handle = manager.handle();
    tokio::select! {
        biased; // in a fixed order, so that a history repeats
        ended = manager.run_until(pending()) => ended,
        () = forgets_keys(&process, &handle) => Ok(()),
    }
}

async fn run_twice(process: Process) -> Result<(), ManagerError> {
    let watched = Watched::new(&process);
    let (mut one, mut other) = (settings(&process).build()?, settings(&process).build()?);
    watched.add_to(&mut one);
    watched.add_to(&mut other);
    tokio::try_join!(biased; one.run_until(pending()), other.run_until(pending())).map(drop)
}

/// Returns the settings of a manager whose random numbers and times are those of the simulation.
fn settings(process: &Process) -> ManagerBuilder {
    let (seed, clock, name) = (process.seed(), process.clone(), process.name().to_owned());
    Manager::with_client_that_may_retry("website-operator", process.client())
        .informers(move |informers| informers.seed(seed))
        .events(move |events| events.instance(name).clock(move || clock.now()))
}

fn steps(random: &mut Random) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for place in ["a", "b", "c"] {
        let mut at = random.within(0..3000);
        for number in 0..random.within(1..4) {
            let name = format!("{place}{number}");
            let theme = random.chance(0.5).then(|| "dark".to_owned());
            let mut website = Website::new(&name, WebsiteSpec { html: "0".to_owned(), replicas: 1, theme });
            website.metadata.namespace = Some("default".to_owned());
            steps.push((at, Step::create(&website)));
            for change in 1..random.within(1..4) {
                at += random.within(500..4000);
                let patch = json!({"spec": {"html": change.to_string(), "replicas": random.within(0..4)}});
                steps.push((at, Step::patch::<Website>("default", &name, &patch)));
            }
            at += random.within(500..4000);
            if random.chance(0.6) {
                steps.push((at, Step::delete::<Website>("default", &name)));
            }
        }
    }
    let style = json!({"data": {"style.css": "body { color: red }"}});
    let restyle = Step::patch::<k8s_openapi::api::core::v1::ConfigMap>("default", "dark", &style);
    steps.push((random.within(500..9000), restyle));
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}
