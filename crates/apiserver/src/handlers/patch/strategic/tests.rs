//! Patched objects, compared with upstream's.

use proptest::{collection::btree_map, prelude::*, sample::subsequence};
use serde_json::json;

use super::*;
use crate::registry::Kinds;

fn patched(kind: &str, object: Value, patch: &Value) -> Value {
    let (group, plural) = if kind == "Pod" { ("", "pods") } else { ("apps", "deployments") };
    let kind = Kinds::built_in().get(group, "v1", plural).expect("built in");
    let mut object = object;
    merge(kind.structure(), &mut object, patch).expect("the patch applies");
    object
}

fn containers(object: &Value) -> Vec<&str> {
    object["spec"]["containers"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect()
}

fn pod(names: &[&str]) -> Value {
    let containers: Vec<_> = names.iter().map(|name| json!({"name": name, "image": "1"})).collect();
    json!({"spec": {"containers": containers}})
}

#[test]
fn items_with_the_same_key_are_merged_and_new_ones_are_appended() {
    let patch = json!({"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]}});
    let object = patched("Pod", pod(&["a", "b"]), &patch);
    assert_eq!(containers(&object), ["a", "b", "c"]);
    assert_eq!(object["spec"]["containers"][1], json!({"name": "b", "image": "2"}));
}

#[test]
fn lists_in_templates_and_within_containers_have_their_own_keys() {
    let object = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "a", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 80}], "args": ["x"]}
    ]}}}});
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "a", "env": [{"name": "Y", "value": "2"}], "ports": [{"containerPort": 80, "name": "http"}],
         "args": ["y"]}
    ]}}}});
    let object = patched("Deployment", object, &patch);
    let container = &object["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"].as_array().unwrap().len(), 2);
    assert_eq!(container["ports"], json!([{"containerPort": 80, "name": "http"}]));
    assert_eq!(container["args"], json!(["y"]));
}

/// SM-T2.
#[test]
fn directives_delete_replace_retain_and_order() {
    let delete = json!({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}});
    assert_eq!(containers(&patched("Pod", pod(&["a", "b"]), &delete)), ["b"]);
    let replace = json!({"spec": {"containers": [{"$patch": "replace"}, {"name": "z"}]}});
    assert_eq!(containers(&patched("Pod", pod(&["a", "b"]), &replace)), ["z"]);
    let order = json!({"spec": {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
        "containers": [{"name": "c"}],
    }});
    assert_eq!(containers(&patched("Pod", pod(&["a", "b", "c"]), &order)), ["b", "c", "a"]);
    let strategy = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let retain = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(patched("Deployment", strategy, &retain)["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn finalizers_are_a_set_from_which_values_are_deleted_by_name() {
    let object = json!({"metadata": {"finalizers": ["a", "b"]}});
    let patch = json!({"metadata": {
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "finalizers": ["c", "b"],
    }});
    assert_eq!(patched("Pod", object, &patch)["metadata"]["finalizers"], json!(["c", "b"]));
}

#[test]
fn nulls_and_directives_never_reach_the_object() {
    let patch = json!({"metadata": {"labels": {"a": "b", "gone": null}}, "spec": {"nodeSelector": {"$patch": "replace", "x": "y"}}});
    let object = patched("Pod", json!({"spec": {"nodeSelector": {"old": "1"}}}), &patch);
    assert_eq!(object, json!({"metadata": {"labels": {"a": "b"}}, "spec": {"nodeSelector": {"x": "y"}}}));
}

/// Objects without lists: what a strategic and a plain merge patch treat alike.
fn fields() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), "[a-c]".prop_map(Value::from)];
    let node = leaf.prop_recursive(3, 16, 3, |inner| {
        btree_map("[a-d]", inner, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
    });
    btree_map("[a-d]", node, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

proptest! {
    #[test]
    fn without_lists_and_directives_it_is_a_merge_patch(object in fields(), patch in fields()) {
        let mut merged = object.clone();
        crate::handlers::patch::json_patch::merge(&mut merged, &patch);
        prop_assert_eq!(patched("Pod", object, &patch), merged);
    }

    #[test]
    fn a_patch_that_is_applied_again_changes_nothing(
        names in subsequence(vec!["a", "b", "c"], 0..=3),
        patched_names in subsequence(vec!["c", "b", "d"], 0..=3),
        ordered in any::<bool>(),
    ) {
        let mut patch = pod(&patched_names);
        if ordered {
            let order: Vec<Value> = patched_names.iter().chain(&["a"]).map(|name| json!({"name": name})).collect();
            patch["spec"]["$setElementOrder/containers"] = order.into();
        }
        let once = patched("Pod", pod(&names), &patch);
        prop_assert_eq!(patched("Pod", once.clone(), &patch), once);
    }
}

/// SM-T1. The names of a list after a patch; each case is what a kube-apiserver 1.36 answered.
#[test]
fn items_stand_where_upstream_puts_them() {
    let names = |patch: Value| {
        let object = patched("Pod", pod(&["a", "b"]), &json!({"spec": patch}));
        containers(&object).join("")
    };
    assert_eq!(names(json!({"containers": [{"name": "c"}]})), "cab", "new items come first");
    assert_eq!(names(json!({"containers": [{"name": "b"}, {"name": "c"}]})), "abc");
    assert_eq!(names(json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})), "ba");
    let both =
        json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}], "containers": [{"name": "c"}]});
    assert_eq!(names(both), "cab");
    let gone = json!({"containers": [{"name": "a", "$patch": "delete"}, {"name": "d"}]});
    assert_eq!(names(gone), "db");
    let replaced = json!({"containers": [{"name": "a", "$patch": "replace"}, {"name": "z"}]});
    assert_eq!(names(replaced), "z", "an item that replaces stands for nothing itself");
    let object = patched(
        "Pod",
        json!({"metadata": {"finalizers": ["a", "b"]}}),
        &json!({"metadata": {"finalizers": ["c"]}}),
    );
    assert_eq!(object["metadata"]["finalizers"], json!(["c", "a", "b"]));
}

