//! The facts of upstream's `deployment_util_test.go` and `sync_test.go` about sets, revisions and annotations.

use serde_json::{Value, json};

use super::*;

fn deployment(annotations: &Value) -> Deployment {
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 3, "minReadySeconds": 5, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    let metadata = json!({"name": "web", "namespace": "shop", "annotations": annotations});
    serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a Deployment")
}

/// A set of an image, created in a minute, with a revision.
fn set(name: &str, image: &str, minute: u8, revision: &str) -> ReplicaSet {
    let labels = json!({"app": "web", POD_TEMPLATE_HASH: name});
    let template =
        json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}});
    let set = json!({
        "metadata": {
            "name": name, "uid": name, "creationTimestamp": format!("2026-05-20T01:{minute:02}:00Z"), "generation": 1,
            "annotations": {Annotation::Revision.name(): revision},
        },
        "spec": {"replicas": 0, "selector": {}, "template": template},
        "status": {"replicas": 0, "observedGeneration": 1},
    });
    serde_json::from_value(set).expect("a ReplicaSet")
}

fn names<'a>(sets: impl IntoIterator<Item = &'a Arc<ReplicaSet>>) -> Vec<String> {
    sets.into_iter().map(|set| set.metadata.name.clone().unwrap_or_default()).collect()
}

/// DP-T10.
#[test]
fn the_new_set_is_the_oldest_with_the_template_whatever_its_hash_says() {
    let sets = [set("c", "i", 3, "3"), set("b", "i", 2, "2"), set("a", "old", 1, "1")].map(Arc::new);
    let divided = Sets::of(&deployment(&json!({})), sets.to_vec());
    assert_eq!(
        (names(&divided.new), names(&divided.old)),
        (vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()])
    );
    let divided = Sets::of(&deployment(&json!({})), sets[2..].to_vec());
    assert_eq!((names(&divided.new).len(), names(&divided.old).len()), (0, 1));
}

/// Sets of a cache are divided by the texts of their specs where those are equal, and by their contents where they are not.
#[test]
fn sets_are_divided_without_the_specs_of_their_pods_as_they_are_with_them() {
    let packed = |set: &Value| -> Arc<Packed<ReplicaSet>> {
        Arc::new(serde_json::from_str(&set.to_string()).expect("an object"))
    };
    let one = |name: &str, minute: u8, spec: Value| {
        let mut set = json!(set(name, "i", minute, "1"));
        set["spec"]["template"]["spec"] = spec;
        set
    };
    let (same, other) = (json!({"name": "c", "image": "i"}), json!({"name": "c", "image": "old"}));
    let mut without_template = one("none", 0, json!({}));
    without_template["spec"]["template"] = Value::Null;
    let mut labelled = one("labelled", 4, json!({"containers": [same]}));
    labelled["spec"]["template"]["metadata"]["labels"]["more"] = json!("x");
    let all = [
        one("text", 6, json!({"containers": [same]})),
        one("content", 5, json!({"containers": [same], "volumes": []})),
        labelled,
        one("field", 3, json!({"containers": [same], "restartPolicy": "Never"})),
        one("count", 2, json!({"containers": [same, other]})),
        one("image", 1, json!({"containers": [other]})),
        without_template,
    ];
    let deployment = deployment(&json!({}));
    let cached: Packed<Deployment> = serde_json::from_str(&json!(deployment).to_string()).expect("an object");
    for (sets, expected) in [(&all[..], Some("content")), (&all[..1], Some("text")), (&all[2..], None)] {
        let whole =
            sets.iter().map(|set| serde_json::from_value(set.clone()).expect("a ReplicaSet")).map(Arc::new);
        let whole = Sets::of(&deployment, whole.collect());
        let slim: Vec<_> = sets.iter().map(packed).collect();
        let slim = Sets::slim(&cached, &deployment, &slim).expect("readable sets");
        assert_eq!((names(&slim.new), names(&slim.old)), (names(&whole.new), names(&whole.old)));
        assert_eq!(slim.new.as_ref().and_then(|new| new.metadata.name.as_deref()), expected);
        assert!(
            slim.all().all(|set| set.spec.template.as_ref().is_none_or(|template| template.spec.is_none()))
        );
    }
    let unreadable = packed(&json!({"metadata": {"name": "web-1"}, "spec": 3}));
    assert!(Sets::slim(&cached, &deployment, &[unreadable]).is_err());
}

/// DP-T12.
#[test]
fn the_highest_and_the_last_revision_ignore_what_is_no_number() {
    let sets = ["7", "x", "3", "5"].map(|revision| Arc::new(set(revision, "i", 1, revision)));
    assert_eq!((max_revision(&sets), last_revision(&sets)), (7, 5));
    assert_eq!((max_revision(&sets[..1]), last_revision(&sets[..1])), (7, 0));
    assert_eq!((max_revision([]), last_revision([])), (0, 0));
}

/// DP-T13.
#[test]
fn the_new_set_gets_the_deployments_annotations_but_not_those_that_stay() {
    let own = json!({
        "cause": "edit", "same": "x", Annotation::Revision.name(): "9", Annotation::RollbackTo.name(): "0",
        "kubectl.kubernetes.io/last-applied-configuration": "{}", Annotation::Desired.name(): "8",
    });
    let existing = BTreeMap::from([("same".to_owned(), "x".to_owned())]);
    let missing = missing_annotations(&deployment(&own), &existing, 2);
    let revision = (Annotation::Revision.name().to_owned(), "2".to_owned());
    assert_eq!(missing, BTreeMap::from([("cause".to_owned(), "edit".to_owned()), revision]));
}

