//! The algebra of [`FieldSet`]s, against sets of paths written out one by one.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*};
use serde_json::json;

use super::*;

type Paths = BTreeSet<Vec<String>>;

/// Builds a set path by path.
fn set(paths: &Paths) -> FieldSet {
    let mut set = FieldSet::default();
    for path in paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        set.unite(&FieldSet::of_path(&path));
    }
    set
}

fn text(set: &FieldSet) -> String {
    let mut text = String::new();
    set.write(&mut text);
    text
}

/// Reads a set path by path.
fn paths(set: &FieldSet) -> Paths {
    let split = |path: String| path.split('.').skip(1).map(str::to_owned).collect();
    set.paths().into_iter().map(split).collect()
}

/// Sets in which paths share steps, and some are above others.
fn some_paths() -> impl Strategy<Value = Paths> {
    let path = proptest::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4);
    btree_set(path.prop_map(|path| path.into_iter().map(str::to_owned).collect()), 0..8)
}

proptest! {
    #[test]
    fn sets_behave_like_sets_of_paths(one in some_paths(), other in some_paths()) {
        prop_assert_eq!(paths(&set(&one)), one.clone());
        let mut union = set(&one);
        union.unite(&set(&other));
        prop_assert_eq!(paths(&union), &one | &other);
        prop_assert_eq!(&union, &set(&(&one | &other)), "one set has one form");
        let mut taken = set(&one);
        taken.take(set(&other));
        prop_assert_eq!(taken, union);
        let mut difference = set(&one);
        difference.subtract(&set(&other));
        prop_assert_eq!(&difference, &set(&(&one - &other)));
        prop_assert_eq!(set(&one).intersection(&set(&other)), set(&(&one & &other)));
        let mut without = set(&one);
        without.subtract_below(&set(&other));
        let kept = one.iter().filter(|path| !other.iter().any(|gone| path.starts_with(gone)));
        prop_assert_eq!(without, set(&kept.cloned().collect()));
    }

    #[test]
    fn a_set_is_read_as_it_was_written(one in some_paths()) {
        let written = text(&set(&one));
        prop_assert_eq!(FieldSet::decode(&serde_json::from_str(&written).expect("JSON")), Ok(set(&one)));
        prop_assert_eq!(FieldSet::stored(written), set(&one));
    }

    #[test]
    fn a_set_that_is_text_changes_as_a_tree_does(one in some_paths(), other in some_paths()) {
        let stored = |paths: &Paths| FieldSet::stored(text(&set(paths)));
        let (mut union, mut difference) = (stored(&one), stored(&one));
        union.unite(&set(&other));
        prop_assert_eq!(text(&union), text(&set(&(&one | &other))));
        difference.subtract(&stored(&other));
        prop_assert_eq!(text(&difference), text(&set(&(&one - &other))));
    }
}

fn tree(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(tree) => tree,
        other => panic!("{other} is no tree"),
    }
}

#[test]
fn a_member_with_children_is_marked_by_a_dot() {
    let mut set = FieldSet::of_paths(&[&["spec"], &["spec", "replicas"], &["data", "a"]]);
    assert_eq!(
        set.clone().into_tree(),
        tree(json!({"f:data": {"f:a": {}}, "f:spec": {".": {}, "f:replicas": {}}}))
    );
    assert!(set.contains("f:spec") && !set.contains("f:data"));
    assert!(set.below("f:spec").contains("f:replicas") && set.has_below("f:data"));
    assert!(!set.below("f:spec").contains("."));
    set.subtract(&FieldSet::of_path(&["spec", "replicas"]));
    assert_eq!(set.into_tree(), tree(json!({"f:data": {"f:a": {}}, "f:spec": {}})));
}

#[test]
fn sets_of_clients_are_brought_into_one_form_or_refused() {
    let sent =
        json!({"f:ports": {"k:{ \"protocol\":\"TCP\", \"port\":80.0 }": {".": {}, "x:new": {}}, "i:0": {}}});
    let set = FieldSet::decode(&sent).expect("well formed");
    let written = json!({"f:ports": {r#"k:{"port":80,"protocol":"TCP"}"#: {}, "i:0": {}}});
    assert_eq!(set.into_tree(), tree(written));
    assert_eq!(FieldSet::decode(&Value::Null), Ok(FieldSet::default()));
    for malformed in [json!({"spec": {}}), json!({"f:spec": 1}), json!({"f:spec": {"k:{": {}}}), json!([])] {
        assert_eq!(FieldSet::decode(&malformed), Err(Malformed), "{malformed}");
    }
}
