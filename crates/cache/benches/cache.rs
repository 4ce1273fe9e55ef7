//! What it costs to find objects in a store, to change one that is indexed three times, and to hold them.
//!
//! `cargo xtask bench cache` runs this beside its peers: 100,000 objects of 400 namespaces, 10,000 owners, 500
//! nodes and 100 apps. Every question is one of readers or of the writer alone, on one thread.

use std::{fs, hint::black_box, sync::Arc};

use k8s_openapi::{
    api::core::v1::ConfigMap,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use tokio::time::{Duration, Instant};
use trimtab_cache::{Index, Metadata, Object, Selector, StoreWriter, controller_uid};

const OBJECTS: usize = 100_000;
const ROUNDS: usize = 21;

fn main() {
    let objects: Vec<_> = (0..OBJECTS).map(|number| object(number, 0)).collect();
    let mut writer = StoreWriter::new();
    let before = resident();
    let store = writer.store().clone();
    let indexes = add_indexes(&writer);
    for object in &objects {
        writer.apply(object.clone());
    }
    let held = resident().saturating_sub(before);
    report("overhead", "bytes", held as f64 / OBJECTS as f64);

    let by_app =
        store.add_index("app", |object: &ConfigMap| object.metadata().label("app").map(str::to_owned));
    let found = median(|| assert_eq!(black_box(by_app.get("app-7")).len(), OBJECTS / 100));
    report("index-1pct", "µs", found.as_nanos() as f64 / 1e3);
    drop(by_app);

    let selector: Selector = "app=app-7".parse().expect("a selector");
    let select = || assert_eq!(black_box(store.select(None, &selector)).len(), OBJECTS / 100);
    let scanned = median(select);
    report("label-1pct/scan", "µs", scanned.as_nanos() as f64 / 1e3);
    store.add_label_index("app");
    let selected = median(select);
    report("label-1pct", "µs", selected.as_nanos() as f64 / 1e3);
    drop((store, writer, indexes));

    report("update-3-indexes", "ns", updates(false));
    report("update-3-indexes/after-snapshot", "ns", updates(true));

    let mut writer = StoreWriter::<ConfigMap>::new();
    writer.replace(objects.iter().map(|object| (**object).clone()).collect(), "1");
    let taken = median(|| drop(black_box(writer.store().snapshot())));
    report("snapshot", "ns", taken.as_nanos() as f64);
}

/// Nanoseconds for each update: the object's node changes, its namespace and its owner stay. With a snapshot taken
/// before each, every update copies what it changes.
fn updates(snapshots: bool) -> f64 {
    let mut writer = StoreWriter::new();
    let _indexes = add_indexes(&writer);
    for number in 0..OBJECTS {
        writer.apply(object(number, 0));
    }
    let rounds = 1..=5;
    let mut times: Vec<_> = rounds
        .map(|round| {
            let count = if snapshots { OBJECTS / 100 } else { OBJECTS };
            let new: Vec<_> = (0..count).map(|step| object(step * 7_919 % OBJECTS, round)).collect();
            let begun = Instant::now();
            for object in new {
                let held = snapshots.then(|| writer.store().snapshot());
                black_box(writer.apply(object));
                drop(held);
            }
            begun.elapsed().as_nanos() as f64 / count as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
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

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

/// The process's resident memory in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}

fn report(question: &str, unit: &str, value: f64) {
    let bench = format!("cache/{question}");
    println!("{}", serde_json::json!({"bench": bench, "unit": unit, "better": "lower", "value": value}));
}
