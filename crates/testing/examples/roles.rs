//! Prints the roles that a controller needs, found by a run against an API server in the same process.

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_controller::{Action, Controller};
use trimtab_testing::TestCluster;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = TestCluster::start();
    let mut manager = cluster.manager("labeller").leader_election("default", "labeller").build()?;
    let maps = manager.informers().informer::<ConfigMap>();
    let api = Api::<ConfigMap>::default_namespaced(manager.client());
    manager.controller(Controller::new("labeller", &maps).reconciler(move |request| {
        let api = api.clone();
        async move {
            let patch = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
            api.patch(request.key.name(), &PatchParams::default(), &patch).await?;
            Ok(Action::done())
        }
    }));
    let running = cluster.run(manager);
    let map = serde_json::from_value(json!({"metadata": {"name": "settings"}}))?;
    Api::<ConfigMap>::default_namespaced(cluster.client()).create(&PostParams::default(), &map).await?;
    cluster.until_idle().await;
    running.stop().await?;
    print!("{}", cluster.requests().permissions().manifest("labeller"));
    Ok(())
}