/// SM-T2. The texts are a kube-apiserver's, but for the words that Go prints a list with.
#[test]
fn patches_that_make_no_sense_are_refused_in_upstream_s_words() {
    let kind = Kinds::built_in().get("", "v1", "pods").expect("built in");
    let refusal = |patch: Value| {
        let mut object = pod(&["a", "b"]);
        merge(kind.structure(), &mut object, &json!({"spec": patch})).expect_err("no sense").to_string()
    };
    for (patch, because) in [
        (
            json!({"containers": [{"image": "i"}]}),
            "map: map[image:i] does not contain declared merge key: name",
        ),
        (
            json!({"containers": [{"name": "a", "$patch": "merge"}]}),
            "merging lists cannot yet be specified in the patch",
        ),
        (
            json!({"containers": [{"name": "a", "$patch": "foo"}]}),
            "unknown patch type: foo in map: map[$patch:foo name:a]",
        ),
        (
            json!({"$setElementOrder/containers": [{"x": "b"}]}),
            "map: map[x:b] does not contain declared merge key: name",
        ),
        (json!({"$setElementOrder/containers": 3}), "expected a []interface {}, but received a int64"),
        (
            json!({"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "c"}]}),
            "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
        ),
        (json!({"$retainKeys": ["a"], "b": 1}), "invalid patch format of retainKeys"),
        (json!({"$retainKeys": 3}), "invalid patch format of retainKeys"),
    ] {
        assert_eq!(refusal(patch.clone()), because, "{patch}");
    }
    let mixed = refusal(json!({"containers": [3]}));
    assert!(mixed.starts_with("list element types are not identical: ["), "{mixed}");
}

/// Lists by key, merged the plain way: what the patch has, then what it lacks, in the order of both.
fn model(before: &[(char, u8)], patch: &[(char, Option<u8>)]) -> Vec<(char, u8)> {
    let mut merged: Vec<(char, u8)> = Vec::new();
    for (name, image) in before {
        match patch.iter().find(|(patched, _)| patched == name) {
            Some((_, None)) => {}
            Some((_, Some(image))) => merged.push((*name, *image)),
            None => merged.push((*name, *image)),
        }
    }
    let new = patch.iter().filter(|(name, _)| !before.iter().any(|(known, _)| known == name));
    merged.extend(new.filter_map(|(name, image)| Some((*name, (*image)?))));
    merged.sort_unstable();
    merged
}

fn named<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Vec<(char, T)>> {
    let names = subsequence(vec!['a', 'b', 'c', 'd', 'e'], 0..=5).prop_shuffle();
    names.prop_flat_map(move |names| {
        names.into_iter().map(|name| value.clone().prop_map(move |value| (name, value))).collect::<Vec<_>>()
    })
}

/// Anything at all, directives among it.
fn anything() -> impl Strategy<Value = Value> {
    let word = || {
        proptest::sample::select(vec![
            "$patch",
            "$retainKeys",
            "$setElementOrder/containers",
            "$deleteFromPrimitiveList/finalizers",
            "containers",
            "finalizers",
            "metadata",
            "spec",
            "name",
            "env",
            "ports",
            "volumes",
            "delete",
            "replace",
            "merge",
            "a",
        ])
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(word().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn keyed_lists_are_merged_as_a_naive_model_merges_them(
        before in named(0_u8..3),
        patch in named(proptest::option::of(3_u8..6)),
    ) {
        let items: Vec<Value> = before.iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
        let changes: Vec<Value> = patch
            .iter()
            .map(|(name, image)| match image {
                Some(image) => json!({"name": name, "image": image}),
                None => json!({"name": name, "$patch": "delete"}),
            })
            .collect();
        let object = patched("Pod", json!({"spec": {"containers": items}}), &json!({"spec": {"containers": changes}}));
        let names: Vec<(char, u8)> = object["spec"]["containers"]
            .as_array().unwrap().iter()
            .map(|item| {
                let name = item["name"].as_str().unwrap().chars().next().unwrap();
                (name, u8::try_from(item["image"].as_u64().unwrap()).unwrap())
            })
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, model(&before, &patch));
        let set: Vec<char> = patch.iter().filter(|(_, image)| image.is_some()).map(|(name, _)| *name).collect();
        let ordered: Vec<char> = names.iter().map(|(name, _)| *name).filter(|name| set.contains(name)).collect();
        prop_assert_eq!(ordered, set, "the patch's items stand in the patch's order");
    }

    #[test]
    fn whatever_a_patch_holds_nothing_panics(mut object in anything(), patch in anything()) {
        let kind = Kinds::built_in().get("", "v1", "pods").expect("built in");
        if merge(kind.structure(), &mut object, &patch).is_ok() {
            let decoded = trimtab_schema::decode(kind.structure(), &object);
            prop_assert!(decoded.is_ok());
        }
    }
}
