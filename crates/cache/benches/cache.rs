//! The cost of finding objects in a store, of changing an object with three indexes, and of storing objects.
//!
//! `cargo xtask bench cache` runs this beside its peers: 100,000 objects of 400 namespaces, 10,000 owners, 500
//! nodes and 100 apps. Each measurement is the CPU time of one thread, a reader or the writer.

use std::{hint::black_box, sync::Arc};

use k8s_openapi::{
    api::core::v1::ConfigMap,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use trimtab_cache::{Index, Metadata, Object, Selector, StoreWriter, controller_uid};
use trimtab_test_support::{
    bench::{report_lower, run_selected},
    process::{resident_bytes, thread_cpu},
};

const OBJECTS: usize = 100_000;
const ROUNDS: usize = 21;
const BATCH: usize = 100;

fn main() {
    run_selected(&[("find", find), ("update", update), ("snapshot", snapshot)]);
}

/// The memory of stored objects, and the time to find some. It runs first, because it measures the memory of the process.
fn find() {
    let objects: Vec<_> = (0..OBJECTS).map(|number| object(number, 0)).collect();
    let mut writer = StoreWriter::new();
    let before = resident_bytes();
    let store = writer.store().clone();
    let _indexes = add_indexes(&writer);
    for object in &objects {
        writer.apply(object.clone());
    }
    report_lower("cache/overhead", "bytes", resident_bytes().saturating_sub(before) as f64 / OBJECTS as f64);

    let by_app =
        store.add_index("app", |object: &ConfigMap| object.metadata().label("app").map(str::to_owned));
    let get = || assert_eq!(black_box(by_app.get("app-7")).len(), OBJECTS / 100);
    report_lower("cache/index-1pct", "µs", median(get) / 1e3);

    let selector: Selector = "app=app-7".parse().expect("a selector");
    let select = || assert_eq!(black_box(store.select(None, &selector)).len(), OBJECTS / 100);
    report_lower("cache/label-1pct/scan", "µs", median(select) / 1e3);
    store.add_label_index("app");
    report_lower("cache/label-1pct", "µs", median(select) / 1e3);
}

fn update() {
    report_lower("cache/update-3-indexes", "ns", updates(false));
    report_lower("cache/update-3-indexes/after-snapshot", "ns", updates(true));
}

fn snapshot() {
    let mut writer = StoreWriter::<ConfigMap>::new();
    for number in 0..OBJECTS {
        writer.apply(object(number, 0));
    }
    let take = || (0..1_000).for_each(|_| drop(black_box(writer.store().snapshot())));
    report_lower("cache/snapshot", "ns", median(take) / 1e3);
}

/// Nanoseconds per update. The object's node changes; its namespace and its owner stay. The new object is freshly built,
/// as if decoded; the time to drop the old one does not count. With `snapshots`, a snapshot before each update makes the
/// update copy the parts that it changes.
fn updates(snapshots: bool) -> f64 {
    let mut writer = StoreWriter::new();
    let _indexes = add_indexes(&writer);
    for number in 0..OBJECTS {
        writer.apply(object(number, 0));
    }
    let count = if snapshots { OBJECTS / 100 } else { OBJECTS };
    let mut spent = 0.0;
    for batch in 0..count / BATCH {
        let steps = batch * BATCH..(batch + 1) * BATCH;
        let new: Vec<_> = steps.map(|step| object(step * 7_919 % OBJECTS, 1)).collect();
        let mut old = Vec::with_capacity(BATCH);
        let begun = thread_cpu();
        for object in new {
            let held = snapshots.then(|| writer.store().snapshot());
            old.push(writer.apply(object));
            drop(held);
        }
        spent += (thread_cpu() - begun).as_secs_f64() * 1e9;
        black_box(old);
    }
    spent / count as f64
}

type Indexes = [Index<ConfigMap, String>; 3];

fn add_indexes(writer: &StoreWriter<ConfigMap>) -> Indexes {
    let label =
        |label: &'static str| move |object: &ConfigMap| object.metadata().label(label).map(str::to_owned);
    let store = writer.store();
    [
        store.add_index("namespace", |object: &ConfigMap| object.metadata().namespace().map(str::to_owned)),
        store.add_index("owner", controller_uid),
        store.add_index("node", label("node")),
    ]
}

fn object(number: usize, round: usize) -> Arc<ConfigMap> {
    let owner = number / 10;
    let labels = [
        ("app", format!("app-{}", number % 100)),
        (
            "node",
            format!("ip-10-20-{}-{}.internal", (number + round) % 500 / 200, (number + round) % 500 % 200),
        ),
        ("pod-template-hash", format!("{owner:010x}")),
    ];
    let metadata = ObjectMeta {
        namespace: Some(format!("shop-{:05}", number / 250)),
        name: Some(format!("shop-checkout-{owner:010x}-{number:05x}")),
        uid: Some(format!("{number:08x}-0000-4000-8000-{number:012x}")),
        resource_version: Some((1_000_000 + number + round * OBJECTS).to_string()),
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
    Arc::new(ConfigMap { metadata, ..ConfigMap::default() })
}

/// The median of many runs, in nanoseconds.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begun = thread_cpu();
            run();
            (thread_cpu() - begun).as_secs_f64() * 1e9
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
