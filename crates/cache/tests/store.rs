//! The guarantees of a store. Ids such as ST-T1 name client-go's tests: docs/upstream-behaviours.md.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use trimtab_cache::{
    Change, Index, Metadata, Object, ObjectKey, Selector, Store, StoreWriter, controller_uid,
};

fn pod(name: &str, version: &str, labels: &[(&str, &str)]) -> Pod {
    let labels: serde_json::Value =
        labels.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    serde_json::from_value(json!({"metadata": {
        "namespace": "default", "name": name, "uid": format!("uid-{name}"), "resourceVersion": version, "labels": labels,
    }}))
    .expect("a Pod")
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

fn names(objects: &[Arc<Pod>]) -> BTreeSet<&str> {
    objects.iter().map(|object| object.metadata().name()).collect()
}

/// The values in the label `users`, separated by dots.
fn by_user(store: &Store<Pod>) -> Index<Pod, String> {
    store.add_index("users", |pod: &Pod| -> Vec<String> {
        pod.metadata()
            .label("users")
            .into_iter()
            .flat_map(|users| users.split('.'))
            .map(str::to_owned)
            .collect()
    })
}

/// ST-T1.
#[test]
fn an_object_can_be_added_read_replaced_and_deleted() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    assert!(matches!(writer.apply(pod("a", "1", &[])), Change::Added(_)));
    assert!(matches!(writer.apply(pod("b", "2", &[])), Change::Added(_)));
    let first = store.get(&key("a")).unwrap();
    let Change::Updated { old, new } = writer.apply(pod("a", "3", &[])) else { panic!("an update") };
    assert!(Arc::ptr_eq(&old, &first) && Arc::ptr_eq(&new, &store.get(&key("a")).unwrap()));
    assert_eq!(names(&store.list()), ["a", "b"].into());

    let Some(Change::Deleted(seen)) = writer.delete(&key("a"), Some(pod("a", "4", &[]))) else { panic!() };
    assert_eq!((seen.object.metadata().resource_version(), seen.final_state_unknown), ("4", false));
    let Some(Change::Deleted(unseen)) = writer.delete(&key("b"), None) else { panic!() };
    assert_eq!((unseen.object.metadata().resource_version(), unseen.final_state_unknown), ("2", true));
    assert!(writer.delete(&key("a"), None).is_none(), "a missing key is fine");
    assert!(store.is_empty() && store.get(&key("a")).is_none() && store.keys().is_empty());
}

/// ST-T3.
#[test]
fn index_values_are_listed_once_each() {
    let mut writer = StoreWriter::new();
    let index = by_user(writer.store());
    writer.apply(pod("one", "1", &[("users", "ernie.bert")]));
    writer.apply(pod("two", "2", &[("users", "bert.oscar")]));
    writer.apply(pod("three", "3", &[("users", "ernie.elmo.elmo")]));
    let mut values = index.values();
    values.sort();
    assert_eq!(values, ["bert", "elmo", "ernie", "oscar"]);
    assert_eq!(names(&index.get("ernie")), ["one", "three"].into());
    assert_eq!(index.count("elmo"), 1, "an object that names a value twice is there once");
    assert!(index.get("nobody").is_empty());
}

/// ST-T4, ST-T6 and ST-T7.
#[test]
fn a_value_that_an_object_no_longer_has_does_not_find_it() {
    let mut writer = StoreWriter::new();
    let index = by_user(writer.store());
    let expect = |pairs: &[(&str, &[&str])]| {
        for (user, expected) in pairs {
            assert_eq!(names(&index.get(*user)), expected.iter().copied().collect(), "{user}");
        }
        assert_eq!(index.values().len(), pairs.iter().filter(|(_, pods)| !pods.is_empty()).count());
    };
    writer.apply(pod("one", "1", &[("users", "a.b")]));
    writer.apply(pod("two", "2", &[("users", "b")]));
    expect(&[("a", &["one"]), ("b", &["one", "two"])]);
    writer.apply(pod("one", "3", &[("users", "c.b")]));
    expect(&[("a", &[]), ("b", &["one", "two"]), ("c", &["one"])]);
    writer.apply(pod("two", "4", &[("users", "")]));
    expect(&[("b", &["one"]), ("c", &["one"]), ("", &["two"])]);
    writer.apply(pod("two", "5", &[]));
    expect(&[("b", &["one"]), ("c", &["one"]), ("", &[])]);
    writer.delete(&key("one"), None);
    expect(&[("b", &[]), ("c", &[])]);
}

