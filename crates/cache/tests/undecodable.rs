//! Objects that cannot be decoded: the store keeps their metadata, so that counts stay correct.

use k8s_openapi::api::core::v1::ConfigMap;
use serde::Deserialize;
use serde_json::json;
use trimtab_cache::{
    Change, Index, Json, ManagedFields, MetaView, Metadata, Object, ObjectKey, StoreWriter, Undecodable,
};

#[derive(Debug, Deserialize)]
struct View {
    metadata: MetaView,
    #[serde(default)]
    number: u8,
}

impl Object for View {
    type Kind = ConfigMap;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

fn text(name: &str, version: u32, owner: &str, number: &serde_json::Value) -> String {
    json!({
        "number": number,
        "metadata": {"namespace": "n", "name": name, "uid": format!("uid-{name}"),
            "resourceVersion": version.to_string(), "labels": {"app": owner},
            "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": owner, "uid": owner, "controller": true}]},
    })
    .to_string()
}

fn good(name: &str, version: u32, owner: &str) -> View {
    serde_json::from_str(&text(name, version, owner, &json!(7))).expect("a view")
}

fn bad(name: &str, version: u32, owner: &str) -> Undecodable {
    let text = text(name, version, owner, &json!("seven"));
    let error =
        View::decode(&mut Json::new(&text), ManagedFields::Dropped).expect_err("a field of the wrong type");
    Undecodable::read(&text, error).expect("readable metadata")
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("n", name)
}

