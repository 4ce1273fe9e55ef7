//! kube-runtime's reflector store in our store's benchmark, as far as it supports it: it has no indexes, so a lookup by
//! label reads all objects.

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::ObjectMeta;
use kube::runtime::reflector::{Store, store};
use kube::runtime::watcher::Event;
use peer_kube_runtime::report;
use std::hint::black_box;
use std::sync::Arc;

const OBJECTS: usize = 100_000;
const ROUNDS: usize = 21;

fn main() {
    let objects: Vec<_> = (0..OBJECTS).map(object).collect();
    let (reader, mut writer) = store::<ConfigMap>();
    writer.apply_watcher_event(&Event::Init);
    for object in objects {
        writer.apply_watcher_event(&Event::InitApply(object));
    }
    writer.apply_watcher_event(&Event::InitDone);

    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begun = cpu_ns();
            assert_eq!(black_box(with_label(&reader, "app", "app-7")).len(), OBJECTS / 100);
            cpu_ns() - begun
        })
        .collect();
    times.sort_by(f64::total_cmp);
    report("cache/label-1pct", "µs", times[ROUNDS / 2] / 1e3);
}

/// The CPU time of this thread, so that other programs do not count.
fn cpu_ns() -> f64 {
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64
}

fn with_label(reader: &Store<ConfigMap>, key: &str, value: &str) -> Vec<Arc<ConfigMap>> {
    let has = |object: &Arc<ConfigMap>| {
        object.metadata.labels.as_ref().and_then(|labels| labels.get(key)).is_some_and(|held| held == value)
    };
    reader.state().into_iter().filter(has).collect()
}

fn object(number: usize) -> ConfigMap {
    let owner = number / 10;
    let labels = [
        ("app", format!("app-{}", number % 100)),
        ("node", format!("ip-10-20-{}-{}.internal", number % 500 / 200, number % 500 % 200)),
        ("pod-template-hash", format!("{owner:010x}")),
    ];
    let metadata = ObjectMeta {
        namespace: Some(format!("shop-{:05}", number / 250)),
        name: Some(format!("shop-checkout-{owner:010x}-{number:05x}")),
        uid: Some(format!("{number:08x}-0000-4000-8000-{number:012x}")),
        resource_version: Some((1_000_000 + number).to_string()),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
        owner_references: Some(vec![OwnerReference {
            api_version: "apps/v1".to_owned(),
            kind: "ReplicaSet".to_owned(),
            name: format!("shop-checkout-{owner:010x}"),
            uid: format!("{owner:08x}-1111-4000-8000-{owner:012x}"),
            controller: Some(true),
            ..OwnerReference::default()
        }]),
        ..ObjectMeta::default()
    };
    ConfigMap { metadata, ..ConfigMap::default() }
}
