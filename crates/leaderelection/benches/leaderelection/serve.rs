//! The API server of a run, in a process of its own, and the leaders of its Leases.

use std::{net::SocketAddr, time::Duration};

use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::time::interval;
use trimtab_apiserver::ApiServer;

use crate::{Failure, LEASE_DURATION};

/// The time between two renewals.
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// Serves until it is killed, and renews the Leases `held-0` to `held-(leases - 1)`. Prints its address.
pub(crate) async fn run(leases: usize) -> Result<(), Failure> {
    let server = ApiServer::start();
    let api: Api<Lease> = Api::default_namespaced(server.client());
    for number in 0..leases {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": format!("held-{number}")},
            "spec": {
                "holderIdentity": "somebody", "leaseDurationSeconds": LEASE_DURATION.as_secs(), "leaseTransitions": 1,
            },
        });
        api.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    }
    let address = server.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("http://{address}");
    if leases == 0 {
        std::future::pending::<()>().await;
    }
    // One after the other, evenly.
    let mut next = interval(RETRY_PERIOD / u32::try_from(leases)?); // the first tick is at once
    for number in (0..leases).cycle() {
        next.tick().await;
        let renewal = json!({"spec": {"renewTime": MicroTime(server.now())}});
        api.patch(&format!("held-{number}"), &PatchParams::default(), &Patch::Merge(renewal)).await?;
    }
    Ok(())
}