/// The revision that a set gets, and its history if that changes.
type Revised<'a> = Option<(&'a str, Option<&'a str>)>;

/// DP-T14. Revision and history of the set, the next revision, and those that it gets.
#[test]
fn a_set_that_is_rolled_back_to_keeps_its_revisions_as_history() {
    let rows: [(&str, &str, i64, Revised<'_>); 6] = [
        ("", "", 1, Some(("1", None))),
        ("1", "", 3, Some(("3", Some("1")))),
        ("3", "1", 5, Some(("5", Some("1,3")))),
        ("5", "1,3", 5, None),
        ("6", "", 4, None), // later sets were deleted
        ("x", "", 4, None),
    ];
    for row @ (revision, history, next, expected) in rows {
        let pairs = [(Annotation::Revision, revision), (Annotation::History, history)];
        let present = pairs.iter().filter(|(_, value)| !value.is_empty());
        let existing =
            present.map(|(annotation, value)| (annotation.name().to_owned(), (*value).to_owned())).collect();
        let missing = missing_annotations(&deployment(&json!({})), &existing, next);
        let found = |annotation: Annotation| missing.get(annotation.name()).map(String::as_str);
        let found = found(Annotation::Revision).map(|revision| (revision, found(Annotation::History)));
        assert_eq!(found, expected, "{row:?}");
    }
    let empty = BTreeMap::from([(Annotation::Revision.name().to_owned(), String::new())]);
    let missing = missing_annotations(&deployment(&json!({})), &empty, 4);
    let expected = BTreeMap::from([(Annotation::Revision.name().to_owned(), "4".to_owned())]);
    assert_eq!(missing, expected, "an empty revision counts as 0");
}

/// DP-T14.
#[test]
fn a_long_history_loses_its_oldest_revisions() {
    let long = (1000..1500).map(|revision| revision.to_string()).collect::<Vec<_>>().join(",");
    let longer = longer_history(Some(&long), "1500").expect("room");
    assert!(longer.len() <= LONGEST_HISTORY && longer.ends_with(",1499,1500"), "{}", longer.len());
    assert!(longer.len() + ",1000".len() > LONGEST_HISTORY, "no more than needed is lost");
    assert_eq!(
        longer_history(Some(&"1".to_owned()), &"9".repeat(LONGEST_HISTORY)),
        Some("9".repeat(LONGEST_HISTORY))
    );
    assert_eq!(longer_history(Some(&"1".to_owned()), &"9".repeat(LONGEST_HISTORY + 1)), None);
}

/// DP-T15.
#[test]
fn a_new_set_has_the_hash_in_its_name_labels_selector_and_template() {
    let limits = Limits { desired: 3, surge: 1, unavailable: 0 };
    let set = new_set(&deployment(&json!({"cause": "create"})), "abc", 4, &limits);
    assert_eq!(
        (set.metadata.name.as_deref(), set.metadata.namespace.as_deref()),
        (Some("web-abc"), Some("shop"))
    );
    let labels = set.spec.template.as_ref().and_then(|template| template.metadata.as_ref()?.labels.as_ref());
    let both = BTreeMap::from([
        ("app".to_owned(), "web".to_owned()),
        (POD_TEMPLATE_HASH.to_owned(), "abc".to_owned()),
    ]);
    assert_eq!((labels, set.metadata.labels.as_ref()), (Some(&both), Some(&both)));
    assert_eq!(set.spec.selector.match_labels.as_ref(), Some(&both));
    assert_eq!((set.spec.replicas, set.spec.min_ready_seconds), (Some(0), Some(5)));
    let annotations = set.metadata.annotations.as_ref().expect("annotations");
    let expected = [("cause", "create"), ("revision", "4"), ("desired-replicas", "3"), ("max-replicas", "4")];
    for (name, value) in expected {
        let name = if name == "cause" { name.to_owned() } else { format!("deployment.kubernetes.io/{name}") };
        assert_eq!(annotations.get(&name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(name(&"w".repeat(300), "abc").len(), LONGEST_NAME);
}

/// DP-T16.
#[test]
fn old_sets_beyond_the_limit_are_outdated_unless_they_have_pods_or_were_not_observed() {
    let mut sets = ["3", "1", "2", "4"].map(|revision| set(revision, "i", 1, revision));
    let all = |sets: &[ReplicaSet]| sets.iter().cloned().map(Arc::new).collect::<Vec<_>>();
    assert_eq!(names(&outdated(&all(&sets), 2)), ["1", "2"]);
    assert_eq!(names(&outdated(&all(&sets), 4)), [""; 0]);
    assert_eq!(names(&outdated(&all(&sets), 0)), ["1", "2", "3", "4"]);
    sets[1].spec.replicas = Some(1);
    sets[2].metadata.generation = Some(2);
    sets[0].status.get_or_insert_default().replicas = 1;
    assert_eq!(names(&outdated(&all(&sets), 0)), ["4"]);
    sets[3].metadata.deletion_timestamp = sets[3].metadata.creation_timestamp.clone();
    assert_eq!(names(&outdated(&all(&sets), 0)), [""; 0]);
    let two = ["10", "9"].map(|revision| Arc::new(set(revision, "i", 1, revision)));
    assert_eq!(names(&outdated(&two, 1)), ["9"], "numbers, not text");
}