/// ST-T5 and guarantee 5.
#[test]
fn index_values_that_no_object_has_any_more_take_no_memory() {
    let mut writer = StoreWriter::new();
    let index = by_user(writer.store());
    for round in 0..100 {
        writer.apply(pod("one", "1", &[("users", &format!("user-{round}"))]));
    }
    assert_eq!(index.values(), ["user-99"]);
    writer.delete(&key("one"), None);
    assert!(index.values().is_empty());
}

/// ST-T2 and SI-T1.
#[test]
fn an_index_added_later_finds_the_objects_that_were_there() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let early = by_user(&store);
    writer.apply(pod("one", "1", &[("users", "a")]));
    let late = by_user(&store);
    writer.apply(pod("two", "2", &[("users", "a")]));
    assert_eq!(names(&early.get("a")), names(&late.get("a")));
    assert_eq!(store.index_names(), ["users", "users"]);
    writer.replace(vec![pod("three", "3", &[("users", "a.b")])], "9");
    for index in [early, late] {
        assert_eq!(index.keys("a"), [key("three")]);
        assert_eq!(index.keys("b"), [key("three")]);
    }
}

/// Guarantee 4; in client-go an index function that fails panics the process.
#[test]
fn an_index_function_that_panics_costs_only_its_own_index_that_object() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let fragile = store.add_index("fragile", |pod: &Pod| {
        assert_ne!(pod.metadata().name(), "bad");
        ["all"]
    });
    let sound = store.add_index("sound", |_: &Pod| ["all"]);
    for name in ["good", "bad"] {
        writer.apply(pod(name, "1", &[]));
    }
    assert_eq!(names(&fragile.get("all")), ["good"].into());
    assert_eq!(names(&sound.get("all")), ["good", "bad"].into());
    writer.delete(&key("bad"), None);
    assert_eq!((store.len(), sound.count("all"), fragile.count("all")), (1, 1, 1));
}

/// ST-T8.
#[test]
fn the_resource_version_is_that_of_the_last_write() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let expect = |version: Option<&str>| assert_eq!(store.resource_version().as_deref(), version);
    expect(None);
    writer.apply(pod("a", "10", &[]));
    expect(Some("10"));
    writer.apply(pod("a", "20", &[]));
    writer.delete(&key("a"), Some(pod("a", "30", &[])));
    expect(Some("30"));
    writer.apply(pod("a", "", &[])); // an object that has no version
    expect(Some("30"));
    writer.bookmark("40");
    writer.delete(&key("a"), None);
    expect(Some("40"));
    writer.replace(vec![pod("b", "15", &[])], "50");
    expect(Some("50"));
}

