//! The facts of upstream's `progress_test.go` and `deployment_util_test.go`.

use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

/// A Deployment of ten replicas with a deadline of 60 s.
fn deployment(paused: bool) -> Deployment {
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}});
    let spec = json!({
        "replicas": 10, "progressDeadlineSeconds": 60, "paused": paused,
        "selector": {"matchLabels": {"app": "web"}}, "template": template,
    });
    serde_json::from_value(json!({"metadata": {"name": "web", "generation": 2}, "spec": spec}))
        .expect("a Deployment")
}

fn set_of(name: &str, replicas: i32, available: i32, more: &Value) -> Arc<ReplicaSet> {
    let mut status =
        json!({"replicas": replicas, "readyReplicas": available, "availableReplicas": available});
    status.as_object_mut().expect("a map").extend(more.as_object().cloned().unwrap_or_default());
    let set =
        json!({"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {}}, "status": status});
    Arc::new(serde_json::from_value(set).expect("a ReplicaSet"))
}

fn sets(old: (i32, i32), new: (i32, i32)) -> Sets {
    Sets {
        new: Some(set_of("web-2", new.0, new.1, &json!({}))),
        old: vec![set_of("web-1", old.0, old.1, &json!({}))],
    }
}

const LIMITS: Limits = Limits { desired: 10, surge: 3, unavailable: 2 };

/// Status, reason and message of a condition.
fn told<'a>(status: &'a DeploymentStatus, type_: &str) -> (&'a str, &'a str, &'a str) {
    let text = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
    find(status, type_).map_or(("", "", ""), |it| (text(&it.status), text(&it.reason), text(&it.message)))
}

/// Returns the status of a rollout, computed `second`s after the beginning, after the status `old`.
fn rolled(old: &DeploymentStatus, sets: &Sets, second: i64) -> DeploymentStatus {
    let deployment = deployment(false);
    let mut new = counts(&deployment, old, sets, &LIMITS, at(second));
    set_progress(&deployment, old, &mut new, sets, at(second));
    new
}

fn created() -> DeploymentStatus {
    let mut status = DeploymentStatus::default();
    set(&mut status, condition(PROGRESSING, "True", reason::CREATED, "created".to_owned(), at(0)));
    status
}

/// DP-T20.
#[test]
fn counts_are_those_of_the_sets_and_available_follows_the_limits() {
    let status = counts(&deployment(false), &created(), &sets((8, 7), (3, 1)), &LIMITS, at(1));
    let expected = [Some(11), Some(3), Some(8), Some(8), Some(3)];
    let found = [
        status.replicas,
        status.updated_replicas,
        status.ready_replicas,
        status.available_replicas,
        status.unavailable_replicas,
    ];
    assert_eq!((found, status.observed_generation), (expected, Some(2)));
    assert_eq!(told(&status, AVAILABLE).1, "MinimumReplicasAvailable", "8 of 10 with 2 unavailable");
    let status = counts(&deployment(false), &created(), &sets((8, 6), (3, 1)), &LIMITS, at(1));
    assert_eq!(told(&status, AVAILABLE).0, "False");
    let status = counts(&deployment(false), &created(), &sets((2, 5), (0, 0)), &LIMITS, at(1));
    assert_eq!(
        (status.unavailable_replicas, status.updated_replicas),
        (None, None),
        "not negative; 0 is absent"
    );
}

/// DP-T21.
#[test]
fn terminating_pods_are_known_once_every_synced_set_reports_them() {
    let with = |more: Value| {
        let new = Some(set_of("web-2", 1, 1, &json!({"observedGeneration": 1, "terminatingReplicas": 2})));
        terminating(&Sets { new, old: vec![set_of("web-1", 1, 1, &more)] })
    };
    assert_eq!(with(json!({"observedGeneration": 1, "terminatingReplicas": 3})), Some(5));
    assert_eq!(with(json!({})), Some(2), "a set that was never synced has none");
    assert_eq!(with(json!({"observedGeneration": 1})), None);
}

/// DP-T22.
#[test]
fn progress_completion_and_the_deadline_are_reported_once_each() {
    let status = rolled(&created(), &sets((10, 10), (3, 0)), 1);
    let progressing = ("True", reason::UPDATED, "ReplicaSet \"web-2\" is progressing.");
    assert_eq!(told(&status, PROGRESSING), progressing);
    let unchanged = rolled(&status, &sets((10, 10), (3, 0)), 30);
    assert_eq!(unchanged, status, "without progress nothing is written");
    let updated = rolled(&status, &sets((10, 10), (3, 2)), 50);
    let times = |status: &DeploymentStatus| {
        find(status, PROGRESSING).map(|it| (it.last_update_time.clone(), it.last_transition_time.clone()))
    };
    assert_eq!(
        times(&updated),
        Some((Some(Time(at(50))), Some(Time(at(0))))),
        "progress is an update, no transition"
    );

    let late = rolled(&updated, &sets((10, 10), (3, 2)), 110);
    assert_eq!(told(&late, PROGRESSING).1, reason::UPDATED, "exactly the deadline");
    let timed_out = rolled(&updated, &sets((10, 10), (3, 2)), 111);
    assert_eq!(told(&timed_out, PROGRESSING).1, reason::TIMED_OUT);
    assert_eq!(rolled(&timed_out, &sets((10, 10), (3, 2)), 500), timed_out);
    assert_eq!(
        told(&rolled(&timed_out, &sets((9, 9), (4, 2)), 600), PROGRESSING).0,
        "True",
        "progress after all"
    );

    let complete = rolled(&updated, &sets((0, 0), (10, 10)), 70);
    let message = "ReplicaSet \"web-2\" has successfully progressed.";
    assert_eq!(told(&complete, PROGRESSING), ("True", reason::COMPLETE, message));
    let failing_later = rolled(&complete, &sets((0, 0), (10, 4)), 1000);
    assert_eq!(told(&failing_later, PROGRESSING).1, reason::COMPLETE);
    assert_eq!(next_check(&deployment(false), &failing_later, at(1000)), None);
}

/// DP-T23.
#[test]
fn a_deployment_is_complete_once_all_pods_are_new_and_available_and_its_spec_was_observed() {
    let deployment = deployment(false);
    let complete = |sets: &Sets| counts(&deployment, &created(), sets, &LIMITS, at(1));
    assert!(is_complete(&deployment, &complete(&sets((0, 0), (10, 10)))));
    for others in [sets((1, 1), (10, 10)), sets((0, 0), (10, 9)), sets((0, 0), (9, 9))] {
        assert!(!is_complete(&deployment, &complete(&others)));
    }
    let outdated = DeploymentStatus { observed_generation: Some(1), ..complete(&sets((0, 0), (10, 10))) };
    assert!(!is_complete(&deployment, &outdated));
}

/// DP-T24.
#[test]
fn the_next_check_is_a_second_after_the_deadline() {
    let status = rolled(&created(), &sets((10, 10), (3, 0)), 10);
    assert_eq!(next_check(&deployment(false), &status, at(40)), Some(Duration::from_secs(31)));
    assert_eq!(next_check(&deployment(false), &status, at(100)), Some(Duration::from_secs(1)));
    assert_eq!(next_check(&deployment(false), &DeploymentStatus::default(), at(0)), None);
    let mut without = deployment(false);
    without.spec.progress_deadline_seconds = Some(i32::MAX); // upstream's word for none
    assert_eq!(next_check(&without, &status, at(40)), None);
    let mut new = status.clone();
    set_progress(&without, &status, &mut new, &sets((10, 10), (3, 0)), at(40));
    assert_eq!(told(&new, PROGRESSING), ("", "", ""));
}

/// DP-T25.
#[test]
fn a_pause_and_its_end_are_conditions_unless_the_deadline_was_exceeded() {
    let mut status = created();
    set_paused(&deployment(true), &mut status, at(5));
    assert_eq!(told(&status, PROGRESSING), ("Unknown", reason::PAUSED, "Deployment is paused"));
    let paused = status.clone();
    set_paused(&deployment(true), &mut status, at(6));
    assert_eq!(status, paused);
    set_paused(&deployment(false), &mut status, at(500));
    assert_eq!(told(&status, PROGRESSING), ("Unknown", reason::RESUMED, "Deployment is resumed"));
    assert!(!has_timed_out(&status, Duration::from_secs(60), at(555)), "the pause does not count");
    set(&mut status, condition(PROGRESSING, "False", reason::TIMED_OUT, "late".to_owned(), at(600)));
    set_paused(&deployment(true), &mut status, at(700));
    assert_eq!(told(&status, PROGRESSING).1, reason::TIMED_OUT);
}

/// DP-T26.
#[test]
fn the_failure_of_the_new_set_comes_before_those_of_old_ones_and_goes_with_them() {
    let failing = |message: &str| {
        let failure =
            json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message});
        json!({"conditions": [failure]})
    };
    let both = Sets {
        new: Some(set_of("web-2", 3, 0, &failing("quota of new"))),
        old: vec![set_of("web-1", 10, 10, &failing("quota of old"))],
    };
    let status = rolled(&created(), &both, 1);
    assert_eq!(told(&status, REPLICA_FAILURE), ("True", "FailedCreate", "quota of new"));
    let old = Sets { old: both.old.clone(), ..sets((0, 0), (3, 0)) };
    assert_eq!(told(&rolled(&created(), &old, 1), REPLICA_FAILURE).2, "quota of old");
    assert_eq!(told(&rolled(&status, &sets((10, 10), (3, 0)), 2), REPLICA_FAILURE), ("", "", ""));
}
