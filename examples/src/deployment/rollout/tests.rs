//! The tables of upstream's `rolling_test.go`, `sync_test.go` and `deployment_util_test.go`, read for their facts.

use serde_json::{Value, json};

use super::*;

/// A Deployment of a rolling update; null leaves a limit out.
fn deployment(replicas: i32, surge: &Value, unavailable: &Value) -> Deployment {
    let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": rolling});
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}});
    let spec = json!({
        "replicas": replicas, "strategy": strategy, "selector": {"matchLabels": {"app": "web"}}, "template": template,
    });
    serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": spec})).expect("a Deployment")
}

fn limits(replicas: i32, surge: &Value, unavailable: &Value) -> Limits {
    Limits::of(&deployment(replicas, surge, unavailable)).expect("valid limits")
}

/// A set named `web-v<age>`; one of a higher age number is newer.
fn set(age: i32, replicas: i32, available: i32, desired: i32, most: i32) -> Arc<ReplicaSet> {
    let annotations = json!({
        Annotation::Desired.name(): desired.to_string(),
        Annotation::Max.name(): most.to_string(),
    });
    let metadata = json!({
        "name": format!("web-v{age}"), "annotations": annotations,
        "creationTimestamp": format!("2026-05-20T0{age}:00:00Z"),
    });
    let set = json!({
        "metadata": metadata, "spec": {"replicas": replicas, "selector": {}},
        "status": {"replicas": replicas, "availableReplicas": available},
    });
    Arc::new(serde_json::from_value(set).expect("a ReplicaSet"))
}

/// DP-T1.
#[test]
fn percentages_of_surge_round_up_and_those_of_unavailability_down() {
    let resolved = |surge: Value, unavailable: Value, replicas| {
        let limits = limits(replicas, &surge, &unavailable);
        (limits.surge, limits.unavailable)
    };
    assert_eq!(resolved(json!("0%"), json!("0%"), 10), (0, 1), "both 0: one Pod may be unavailable");
    assert_eq!(resolved(json!("39%"), json!("39%"), 10), (4, 3));
    assert_eq!(resolved(json!(0), json!(0), 10), (0, 1));
    assert_eq!(resolved(json!("25%"), json!("25%"), 10), (3, 2));
    assert_eq!(resolved(json!("1%"), json!("25%"), 2), (1, 0));
    assert_eq!(resolved(json!("0%"), json!("1%"), 2), (0, 1));
    assert_eq!(resolved(Value::Null, Value::Null, 4), (0, 1));
    assert_eq!(resolved(json!(2), json!(20), 10), (2, 10), "no more than there are");
    assert_eq!(resolved(json!(1), json!(5), 0), (1, 0));
    let mut recreate = deployment(10, &json!(3), &json!(3));
    recreate.spec.strategy.get_or_insert_default().type_ = Some("Recreate".to_owned());
    assert_eq!(Limits::of(&recreate), Ok(Limits { desired: 10, surge: 0, unavailable: 0 }));
}

#[test]
fn a_limit_that_is_no_number_is_named() {
    let error = Limits::of(&deployment(3, &json!("a lot"), &json!(0))).expect_err("invalid");
    let expected = r#"maxSurge is "a lot", which is neither a number of Pods nor a percentage such as "25%""#;
    assert_eq!(error.to_string(), expected);
}

/// DP-T2. Replicas of the Deployment, surge, Pods of the old set and of the new one, and the next size of the new one.
#[test]
fn the_new_set_grows_by_the_room_that_the_surge_leaves() {
    let rows =
        [(10, 0, 10, 0, 0), (10, 2, 10, 0, 2), (10, 2, 5, 0, 7), (10, 2, 10, 2, 2), (10, 2, 2, 11, 10)];
    for row @ (desired, surge, old, new, expected) in rows {
        let limits = limits(desired, &json!(surge), &json!(0));
        assert_eq!(scale_up_new(&limits, old + new, new), expected, "{row:?}");
    }
}

