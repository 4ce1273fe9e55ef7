//! How many Pods of 4 KB does one core create, and how many of their labels does it patch, in a second?
//! The client is in the process, too: what it does to write and to read objects counts.

use crate::measure::one_thread;
use crate::pods::{name, pods};
use k8s_openapi::api::core::v1::Pod;
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::ApiServer;
use trimtab_test_support::{
    bench::{quick, report_higher},
    process::cpu,
};

/// Creates that many Pods, and measures nothing.
pub(crate) fn create(count: usize) {
    let mut pod = pods(1).remove(0);
    one_thread().block_on(async {
        let server = ApiServer::start();
        let api: Api<Pod> = Api::default_namespaced(server.client());
        for number in 0..count {
            pod.metadata.name = Some(name(number));
            api.create(&PostParams::default(), &pod).await.expect("created");
        }
    });
}

/// Prints writes per second of one core.
pub(crate) fn run() {
    let count = if quick() { 5_000 } else { 20_000 };
    let objects = pods(count);
    one_thread().block_on(async {
        let server = ApiServer::start();
        let api: Api<Pod> = Api::default_namespaced(server.client());

        let before = cpu();
        for pod in &objects {
            api.create(&PostParams::default(), pod).await.expect("created");
        }
        report_higher("apiserver/creates", "per s", count as f64 / (cpu() - before).as_secs_f64());

        let version = server.resource_version();
        let before = cpu();
        for number in 0..count {
            let patch = Patch::Merge(json!({"metadata": {"labels": {"turn": number.to_string()}}}));
            // A stride, so that no Pod is patched that was written a moment ago.
            let name = name(number * 7919 % count);
            api.patch(&name, &PatchParams::default(), &patch).await.expect("patched");
        }
        report_higher("apiserver/patches", "per s", count as f64 / (cpu() - before).as_secs_f64());
        assert_eq!(server.resource_version(), version + count as u64, "each patch is one commit");
    });
}
