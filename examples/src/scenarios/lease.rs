//! Leader election: three candidates for one lease, of which the leader writes all the time.

use std::{future::pending, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio::time::sleep;
use trimtab_leaderelection::{LeaderElector, Leadership, Outcome};
use trimtab_simulation::{Fault, FaultMix, OnEnd, Process, Scenario};

const LEASE: &str = "default/work";
/// How long a leader rests between two writes.
const REST: Duration = Duration::from_millis(700);

/// Three candidates; whoever leads counts in a `ConfigMap`, and nobody else does.
pub fn lease() -> Scenario {
    scenario("lease", faults()).no_write_without_lease(LEASE)
}

/// The same, where the lease is also taken by hand. The holder learns of that with its next renewal, so it may write
/// until then; but still no two candidates lead at the same time.
pub fn lease_taken() -> Scenario {
    scenario("lease-taken", faults().with(Fault::TakeLease(0), 12))
}

fn faults() -> FaultMix {
    let seconds = Duration::from_secs;
    FaultMix::environment()
        .with(Fault::Pause(seconds(40)), 3)
        .with(Fault::Suspend(seconds(40)), 3)
        .with(Fault::Partition(seconds(40)), 3)
        .within(seconds(40))
}

fn scenario(name: &str, faults: FaultMix) -> Scenario {
    let seconds = Duration::from_secs;
    Scenario::new(name)
        .manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: counter}}")
        .replicas("candidate", 3, run)
        .on_end(OnEnd::Restart(seconds(1)))
        .faults(faults)
        .one_leader(LEASE)
        .eventually("somebody leads", seconds(60), |world| {
            let lease = world.get("leases.coordination.k8s.io", "default", "work");
            lease.is_some_and(|lease| {
                lease["spec"]["holderIdentity"].as_str().is_some_and(|holder| !holder.is_empty())
            })
        })
}

async fn run(process: Process) -> Result<(), String> {
    let mut elector = LeaderElector::builder(process.client(), "default", "work")
        .identity(process.identity())
        .seed(process.seed())
        .release_on_cancel(true)
        .build()
        .map_err(|error| error.to_string())?;
    let outcome = elector
        .run_terms(pending(), |leadership| {
            let told = leadership.clone();
            process.leads(LEASE, move || told.is_valid());
            work(process.clone(), leadership)
        })
        .await;
    match outcome {
        Outcome::Lost(_) | Outcome::NeverLed => Ok(()),
        _ => Err("the work ended while it was led".to_owned()),
    }
}

/// Writes as long as this process leads.
async fn work(process: Process, leadership: Leadership) {
    let maps: Api<ConfigMap> = Api::default_namespaced(process.client());
    for count in 0_u64.. {
        if !leadership.is_valid() {
            return;
        }
        let patch = json!({"data": {"count": format!("{}: {count}", process.identity())}});
        // What becomes of one write is no matter here: the next one comes soon.
        maps.patch("counter", &PatchParams::default(), &Patch::Merge(patch)).await.ok();
        sleep(REST).await;
    }
}
