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
/// The pause of a leader between two writes.
const REST: Duration = Duration::from_millis(700);

/// Three candidates. The leader, and only the leader, increments a counter in a `ConfigMap`.
pub fn lease() -> Scenario {
    scenario("lease", faults()).no_write_without_lease(LEASE)
}

/// Returns the same, with Leases that are also edited by hand. The holder notices that at its next renewal and may
/// write until then, but two candidates still never lead at the same time.
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

/// Writes while this process leads.
async fn work(process: Process, leadership: Leadership) {
    let maps: Api<ConfigMap> = Api::default_namespaced(process.client());
    for count in 0_u64.. {
        if !leadership.is_valid() {
            return;
        }
        let patch = json!({"data": {"count": format!("{}: {count}", process.identity())}});
        // The outcome of one write does not matter here: the next one comes soon.
        maps.patch("counter", &PatchParams::default(), &Patch::Merge(patch)).await.ok();
        sleep(REST).await;
    }
}