/// Guarantees 2 and 3; CT-T7.
#[test]
fn a_replacement_returns_exactly_what_it_changed_deletions_first() {
    let mut writer = StoreWriter::new();
    for name in ["same", "newer", "gone", "reborn"] {
        writer.apply(pod(name, "1", &[]));
    }
    let same = writer.store().get(&key("same")).unwrap();
    let mut reborn = pod("reborn", "1", &[]);
    reborn.metadata.uid = Some("another".to_owned());
    let changes = writer.replace(
        vec![
            pod("new", "7", &[]),
            pod("same", "1", &[]),
            pod("newer", "8", &[]),
            reborn,
            pod("new", "9", &[]),
        ],
        "10",
    );

    let told: Vec<String> = changes
        .iter()
        .map(|change| match change {
            Change::Added(new) => format!("+{} {}", new.key(), new.metadata().resource_version()),
            Change::Updated { old, new } => {
                format!("{} {}>{}", new.key(), old.metadata().uid(), new.metadata().uid())
            }
            Change::Deleted(last) => format!("-{} {}", last.key, last.final_state_unknown),
            Change::Undecodable(one) | Change::UndecodableDeleted(one) => format!("?{}", one.key()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "-default/gone true",
            "+default/new 9", // the later of two with one key
            "default/newer uid-newer>uid-newer",
            "default/reborn uid-reborn>another",
        ]
    );
    assert!(Arc::ptr_eq(&same, &writer.store().get(&key("same")).unwrap()), "an unchanged object is reused");
    assert_eq!(writer.store().len(), 4);
}

#[test]
fn a_replacement_under_way_changes_nothing_and_can_keep_what_cannot_be_read() {
    let mut writer = StoreWriter::new();
    for name in ["unreadable", "gone"] {
        writer.apply(pod(name, "1", &[]));
    }
    let mut replacement = writer.replacement();
    assert!(replacement.keep(&key("unreadable")));
    assert!(!replacement.keep(&key("never-seen")));
    replacement.apply(pod("mistake", "2", &[]));
    replacement.remove(&key("mistake"));
    assert_eq!((replacement.len(), writer.store().len()), (1, 2));
    let changes = writer.commit(replacement, "3");
    assert!(matches!(&changes[..], [Change::Deleted(last)] if last.key == key("gone")));
    assert_eq!(writer.store().keys(), [key("unreadable")]);
}

/// LI-T1.
#[test]
fn objects_are_selected_by_namespace_and_labels() {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    for (namespace, name, app) in [("x", "a", "web"), ("x", "b", "db"), ("y", "a", "web")] {
        let mut pod = pod(name, "1", &[("app", app)]);
        pod.metadata.namespace = Some(namespace.to_owned());
        writer.apply(pod);
    }
    let web: Selector = "app=web".parse().unwrap();
    let count = |namespace, selector: &Selector| store.select(namespace, selector).len();
    assert_eq!([count(None, &web), count(Some("x"), &web), count(Some("z"), &web)], [2, 1, 0]);
    assert_eq!([count(Some(""), &web), count(Some("x"), &Selector::everything())], [2, 2]);
    assert_eq!(count(None, &Selector::nothing()), 0);
    assert_eq!([store.in_namespace("x").len(), store.in_namespace("").len()], [2, 3]);
    for name in ["a", "b"] {
        writer.delete(&ObjectKey::namespaced("x", name), None);
    }
    assert!(store.in_namespace("x").is_empty());
}

#[test]
fn dependents_are_found_by_the_uid_of_their_controller() {
    let mut writer = StoreWriter::new();
    let by_owner = writer.store().add_index("owner", controller_uid);
    let owned = |name: &str, controller: bool| -> Pod {
        serde_json::from_value(json!({"metadata": {"name": name, "ownerReferences": [
            {"apiVersion": "v1", "kind": "X", "name": "other", "uid": "other"},
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "set", "controller": controller},
        ]}}))
        .unwrap()
    };
    writer.apply(owned("managed", true));
    writer.apply(owned("merely-owned", false));
    assert_eq!(names(&by_owner.get("set")), ["managed"].into());
    assert!(by_owner.get("other").is_empty());
}

/// KN-T3, KN-T4.
#[test]
fn a_tombstone_has_the_key_of_the_object_that_lived() {
    let mut writer = StoreWriter::new();
    for told in [None, Some(pod("a", "2", &[]))] {
        let live = pod("a", "1", &[]);
        let live_key = live.key();
        writer.apply(live);
        let state = if told.is_some() { "2" } else { "1" };
        let Some(Change::Deleted(last)) = writer.delete(&key("a"), told) else { panic!("a deletion") };
        assert_eq!((last.key, last.object.key()), (live_key.clone(), live_key));
        assert_eq!(last.object.metadata().resource_version(), state);
    }
}

/// Guarantee 1, with readers during writes. Fails if `StoreWriter::apply` calls `store`
/// after `write`, without the lock.
#[test]
fn readers_never_see_an_object_under_a_value_that_it_does_not_have() {
    let mut writer = StoreWriter::new();
    let index = by_user(writer.store());
    writer.apply(pod("one", "0", &[("users", "0")]));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    for user in ["0", "1"] {
                        for found in index.get(user) {
                            assert_eq!(found.metadata().label("users"), Some(user));
                        }
                    }
                }
            });
        }
        for round in 1..5_000 {
            writer.apply(pod("one", &round.to_string(), &[("users", &(round % 2).to_string())]));
            if round % 100 == 0 {
                writer.replace(vec![pod("one", "x", &[("users", "1")])], "x");
            }
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}

#[test]
fn a_store_fed_from_several_places_has_the_version_of_the_last_bookmark() {
    let mut writer = StoreWriter::by_bookmark();
    writer.apply(pod("a", "10", &[]));
    assert_eq!(writer.store().resource_version(), None);
    writer.bookmark("5");
    writer.apply(pod("a", "11", &[]));
    writer.delete(&key("a"), Some(pod("a", "12", &[])));
    writer.replace(vec![pod("b", "13", &[])], "20");
    assert_eq!(writer.store().resource_version().as_deref(), Some("5"));
}