/// DP-T3. Unavailability, Pods of the old set and of the new one, of which so many are available, and the next size of the
/// old one. The Deployment has ten replicas and no surge.
#[test]
fn old_sets_shrink_as_far_as_enough_pods_stay_available() {
    let rows = [
        (0, 10, 0, 10, 0, 9), // 0 and 0: one Pod may be unavailable
        (2, 10, 0, 10, 0, 8),
        (2, 10, 0, 8, 0, 8), // two that are not available go
        (2, 10, 0, 9, 0, 8), // one that is not available, and one that is
        (2, 8, 2, 8, 0, 8),  // the new Pods are not available: nothing goes
        (2, 10, 0, 1, 0, 8), // at most as many as may be missing
        (2, 0, 10, 0, 10, 0),
    ];
    for row @ (unavailable, old, new, available_old, available_new, expected) in rows {
        let limits = limits(10, &json!(0), &json!(unavailable));
        let (old, new) = (set(1, old, available_old, 10, 10), set(2, new, available_new, 10, 10));
        assert_eq!(scale_down_old(&limits, &[old], &new), [expected], "{row:?}");
    }
}

/// DP-T4. Pods that a set no longer wants still count as available in its status for a moment.
#[test]
fn pods_that_are_about_to_go_are_not_counted_as_available() {
    let limits = limits(10, &json!(2), &json!(0));
    let old = [set(1, 8, 10, 10, 12)]; // was scaled from 10 to 8
    assert_eq!(scale_down_old(&limits, &old, &set(2, 4, 2, 10, 12)), [8], "8 + 2 serve, no more");
}

/// DP-T4. Old sets shrink from the oldest, and those that are not available first.
#[test]
fn the_oldest_set_shrinks_first_and_unavailable_pods_before_others() {
    let limits = limits(10, &json!(3), &json!(2));
    let old = [set(1, 4, 4, 10, 13), set(2, 4, 1, 10, 13)];
    // 8 old and 3 new that serve: 8 must stay, of which 5 old ones. Three of the second do not serve.
    assert_eq!(scale_down_old(&limits, &old, &set(3, 3, 3, 10, 13)), [4, 1]);
    assert_eq!(scale_down_old(&limits, &old, &set(3, 5, 5, 10, 13)), [2, 1]);
}

/// The name of a set and its next size.
fn sizes(scaled: &[(Arc<ReplicaSet>, i32)]) -> Vec<(String, i32)> {
    let name = |set: &ReplicaSet| set.metadata.name.clone().unwrap_or_default();
    let mut sizes: Vec<_> = scaled.iter().map(|(set, size)| (name(set), *size)).collect();
    sizes.sort();
    sizes
}

/// A row of upstream's `TestScale`: replicas before and now; the sizes of the sets, the oldest first, now and expected. The
/// last one is the new one.
type Row<'a> = (i32, i32, &'a [i32], &'a [i32]);

/// DP-T5. Without surge; the sizes that change.
#[test]
fn scaling_in_mid_rollout_keeps_the_share_of_each_set() {
    let rows: [Row<'_>; 12] = [
        (10, 12, &[10], &[12]),
        (10, 5, &[10], &[5]),
        (5, 10, &[3, 2], &[6, 4]),
        (5, 3, &[3, 2], &[2, 1]),
        (9, 4, &[1, 8], &[0, 4]),
        (7, 10, &[2, 3, 2], &[3, 4, 3]),
        (13, 8, &[3, 8, 2], &[2, 5, 1]),
        (3, 4, &[1, 1, 1], &[1, 1, 2]), // what is left over goes to the newest of the largest
        (3, 2, &[1, 1, 1], &[0, 1, 1]), // and is taken from the oldest
        (6, 0, &[1, 2, 3], &[0, 0, 0]),
        (6, 6, &[0, 0, 0], &[0, 0, 6]), // from zero the new one grows
        (2, 2, &[1, 2], &[1, 2]),       // the new one has all its Pods, and none is available
    ];
    for row @ (before, now, present, expected) in rows {
        let limits = Limits { desired: now, surge: 0, unavailable: 0 };
        let limits = if row.2 == [1, 2] { Limits { surge: 1, unavailable: 1, ..limits } } else { limits };
        let most = before + limits.surge;
        let sets: Vec<_> = (1..).zip(present).map(|(age, size)| set(age, *size, 0, before, most)).collect();
        let (new, old) = sets.split_last().expect("a set");
        let mut next: Vec<_> =
            sets.iter().map(|set| (set.metadata.name.clone().unwrap_or_default(), replicas(set))).collect();
        for (name, size) in sizes(&scale(&limits, true, Some(new), old, 0)) {
            next.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, known)| *known = size);
        }
        let next: Vec<_> = next.into_iter().map(|(_, size)| size).collect();
        assert_eq!(next, expected, "{row:?}");
    }
}