/// The names under `owner`: objects, undecodable ones, all keys, and their number.
fn indexed(index: &Index<View, String>, owner: &str) -> (Vec<String>, Vec<String>, Vec<String>, usize) {
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    (
        sorted(index.get(owner).iter().map(|one| one.metadata.name.clone()).collect()),
        sorted(index.undecodable(owner).iter().map(|one| one.key().name().to_owned()).collect()),
        sorted(index.keys(owner).iter().map(|one| one.name().to_owned()).collect()),
        index.count(owner),
    )
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn by_owner(writer: &StoreWriter<View>) -> Index<View, String> {
    let uid = |metadata: &dyn Metadata| metadata.controller().map(|owner| owner.uid.clone());
    writer.store().add_metadata_index("owner", uid)
}

#[test]
fn an_object_that_was_never_decodable_is_counted_by_its_metadata() {
    let mut writer = StoreWriter::<View>::new();
    let store = writer.store().clone();
    let (index, by_label) = (by_owner(&writer), store.add_label_index("app"));
    let by_number = store.add_index("number", |one: &View| Some(one.number));
    writer.apply(good("a", 1, "x"));
    let [change] = &writer.apply_undecodable(bad("b", 2, "x"))[..] else { panic!("one change") };
    assert!(matches!(change, Change::Undecodable(one) if one.key() == &key("b")));
    assert_eq!(
        (change.key(), change.metadata().label("app"), change.object().is_none()),
        (key("b"), Some("x"), true)
    );

    assert_eq!(indexed(&index, "x"), (names(&["a"]), names(&["b"]), names(&["a", "b"]), 2));
    assert_eq!((by_label.count("x"), by_label.undecodable("x").len()), (2, 1));
    assert_eq!((by_number.count(&7), by_number.undecodable(&7).len()), (1, 0));
    assert_eq!((store.len(), store.undecodable().len()), (1, 1));
    let undecodable = store.get_undecodable(&key("b")).unwrap();
    assert!(undecodable.reason().contains("seven"), "{undecodable:?}");
    assert_eq!(undecodable.metadata().uid(), "uid-b");
    assert_eq!(store.resource_version().as_deref(), Some("2"));

    // It can be decoded again, and is new to the store.
    assert!(matches!(writer.apply(good("b", 3, "x")), Change::Added(_)));
    assert_eq!(indexed(&index, "x"), (names(&["a", "b"]), names(&[]), names(&["a", "b"]), 2));
    assert!(store.undecodable().is_empty());
}

#[test]
fn an_object_that_was_decodable_before_is_counted_once() {
    let mut writer = StoreWriter::<View>::new();
    let index = by_owner(&writer);
    writer.apply(good("a", 1, "x"));
    writer.apply_undecodable(bad("a", 2, "x"));
    assert_eq!(indexed(&index, "x"), (names(&["a"]), names(&["a"]), names(&["a"]), 1));
    assert_eq!(writer.store().get(&key("a")).unwrap().metadata.resource_version, "1");

    // The metadata is found under the new owner, and the last decoded state under the former.
    writer.apply_undecodable(bad("a", 3, "y"));
    assert_eq!(indexed(&index, "y"), (names(&[]), names(&["a"]), names(&["a"]), 1));
    assert_eq!(index.count("x"), 1);

    let change = writer.delete(&key("a"), None).unwrap();
    assert!(matches!(change, Change::Deleted(last) if last.final_state_unknown));
    assert!(writer.store().undecodable().is_empty() && index.count("x") + index.count("y") == 0);
}

#[test]
fn the_end_of_an_undecodable_object_has_a_tombstone_if_the_last_state_can_be_decoded() {
    let mut writer = StoreWriter::<View>::new();
    writer.apply_undecodable(bad("a", 1, "x"));
    writer.apply_undecodable(bad("b", 2, "x"));
    let change = writer.delete(&key("a"), Some(good("a", 3, "x"))).unwrap();
    assert!(matches!(change, Change::Deleted(last) if last.key == key("a") && !last.final_state_unknown));
    let change = writer.delete(&key("b"), None).unwrap();
    assert!(matches!(change, Change::UndecodableDeleted(last) if last.key() == &key("b")));
    assert!(writer.delete(&key("b"), Some(good("b", 4, "x"))).is_none());
    assert!(writer.store().undecodable().is_empty());
}

#[test]
fn a_replacement_has_exactly_its_own_undecodable_objects() {
    let mut writer = StoreWriter::<View>::new();
    let store = writer.store().clone();
    let index = by_owner(&writer);
    writer.apply(good("kept", 1, "x"));
    writer.apply_undecodable(bad("same", 2, "x"));
    writer.apply_undecodable(bad("gone", 3, "x"));
    writer.apply_undecodable(bad("good", 4, "x"));
    let before = store.get_undecodable(&key("same")).unwrap();

    let mut next = writer.replacement();
    next.apply_undecodable(bad("kept", 5, "x")); // keeps the earlier state
    next.apply_undecodable(bad("same", 2, "x"));
    next.apply_undecodable(bad("good", 4, "x"));
    next.apply(good("good", 6, "x")); // sent twice: the later one counts
    next.apply_undecodable(bad("removed", 7, "x"));
    next.remove(&key("removed"));
    let changes = writer.commit(next, "9");
    let told: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Added(new) => format!("+{}", new.metadata.name),
            Change::Undecodable(one) => format!("?{}", one.key().name()),
            Change::UndecodableDeleted(one) => format!("-?{}", one.key().name()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["-?gone", "+good", "?kept"]); // `same` is in the same state

    let undecodable: Vec<_> = store.undecodable().iter().map(|one| one.key().name().to_owned()).collect();
    assert_eq!(undecodable, ["kept", "same"]);
    assert!(std::sync::Arc::ptr_eq(&before, &store.get_undecodable(&key("same")).unwrap()));
    assert_eq!(indexed(&index, "x").2, names(&["good", "kept", "same"]));

    // Objects of another source are not changed.
    let mut next = writer.replacement();
    assert!(next.keep(&key("kept")) && next.keep(&key("same")) && !next.keep(&key("gone")));
    writer.commit(next, "10");
    assert_eq!((store.len(), store.undecodable().len()), (1, 2));
}

#[test]
fn a_snapshot_keeps_the_undecodable_objects_of_its_moment() {
    let mut writer = StoreWriter::<View>::new();
    let index = by_owner(&writer);
    writer.apply_undecodable(bad("a", 1, "x"));
    let snapshot = writer.store().snapshot();
    writer.apply(good("a", 2, "x"));
    assert_eq!((snapshot.undecodable().count(), snapshot.indexed_undecodable(&index, "x").count()), (1, 1));
    assert_eq!((snapshot.len(), writer.store().undecodable().len()), (0, 0));
}

#[test]
fn an_index_function_that_panics_at_metadata_loses_that_object_only() {
    let mut writer = StoreWriter::<View>::new();
    let index = writer.store().add_metadata_index("name", |metadata| {
        assert_ne!(metadata.name(), "odd", "a bug in an index function");
        ["all"]
    });
    for name in ["a", "odd", "b"] {
        writer.apply_undecodable(bad(name, 1, "x"));
    }
    let found = index.undecodable("all");
    assert_eq!(found.iter().map(|one| one.key().name()).collect::<Vec<_>>(), ["a", "b"]);
}

/// A common value for *never*, which jiff cannot represent.
#[test]
fn a_time_at_the_end_of_the_year_9999_is_read_in_the_metadata_of_a_view() {
    let text = r#"{"metadata":{"name":"a","deletionTimestamp":"9999-12-31T23:59:59Z"}}"#;
    let view: View = serde_json::from_str(text).unwrap();
    assert_eq!(view.metadata().deletion_timestamp().unwrap().to_string(), "9999-12-31T23:59:59Z");
    serde_json::from_str::<ConfigMap>(text).unwrap_err(); // k8s_openapi's range ends before
}

/// A namesake that came later is another object: the earlier state must not stand for it.
#[test]
fn an_undecodable_state_with_another_uid_ends_the_object_before_it() {
    let mut writer = StoreWriter::<View>::new();
    let index = by_owner(&writer);
    let store = writer.store().clone();
    let later = |name: &str| {
        let text = text(name, 9, "x", &json!("seven")).replace(&format!("uid-{name}"), "uid-later");
        Undecodable::read(&text, "a reason").expect("readable metadata")
    };
    let told = |changes: &[Change<View>]| -> Vec<_> {
        let uid = |change: &Change<View>| change.metadata().uid().to_owned();
        changes
            .iter()
            .map(|change| match change {
                Change::Deleted(last) => {
                    assert!(last.final_state_unknown);
                    format!("-{}", uid(change))
                }
                Change::Undecodable(_) => format!("?{}", uid(change)),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    writer.apply(good("a", 1, "x"));
    writer.apply(good("b", 2, "x"));

    assert_eq!(told(&writer.apply_undecodable(later("a"))), ["-uid-a", "?uid-later"]);
    assert!(store.get(&key("a")).is_none() && store.get_undecodable(&key("a")).is_some());
    assert_eq!((index.get("x").len(), index.count("x")), (1, 2));

    let mut next = writer.replacement();
    next.keep(&key("a"));
    next.apply_undecodable(later("b"));
    assert_eq!(told(&writer.commit(next, "10")), ["-uid-b", "?uid-later"]);
    assert!(store.is_empty() && index.get("x").is_empty());
    assert_eq!((store.undecodable().len(), index.count("x")), (2, 2));
}
