use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Error,
    api::{ListParams, PostParams},
};
use trimtab_simulation::{OnEnd, Process, Scenario, Simulation};

/// The controller of the README.
async fn controller(process: Process) -> Result<(), Error> {
    let maps: Api<ConfigMap> = Api::default_namespaced(process.client());
    loop {
        let seen = maps.list(&ListParams::default().match_any()).await?;
        for _ in seen.items.len()..3 {
            let map = serde_json::from_value(serde_json::json!({"metadata": {"generateName": "map-"}}));
            maps.create(&PostParams::default(), &map.map_err(Error::SerdeError)?).await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The README shows exactly the printed report.
#[test]
fn the_bug_in_the_readme_is_found() {
    let scenario = Scenario::new("three maps")
        .process("controller", controller)
        .on_end(OnEnd::Restart(Duration::from_secs(1)))
        .always("never more than three", |world| world.objects("configmaps").count() <= 3);
    let report = Simulation::new(scenario).run().to_string();
    assert!(
        include_str!("../../README.md").contains(report.trim_end()),
        "the README shows another report:\n{report}"
    );
}
