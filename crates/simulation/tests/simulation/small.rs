//! Small processes and their scenarios.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Client,
    api::{Patch, PatchParams, PostParams, WatchEvent, WatchParams},
};
use serde_json::json;
use tokio::time::sleep;
use trimtab_simulation::{FaultMix, Process, Scenario};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn maps(client: Client) -> Api<ConfigMap> {
    Api::default_namespaced(client)
}

pub(crate) fn map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap")
}

/// Creates a map and counts in it, once a second, up to `count`. Requests that fail are tried again a second later.
pub(crate) async fn counter(process: Process, count: u32) -> Result<(), String> {
    let maps = maps(process.client());
    let mut done = 0;
    while done < count {
        let patch = json!({"data": {"count": done.to_string()}});
        let created = maps.create(&PostParams::default(), &map("counter")).await;
        let exists =
            created.is_ok() || matches!(created, Err(kube_client::Error::Api(status)) if status.code == 409);
        if exists && maps.patch("counter", &PatchParams::default(), &Patch::Merge(patch)).await.is_ok() {
            done += 1;
        }
        sleep(SECOND).await;
    }
    std::future::pending().await
}

/// Follows all maps, and writes the name of each that it sees into the annotations of `log`. Starts again on every error.
pub(crate) async fn follower(process: Process) -> Result<(), String> {
    use futures_util::StreamExt;
    let maps = maps(process.client());
    loop {
        let Ok(watch) = maps.watch(&WatchParams::default(), "0").await else {
            sleep(SECOND).await;
            continue;
        };
        let mut watch = std::pin::pin!(watch);
        while let Some(Ok(event)) = watch.next().await {
            if let WatchEvent::Added(seen) = event {
                let name = seen.metadata.name.unwrap_or_default();
                let patch = json!({"metadata": {"annotations": {name: "seen"}}});
                maps.patch("log", &PatchParams::default(), &Patch::Merge(patch)).await.ok();
            }
        }
        sleep(SECOND).await;
    }
}

/// A counter that counts to five.
pub(crate) fn counting() -> Scenario {
    Scenario::new("counting").process("counter", |process| counter(process, 5)).eventually(
        "the counter has counted",
        60 * SECOND,
        |world| world.get("configmaps", "default", "counter").is_some_and(|map| map["data"]["count"] == "4"),
    )
}

/// Two counters and a follower: enough for races.
pub(crate) fn busy() -> Scenario {
    Scenario::new("busy")
        .manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: log}}")
        .process("counter", |process| counter(process, 5))
        .process("rival", |process| counter(process, 5))
        .process("follower", follower)
        .faults(FaultMix::environment())
}
