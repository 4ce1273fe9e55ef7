//! A controller that reads from the API server's cache, and the fault that makes it create too many objects.
//!
//! `cargo run -p trimtab-simulation --example three_maps` needs no cluster. It prints this failure, and a test that
//! repeats it:
//!
//! ```text
//! 0.010s  controller   creates configmaps/default/map-2pj2z v12 (3 times, the last one is shown)
//! 0.931s  fault        controller: lag 1266 116
//! 1.036s  controller   creates configmaps/default/map-pw9vm v13
//! 1.036s  >>> never more than three was violated
//! ```

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Error,
    api::{ListParams, PostParams},
};
use trimtab_simulation::{OnEnd, Process, Scenario, Simulation};

/// Keeps three maps.
async fn controller(process: Process) -> Result<(), Error> {
    let maps: Api<ConfigMap> = Api::default_namespaced(process.client());
    loop {
        let seen = maps.list(&ListParams::default().match_any()).await?; // from the server's cache
        for _ in seen.items.len()..3 {
            let map = serde_json::from_value(serde_json::json!({"metadata": {"generateName": "map-"}}));
            maps.create(&PostParams::default(), &map.map_err(Error::SerdeError)?).await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn main() {
    let scenario = Scenario::new("three maps")
        .process("controller", controller)
        .on_end(OnEnd::Restart(Duration::from_secs(1))) // as a kubelet does
        .always("never more than three", |world| world.objects("configmaps").count() <= 3);
    println!("{}", Simulation::new(scenario).run());
}
