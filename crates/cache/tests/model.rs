//! Random writes against a model that is too naive to be wrong: a sorted map.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use proptest::{collection::vec, prelude::*};
use trimtab_cache::{Change, Index, Metadata, Object, ObjectKey, Store, StoreWriter};

/// One object: a key out of 3 × 4, one of two UIDs, one of few versions, some of four values.
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
    Replace(Vec<State>),
    AddIndex,
}

fn state() -> impl Strategy<Value = State> {
    (0..3u8, 0..4u8, any::<bool>(), 1..4u8, vec(0..4u8, 0..4))
        .prop_map(|(namespace, name, uid, version, values)| State { namespace, name, uid, version, values })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => state().prop_map(Operation::Apply),
        3 => (state(), any::<bool>()).prop_map(|(state, seen)| Operation::Delete(state, seen)),
        2 => vec(state(), 0..8).prop_map(Operation::Replace),
        1 => Just(Operation::AddIndex),
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

type Model = BTreeMap<ObjectKey, ConfigMap>;

/// Takes over changes as a handler would, each of which must fit what the handler knows.
fn replay(known: &mut Model, changes: &[Change<ConfigMap>]) {
    for change in changes {
        match change {
            Change::Added(new) => assert!(known.insert(new.key(), (**new).clone()).is_none()),
            Change::Updated { old, new } => {
                assert_eq!(known.insert(new.key(), (**new).clone()).as_ref(), Some(&**old));
            }
            Change::Deleted(last) => assert!(known.remove(&last.key).is_some()),
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
    let has = |object: &ConfigMap, value: u8| {
        object
            .metadata()
            .label("values")
            .expect("every object has the label")
            .split('.')
            .any(|one| one == value.to_string())
    };
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

    /// CT-T1 in one thread, ST-T7.
    #[test]
    fn a_store_equals_its_model_and_replayed_changes_equal_the_store(operations in vec(operation(), 1..40)) {
        let mut writer = StoreWriter::<ConfigMap>::new();
        let store = writer.store().clone();
        let mut indexes = vec![add_index(&store)];
        let (mut model, mut told) = (Model::new(), Model::new());
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
                Operation::Replace(states) => {
                    let mut next = Model::new();
                    for state in &states {
                        // An unchanged object is the stored one, by UID and version.
                        let kept = model.get(&state.key()).filter(|old| {
                            old.metadata().uid() == state.uid.to_string()
                                && old.metadata().resource_version() == state.version.to_string()
                        });
                        next.insert(state.key(), kept.cloned().unwrap_or_else(|| state.object()));
                    }
                    model = next;
                    let changes = writer.replace(states.iter().map(State::object).collect(), "1");
                    let deletions = changes.iter().take_while(|one| matches!(one, Change::Deleted(_))).count();
                    prop_assert!(!changes[deletions..].iter().any(|one| matches!(one, Change::Deleted(_))));
                    replay(&mut told, &changes);
                }
                Operation::AddIndex => indexes.push(add_index(&store)),
            }
            check(&store, &indexes, &model);
            prop_assert_eq!(&told, &model);
        }
    }
}
