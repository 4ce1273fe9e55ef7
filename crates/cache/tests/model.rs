//! Random writes against a model that is too naive to be wrong: a sorted map.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use proptest::{collection::vec, prelude::*};
use trimtab_cache::{Change, Index, Metadata, Object, ObjectKey, Selector, Snapshot, Store, StoreWriter};

/// One object: one of 12 keys, of two UIDs, of few versions, and some of four values.
#[derive(Debug, Clone, PartialEq)]
struct State {
    namespace: u8,
    name: u8,
    uid: bool,
    version: u8,
    values: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Operation {
    Apply(State),
    Delete(State, bool),
    Replace(Vec<Listed>),
    AddIndex,
    AddLabelIndex,
    TakeSnapshot,
}

/// A step of a replacement.
#[derive(Debug, Clone)]
enum Listed {
    Apply(State),
    Keep(State),
    Remove(State),
    Clear,
    /// A write to the store while the list is being read.
    Meanwhile(State),
}

fn state() -> impl Strategy<Value = State> {
    (0..3u8, 0..4u8, any::<bool>(), 1..4u8, vec(0..4u8, 0..4))
        .prop_map(|(namespace, name, uid, version, values)| State { namespace, name, uid, version, values })
}

fn listed() -> impl Strategy<Value = Listed> {
    prop_oneof![
        12 => state().prop_map(Listed::Apply),
        3 => state().prop_map(Listed::Keep),
        3 => state().prop_map(Listed::Remove),
        1 => Just(Listed::Clear),
        1 => state().prop_map(Listed::Meanwhile),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => state().prop_map(Operation::Apply),
        3 => (state(), any::<bool>()).prop_map(|(state, seen)| Operation::Delete(state, seen)),
        3 => vec(listed(), 0..12).prop_map(Operation::Replace),
        1 => Just(Operation::AddIndex),
        1 => Just(Operation::AddLabelIndex),
        2 => Just(Operation::TakeSnapshot),
    ]
}

impl State {
    fn key(&self) -> ObjectKey {
        let namespace = ["", "x", "y"][self.namespace as usize];
        ObjectKey::namespaced(namespace, &self.name.to_string())
    }

