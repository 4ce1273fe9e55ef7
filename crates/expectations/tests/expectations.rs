//! Expectations, as a handler and a reconciler use them.

use std::{collections::BTreeSet, thread, time::Duration};

use rand_order::shuffled;
use tokio::time::advance;
use trimtab_expectations::Expectations;

const TTL: Duration = Duration::from_secs(5 * 60);

/// EX-T1, guarantee 1.
#[tokio::test(start_paused = true)]
async fn a_key_is_satisfied_once_all_that_was_expected_has_come_or_has_expired() {
    let expectations = Expectations::new();
    let key = "default/web";
    expectations.set(&key, 10, 30);

    thread::scope(|scope| {
        for _ in 0..11 {
            scope.spawn(|| expectations.creation_observed(&key));
        }
    });
    assert!(!expectations.satisfied(&key), "the deletions are missing");
    thread::scope(|scope| {
        for _ in 0..31 {
            scope.spawn(|| expectations.deletion_observed(&key));
        }
    });
    let counts = expectations.get(&key).expect("a record");
    assert_eq!((counts.creations, counts.deletions), (-1, -1));
    assert!(expectations.satisfied(&key));

    expectations.set(&key, 1, 2);
    let counts = expectations.get(&key).expect("a record");
    assert_eq!((counts.creations, counts.deletions), (1, 2));
    assert!(!expectations.satisfied(&key));

    advance(TTL).await;
    assert!(!expectations.satisfied(&key));
    let wait = expectations.expires_in(&key).expect("not satisfied");
    tokio::time::sleep(wait).await;
    assert!(expectations.satisfied(&key));
}

/// EX-T2.
#[tokio::test(start_paused = true)]
async fn each_controller_waits_for_exactly_its_own_deletions() {
    let expectations = Expectations::new();
    let controllers = ["a", "b", "c", "d"];
    let uid = |controller: &str, index: usize| format!("{controller}-{index}");
    for controller in controllers {
        expectations.expect_deletions_by_uid(&controller, (0..5).map(|index| uid(controller, index)));
    }
    for controller in shuffled(controllers) {
        for index in shuffled([0, 1, 2, 3, 4]) {
            assert!(!expectations.satisfied(&controller));
            assert!(expectations.deletion_observed_by_uid(&controller, &uid(controller, index)));
        }
        assert!(expectations.satisfied(&controller));
        assert_eq!(expectations.awaited_uids(&controller), Some(Vec::new()));
        expectations.delete_expectations(&controller);
        assert_eq!(expectations.awaited_uids(&controller), None);
        assert_eq!(expectations.get(&controller), None);
    }
}

/// Guarantee 2.
#[tokio::test(start_paused = true)]
async fn a_key_of_which_nothing_was_expected_is_satisfied_whatever_is_observed() {
    let expectations = Expectations::new();
    let key = "default/web";
    expectations.creation_observed(&key);
    expectations.deletion_observed(&key);
    expectations.raise(&key, 1, 1);
    assert!(!expectations.deletion_observed_by_uid(&key, "u1"));
    assert!(expectations.satisfied(&key));
    assert_eq!(expectations.get(&key), None);
}

/// Guarantee 3.
#[tokio::test(start_paused = true)]
async fn expecting_creations_does_not_forget_awaited_deletions_nor_the_other_way_round() {
    let expectations = Expectations::new();
    let key = "default/web";
    expectations.expect_deletions_by_uid(&key, ["u1"]);
    expectations.expect_creations(&key, 1);
    expectations.creation_observed(&key);
    assert!(!expectations.satisfied(&key));
    expectations.expect_creations(&key, 1);
    expectations.expect_deletions(&key, 1);
    expectations.deletion_observed(&key);
    expectations.deletion_observed_by_uid(&key, "u1");
    assert!(!expectations.satisfied(&key));
    expectations.creation_observed(&key);
    assert!(expectations.satisfied(&key));
}

/// Guarantee 4: the deletion timestamp is set, then the object goes; its namesake goes as well.
#[tokio::test(start_paused = true)]
async fn a_deletion_awaited_by_uid_counts_once_and_only_its_own() {
    let expectations = Expectations::new();
    let key = "default/web";
    expectations.expect_deletions_by_uid(&key, ["u1", "u2"]);
    assert!(expectations.deletion_observed_by_uid(&key, "u1"));
    assert!(!expectations.deletion_observed_by_uid(&key, "u1"));
    assert!(!expectations.deletion_observed_by_uid(&key, "u3"));
    let awaited: BTreeSet<_> = expectations.awaited_uids(&key).into_iter().flatten().collect();
    assert_eq!(awaited, BTreeSet::from(["u2".into()]));
    assert!(!expectations.satisfied(&key));
}

/// A handle in a handler and one in a reconciler are the same expectations.
#[tokio::test(start_paused = true)]
async fn clones_share_their_records_and_the_time_to_live_can_be_set() {
    let expectations = Expectations::builder().ttl(Duration::from_secs(1)).build();
    let handler = expectations.clone();
    expectations.expect_creations(&"default/web", 1);
    assert!(!handler.satisfied(&"default/web"));
    advance(Duration::from_millis(1001)).await;
    assert!(handler.satisfied(&"default/web"));
}

mod rand_order {
    use std::hash::{BuildHasher, RandomState};

    /// `items` in a random order, from the randomness that the standard library has.
    pub(super) fn shuffled<T: Copy, const N: usize>(items: [T; N]) -> [T; N] {
        let random = RandomState::new();
        let mut order: [usize; N] = std::array::from_fn(|index| index);
        order.sort_by_key(|index| random.hash_one(index));
        order.map(|index| items[index])
    }
}