/// DP-T5. Without a set of the new template, and with a surge that changes as well.
#[test]
fn scaling_without_a_new_set_and_with_a_surge_keeps_the_shares_too() {
    let plain = |desired| Limits { desired, surge: 0, unavailable: 0 };
    let old = [set(1, 2, 0, 4, 4), set(2, 2, 0, 4, 4)];
    assert_eq!(
        sizes(&scale(&plain(5), true, None, &old, 0)),
        [("web-v1".to_owned(), 2), ("web-v2".to_owned(), 3)]
    );
    let old = [set(1, 3, 0, 10, 10), set(2, 7, 0, 10, 10)];
    assert_eq!(
        sizes(&scale(&plain(14), true, None, &old, 0)),
        [("web-v1".to_owned(), 4), ("web-v2".to_owned(), 10)]
    );
    let surge = Limits { desired: 20, surge: 2, unavailable: 0 };
    let (old, new) = ([set(1, 6, 0, 10, 12)], set(2, 6, 0, 10, 12));
    assert_eq!(
        sizes(&scale(&surge, true, Some(&new), &old, 0)),
        [("web-v1".to_owned(), 11), ("web-v2".to_owned(), 11)]
    );
    let both = Limits { desired: 50, surge: 6, unavailable: 0 };
    let (old, new) = ([set(1, 8, 0, 10, 13)], set(2, 5, 0, 10, 13));
    assert_eq!(
        sizes(&scale(&both, true, Some(&new), &old, 0)),
        [("web-v1".to_owned(), 34), ("web-v2".to_owned(), 22)]
    );
}

/// An old set that a rollout has made as small as the Deployment becomes then gets the new number, and the rollout goes on.
#[test]
fn a_lone_set_of_the_right_size_is_written_for_its_annotation() {
    let limits = Limits { desired: 6, surge: 0, unavailable: 1 };
    let (old, new) = ([set(1, 6, 6, 8, 8)], set(2, 0, 0, 8, 8));
    assert!(is_scaling_event(&limits, &old));
    assert_eq!(sizes(&scale(&limits, true, Some(&new), &old, 6)), [("web-v1".to_owned(), 6)]);
}

/// DP-T6. A set whose last write failed has the older annotation, and is scaled by it.
#[test]
fn a_scaling_that_failed_halfway_is_completed() {
    let limits = Limits { desired: 5, surge: 0, unavailable: 0 };
    let (old, new) = ([set(1, 1, 0, 5, 5), set(2, 1, 0, 3, 3)], set(3, 2, 0, 5, 5));
    assert!(is_scaling_event(&limits, old.iter().chain([&new])));
    let expected = [("web-v1".to_owned(), 1), ("web-v2".to_owned(), 2), ("web-v3".to_owned(), 2)];
    assert_eq!(sizes(&scale(&limits, true, Some(&new), &old, 0)), expected);
}

/// DP-T7.
#[test]
fn a_saturated_new_set_ends_the_old_ones_and_a_broken_one_does_not() {
    let limits = Limits { desired: 2, surge: 1, unavailable: 1 };
    let old = [set(1, 1, 1, 2, 3)];
    let saturated = set(2, 2, 2, 2, 3);
    assert_eq!(sizes(&scale(&limits, true, Some(&saturated), &old, 3)), [("web-v1".to_owned(), 0)]);
    let for_fewer = set(2, 2, 2, 1, 2);
    assert!(
        sizes(&scale(&limits, true, Some(&for_fewer), &old, 3))
            .iter()
            .all(|(name, size)| name != "web-v1" || *size > 0)
    );
}

/// DP-T8.
#[test]
fn a_missing_annotation_is_no_scaling_and_the_status_takes_its_place() {
    let limits = Limits { desired: 10, surge: 0, unavailable: 0 };
    let mut bare = ReplicaSet::clone(&set(1, 3, 3, 5, 5));
    bare.metadata.annotations = None;
    let (bare, new) = (Arc::new(bare), set(2, 2, 2, 10, 5));
    assert!(!is_scaling_event(&limits, [&bare, &new]));
    let old = [bare];
    assert_eq!(
        sizes(&scale(&limits, true, Some(&new), &old, 5)),
        [("web-v1".to_owned(), 6), ("web-v2".to_owned(), 4)]
    );
}