    fn object(&self) -> ConfigMap {
        let key = self.key();
        let label = self.values.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
        ConfigMap {
            metadata: ObjectMeta {
                namespace: key.namespace().map(str::to_owned),
                name: Some(key.name().to_owned()),
                uid: Some(self.uid.to_string()),
                resource_version: Some(self.version.to_string()),
                labels: Some([("values".to_owned(), label)].into()),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        }
    }
}

fn add_index(store: &Store<ConfigMap>) -> Index<ConfigMap, u8> {
    store.add_index("values", |object: &ConfigMap| -> Vec<u8> {
        let label = object.metadata().label("values").unwrap_or_default();
        label.split('.').filter_map(|value| value.parse().ok()).collect()
    })
}

/// Selectors that the label index can answer, and others. `State::object` draws the values of the label `values`.
const SELECTORS: [&str; 6] =
    ["values in (0,1,1)", "values=2", "values", "values notin (0,1)", "values in (0,2.1),kind=a", "values=9"];

fn has(object: &ConfigMap, value: u8) -> bool {
    let values = object.metadata().label("values").expect("every object has the label");
    values.split('.').any(|one| one == value.to_string())
}

/// The keys of the matching objects, found by a scan.
fn selected(model: &Model, namespace: Option<&str>, selector: &Selector) -> BTreeSet<ObjectKey> {
    let of_namespace = |key: &ObjectKey| namespace.is_none() || key.namespace() == namespace;
    let matches =
        |(key, object): &(&ObjectKey, &ConfigMap)| of_namespace(key) && object.metadata().matches(selector);
    model.iter().filter(matches).map(|(key, _)| key.clone()).collect()
}

/// Compares a snapshot with the model at the time of the snapshot.
fn check_snapshot(snapshot: &Snapshot<ConfigMap>, indexes: &[Index<ConfigMap, u8>], model: &Model) {
    let held: Model = snapshot.iter().map(|object| (object.key(), (**object).clone())).collect();
    assert_eq!((&held, snapshot.len()), (model, model.len()));
    assert!(model.iter().all(|(key, object)| snapshot.get(key).is_some_and(|held| **held == *object)));
    for text in SELECTORS {
        let selector: Selector = text.parse().expect("a selector");
        let found: BTreeSet<_> = snapshot.select(Some("x"), &selector).map(|object| object.key()).collect();
        assert_eq!(found, selected(model, Some("x"), &selector), "{text}");
    }
    for index in indexes {
        for value in 0..4u8 {
            let found: BTreeSet<_> = snapshot.indexed(index, &value).map(|object| object.key()).collect();
            let expected = model.iter().filter(|(_, object)| has(object, value));
            assert_eq!(found, expected.map(|(key, _)| key.clone()).collect());
        }
    }
}

type Model = BTreeMap<ObjectKey, ConfigMap>;

/// Applies changes as a handler does. Each must fit the objects that the handler knows.
fn replay(known: &mut Model, changes: &[Change<ConfigMap>]) {
    for change in changes {
        match change {
            Change::Added(new) => assert!(known.insert(new.key(), (**new).clone()).is_none()),
            Change::Updated { old, new } => {
                assert_eq!(known.insert(new.key(), (**new).clone()).as_ref(), Some(&**old));
            }
            Change::Deleted(last) => assert!(known.remove(&last.key).is_some()),
            Change::Undecodable(_) | Change::UndecodableDeleted(_) => panic!("every object can be decoded"),
        }
    }
}

fn check(store: &Store<ConfigMap>, indexes: &[Index<ConfigMap, u8>], model: &Model) {
    let held: Model = store.list().iter().map(|object| (object.key(), (**object).clone())).collect();
    assert_eq!(&held, model);
    assert_eq!(store.keys().into_iter().collect::<BTreeSet<_>>(), model.keys().cloned().collect());
    assert_eq!(store.len(), model.len());
    for namespace in ["x", "y"] {
        let held: BTreeSet<_> = store.in_namespace(namespace).iter().map(|object| object.key()).collect();
        let expected = model.keys().filter(|key| key.namespace() == Some(namespace)).cloned().collect();
        assert_eq!(held, expected);
    }
    for namespace in [None, Some("x")] {
        for text in SELECTORS {
            let selector: Selector = text.parse().expect("a selector");
            let held: BTreeSet<_> =
                store.select(namespace, &selector).iter().map(|object| object.key()).collect();
            assert_eq!(held, selected(model, namespace, &selector), "{text}");
        }
    }
    for index in indexes {
        let mut used = BTreeSet::new();
        for value in 0..4u8 {
            let expected: BTreeSet<_> =
                model.iter().filter(|(_, object)| has(object, value)).map(|(key, _)| key.clone()).collect();
            assert_eq!(index.count(&value), expected.len());
            used.extend((!expected.is_empty()).then_some(value));
            assert_eq!(index.keys(&value).into_iter().collect::<BTreeSet<_>>(), expected);
        }
        assert_eq!(index.values().into_iter().collect::<BTreeSet<_>>(), used);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// CT-T1 in one thread, ST-T7, LI-T1.
    #[test]
    fn a_store_equals_its_model_and_replayed_changes_equal_the_store(operations in vec(operation(), 1..40)) {
        let mut writer = StoreWriter::<ConfigMap>::new();
        let store = writer.store().clone();
        let mut indexes = vec![add_index(&store)];
        let (mut model, mut told, mut snapshots) = (Model::new(), Model::new(), Vec::new());
        for operation in operations {
            match operation {
                Operation::Apply(state) => {
                    model.insert(state.key(), state.object());
                    replay(&mut told, &[writer.apply(state.object())]);
                }
                Operation::Delete(state, seen) => {
                    let was_there = model.remove(&state.key()).is_some();
                    let change = writer.delete(&state.key(), seen.then(|| state.object()));
                    prop_assert_eq!(change.is_some(), was_there);
                    replay(&mut told, change.as_slice());
                }
                Operation::Replace(list) => {
                    // A list keeps an object that has not changed: the object in the store at that moment.
                    let (mut replacement, mut next) = (writer.replacement(), Model::new());
                    for step in list {
                        match step {
                            Listed::Apply(state) => {
                                let kept = model.get(&state.key()).filter(|old| {
                                    old.metadata().uid() == state.uid.to_string()
                                        && old.metadata().resource_version() == state.version.to_string()
                                });
                                next.insert(state.key(), kept.cloned().unwrap_or_else(|| state.object()));
                                replacement.apply(state.object());
                            }
                            Listed::Keep(state) => {
                                let kept = model.get(&state.key()).cloned();
                                prop_assert_eq!(replacement.keep(&state.key()), kept.is_some());
                                next.extend(kept.map(|kept| (state.key(), kept)));
                            }
                            Listed::Remove(state) => {
                                next.remove(&state.key());
                                replacement.remove(&state.key());
                            }
                            Listed::Clear => {
                                next.clear();
                                replacement.clear();
                            }
                            Listed::Meanwhile(state) => {
                                model.insert(state.key(), state.object());
                                replay(&mut told, &[writer.apply(state.object())]);
                            }
                        }
                        prop_assert_eq!((replacement.len(), replacement.is_empty()), (next.len(), next.is_empty()));
                    }
                    check(&store, &indexes, &model);
                    model = next;
                    let changes = writer.commit(replacement, "1");
                    let deletions = changes.iter().take_while(|one| matches!(one, Change::Deleted(_))).count();
                    prop_assert!(!changes[deletions..].iter().any(|one| matches!(one, Change::Deleted(_))));
                    replay(&mut told, &changes);
                }
                Operation::AddIndex => indexes.push(add_index(&store)),
                Operation::AddLabelIndex => drop(store.add_label_index("values")),
                Operation::TakeSnapshot => snapshots.push((store.snapshot(), indexes.clone(), model.clone())),
            }
            check(&store, &indexes, &model);
            prop_assert_eq!(&told, &model);
        }
        for (snapshot, indexes, model) in snapshots {
            check_snapshot(&snapshot, &indexes, &model);
        }
    }
}
