//! Reading a store while it is written: snapshots, selection by a label index, waiting.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use tokio::time::{Duration, timeout};
use trimtab_cache::{Metadata, Object, ObjectKey, ResourceVersion, StoreWriter};

fn object(name: &str, version: usize, labels: &[(&str, &str)]) -> ConfigMap {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ConfigMap {
        metadata: ObjectMeta {
            namespace: Some("default".to_owned()),
            name: Some(name.to_owned()),
            resource_version: Some(version.to_string()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

/// Guarantee 6.
#[test]
fn a_snapshot_stays_as_it_was_whatever_is_written() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let by_app = store.add_label_index("app");
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        writer.apply(object(name, number + 1, &[("app", "web")]));
    }
    let snapshot = store.snapshot();
    let late = store.add_index("late", |_: &ConfigMap| ["all"]);
    writer.apply(object("a", 4, &[("app", "shop")]));
    writer.delete(&key("b"), None);
    writer.apply(object("d", 5, &[("app", "web")]));
    writer.replace(vec![object("e", 6, &[])], "7");

    let names = |objects: Vec<&Arc<ConfigMap>>| -> BTreeSet<String> {
        objects.iter().map(|object| object.metadata().name().to_owned()).collect()
    };
    let all = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(names(snapshot.iter().collect()), all);
    assert_eq!(names(snapshot.in_namespace("default").collect()), all);
    assert_eq!(names(snapshot.select(None, &"app=web".parse().unwrap()).collect()), all);
    assert_eq!(names(snapshot.indexed(&by_app, "web").collect()), all);
    assert_eq!((snapshot.len(), snapshot.keys().count(), snapshot.is_empty()), (3, 3, false));
    assert_eq!(snapshot.resource_version(), Some("3"));
    assert_eq!(snapshot.get(&key("a")).unwrap().metadata().resource_version(), "1");
    assert!(snapshot.contains(&key("b")) && !snapshot.contains(&key("d")));
    assert_eq!(snapshot.indexed(&late, "all").count(), 0, "the index was added later");
    assert_eq!((store.len(), late.count("all"), by_app.count("web")), (1, 1, 0));
}

#[test]
#[should_panic(expected = "belongs to another store")]
fn an_index_of_another_store_is_not_taken_for_one_of_a_snapshot() {
    let (one, other) = (StoreWriter::<ConfigMap>::new(), StoreWriter::<ConfigMap>::new());
    let index = one.store().add_label_index("app");
    let _ = other.store().snapshot().indexed(&index, "web").count();
}

/// LI-T1, by index.
#[test]
fn selectors_that_demand_a_value_of_an_indexed_label_find_what_a_scan_finds() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    for number in 0..1_000 {
        let (app, tier) = (format!("app-{}", number % 10), if number % 2 == 0 { "front" } else { "back" });
        let mut object = object(&number.to_string(), number, &[("app", &app), ("tier", tier)]);
        object.metadata.namespace = (number % 3 > 0).then(|| format!("n{}", number % 3));
        writer.apply(object);
    }
    let selectors =
        ["app=app-3", "app in (app-1,app-2,app-1)", "app=app-3,tier=back", "tier=front,app=app-3"];
    let found = |selector: &str| -> Vec<BTreeSet<ObjectKey>> {
        let namespaces = [None, Some(""), Some("n1"), Some("nowhere")];
        let selector = selector.parse().unwrap();
        let found = namespaces.map(|namespace| store.select(namespace, &selector));
        found.map(|objects| objects.iter().map(|object| object.key()).collect()).into()
    };
    let scanned = selectors.map(found);
    assert_eq!(scanned.each_ref().map(|found| found[0].len()), [100, 200, 100, 0]);
    let index = store.add_label_index("app");
    assert_eq!(selectors.map(found), scanned);
    assert_eq!(store.add_label_index("app").count("app-3"), index.count("app-3"));
    assert_eq!(store.index_names(), ["app"], "the same label has one index");
    assert!(store.select(None, &trimtab_cache::Selector::nothing()).is_empty());
}

/// Guarantee 1, with indexes that are added during lists. Fails if `StoreWriter::commit` does not build the indexes that
/// are younger than the list.
#[test]
fn indexes_that_are_added_beside_relists_find_every_object() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let round = |object: &ConfigMap| object.metadata().label("round").map(str::to_owned);
    let (added, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while added.load(Ordering::SeqCst) < 50 {
                let index = store.add_index("round", round);
                for _ in 0..20 {
                    let snapshot = store.snapshot();
                    let rounds: BTreeSet<_> = snapshot.iter().filter_map(|object| round(object)).collect();
                    let found: usize =
                        rounds.iter().map(|round| snapshot.indexed(&index, round).count()).sum();
                    assert_eq!(found, snapshot.len());
                }
                added.fetch_add(1, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut number = 0;
        while !done.load(Ordering::SeqCst) {
            number += 1;
            let of_round = |name: usize| object(&name.to_string(), number, &[("round", &number.to_string())]);
            let mut replacement = writer.replacement();
            (number % 7..20).for_each(|name| replacement.apply(of_round(name)));
            writer.apply(of_round(30)); // the store goes on meanwhile; the list knows better
            writer.commit(replacement, &number.to_string());
            assert_eq!(store.len(), 20 - number % 7);
        }
    });
}

/// Guarantee 1, with snapshots during writes. Fails if `store` in `StoreWriter::apply` has a `write` of its own.
#[test]
fn in_every_snapshot_objects_indexes_and_version_agree() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let by_round = store.add_label_index("round");
    let at = |round: usize| -> Vec<ConfigMap> {
        let objects =
            (0..20).map(|number| object(&number.to_string(), round, &[("round", &round.to_string())]));
        objects.collect()
    };
    writer.replace(at(0), "0");
    let (done, taken) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let snapshot = store.snapshot();
                    let mut found = 0;
                    for round in snapshot
                        .iter()
                        .map(|object| object.metadata().label("round").unwrap())
                        .collect::<BTreeSet<_>>()
                    {
                        let indexed: Vec<_> = snapshot.indexed(&by_round, round).collect();
                        assert!(indexed.iter().all(|object| object.metadata().label("round") == Some(round)));
                        found += indexed.len();
                    }
                    assert_eq!((found, snapshot.len()), (20, 20));
                    let newest = snapshot
                        .iter()
                        .map(|object| object.metadata().resource_version().parse::<usize>().unwrap())
                        .max();
                    assert_eq!(
                        newest.map(|newest| newest.to_string()).as_deref(),
                        snapshot.resource_version()
                    );
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut round = 0;
        while round < 300 || taken.load(Ordering::SeqCst) < 100 {
            round += 1;
            if round % 10 == 0 {
                writer.replace(at(round), &round.to_string()); // one step: nothing of it is seen alone
            } else {
                at(round).into_iter().for_each(|object| drop(writer.apply(object)));
            }
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_store_is_woken_by_the_write_that_it_waits_for() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let waiting = |condition: fn(&trimtab_cache::Store<ConfigMap>) -> bool| {
        let store = store.clone();
        tokio::spawn(async move { store.wait_for(condition).await })
    };
    let (some, none) = (waiting(|store| store.len() == 1), waiting(|store| store.contains(&key("b"))));
    let version: ResourceVersion = "10".parse().unwrap();
    let reached = tokio::spawn({
        let store = store.clone();
        async move { store.wait_until_at_least(version).await }
    });
    let a_moment = Duration::from_secs(1);
    tokio::time::sleep(a_moment).await;
    assert!(!some.is_finished() && !reached.is_finished());
    writer.apply(object("a", 9, &[]));
    some.await.unwrap();
    tokio::time::sleep(a_moment).await;
    assert!(!reached.is_finished(), "9 is older");
    writer.bookmark("10");
    reached.await.unwrap();
    writer.replace(vec![object("b", 11, &[])], "12");
    none.await.unwrap();
    store.wait_until_at_least(version).await; // at once: it is newer
    writer.delete(&key("b"), None);
    store.wait_for(trimtab_cache::Store::is_empty).await;
    writer.bookmark("not-a-number");
    let version = "99999".parse().unwrap();
    timeout(a_moment, store.wait_until_at_least(version))
        .await
        .expect("what cannot be compared counts as reached");
}

/// Guarantee 7: a write between the check of the condition and the wait. Fails if `wait_for` calls `notified` after the
/// check.
#[tokio::test(start_paused = true)]
async fn no_write_is_missed_by_whoever_waits_for_it() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let waits = store.wait_for(|store| {
        let is_there = !store.is_empty();
        if !is_there {
            writer.apply(object("a", 1, &[]));
        }
        is_there
    });
    timeout(Duration::from_secs(20), waits).await.expect("the write is seen");
}
