//! The order in which keys come out: priorities, ageing, and turns between groups.

use std::num::{NonZeroU32, NonZeroUsize};

use trimtab_workqueue::{AddOptions, WorkQueue, priority};

fn ageing(arrivals: u32) -> WorkQueue<u32> {
    WorkQueue::builder().ageing(NonZeroU32::new(arrivals).expect("not zero")).build()
}

fn at(priority: i16) -> AddOptions {
    AddOptions::new().priority(priority)
}

fn take_all<K: Copy + std::hash::Hash + Eq + Send + 'static>(queue: &WorkQueue<K>) -> Vec<K> {
    std::iter::from_fn(|| queue.try_get().map(|item| *item)).collect()
}

/// Guarantee 7, its second sentence.
#[test]
fn the_higher_priority_is_first_and_equal_ones_come_in_arrival_order() {
    let queue = ageing(1000);
    for (key, priority) in [(1, 0), (2, -100), (3, 5), (4, 0), (5, 5), (6, i16::MAX), (7, i16::MIN)] {
        queue.add_with(key, at(priority));
    }
    assert_eq!(take_all(&queue), [6, 3, 5, 1, 4, 2, 7]);
}

/// controller-runtime: "re-adding keeps the max priority".
#[test]
fn raising_a_key_moves_it_and_lowering_does_not() {
    let queue = ageing(1000);
    (1..=4).for_each(|key| assert!(queue.add(key)));
    queue.add_with(3, at(1));
    queue.add_with(1, at(-1));
    assert_eq!(take_all(&queue), [3, 1, 2, 4]);
}

/// Unlike in controller-runtime, the key is not last among the keys of its new priority: it has waited
/// longer.
#[test]
fn a_raised_key_keeps_its_arrival() {
    let queue = ageing(1000);
    queue.add_with(1, at(-1));
    queue.add(2);
    queue.add(3);
    queue.add_with(1, at(0));
    assert_eq!(take_all(&queue), [1, 2, 3]);
}

/// controller-runtime: "re-adding keeps the min delay". The priority still holds when the delay ends.
#[tokio::test(start_paused = true)]
async fn a_delayed_key_arrives_with_the_highest_priority_asked_for() {
    let queue = ageing(1000);
    let ms = std::time::Duration::from_millis(1);
    queue.add_with(1, at(7).after(20 * ms));
    queue.add_with(1, at(-7).after(10 * ms));
    tokio::time::advance(15 * ms).await;
    queue.add(2);
    let item = queue.get().await.expect("both are ready");
    assert_eq!((*item, item.priority()), (1, 7));
}

#[test]
fn a_key_added_while_processing_comes_again_with_its_new_priority() {
    let queue = ageing(1000);
    queue.add_with(1, at(9));
    let item = queue.try_get().expect("1 is ready");
    queue.add_with(1, at(-1));
    queue.add_with(1, at(-2));
    queue.add(2);
    assert_eq!(item.priority(), 9);
    drop(item);
    assert_eq!(take_all(&queue), [2, 1]);
}

/// Guarantee 7: the bound that `ageing` documents, with a queue that is never empty (CR#3496).
#[test]
fn a_key_cannot_starve_under_a_million_arrivals_of_higher_priority() {
    let queue = ageing(1000);
    queue.add_with(u32::MAX, at(priority::LOW));
    let mut overtook = None;
    for key in 0..1_000_000 {
        queue.add(key);
        let item = queue.try_get().expect("the queue is never empty");
        if *item == u32::MAX {
            assert_eq!(overtook.replace(key), None);
        }
    }
    assert_eq!(overtook, Some(100 * 1000)); // 100 levels, 1000 arrivals each
}

/// Guarantee 8, with a burst in one of the groups.
#[test]
fn the_nth_key_of_a_group_comes_out_within_n_rounds() {
    let queue = WorkQueue::builder().group_by(|key: &(&'static str, u32)| key.0).build();
    (0..100_000).for_each(|n| assert!(queue.add(("storm", n))));
    (0..10).for_each(|n| assert!(queue.add(("calm", n))));
    (0..10).for_each(|n| assert!(queue.add(("quiet", n))));
    let first: Vec<_> = (0..30).map(|_| *queue.try_get().expect("plenty is ready")).collect();
    for (n, keys) in (0..).zip(first.chunks(3)) {
        assert_eq!(keys, [("storm", n), ("calm", n), ("quiet", n)]);
    }
}

#[test]
fn priorities_order_the_keys_within_a_group() {
    let queue = WorkQueue::builder().group_by(|key: &(&'static str, u32)| key.0).build();
    for (key, priority) in [(("a", 1), 0), (("a", 2), 9), (("b", 1), -9), (("b", 2), 0)] {
        queue.add_with(key, at(priority));
    }
    assert_eq!(take_all(&queue), [("a", 2), ("b", 2), ("a", 1), ("b", 1)]);
}

/// A namespace with a storm of keys takes one worker, and the others reconcile the calm one.
#[tokio::test(start_paused = true)]
async fn a_group_at_its_limit_leaves_the_workers_to_the_others() {
    let queue = WorkQueue::builder().group_by(|key: &(&'static str, u32)| key.0);
    let queue = queue.group_limit(NonZeroUsize::MIN).build();
    (0..3).for_each(|n| assert!(queue.add(("storm", n))));
    queue.add(("calm", 0));
    let [storm, calm] = [queue.try_get(), queue.try_get()].map(|item| item.expect("each group has a turn"));
    assert_eq!([*storm, *calm], [("storm", 0), ("calm", 0)]);
    assert!(queue.try_get().is_none(), "two keys are ready, and their group is at its limit");
    assert_eq!(queue.len(), 2);
    // A worker that waits is woken by the end of the work, not by an add.
    let next = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.map(|item| *item) }
    });
    tokio::task::yield_now().await;
    drop(storm);
    assert_eq!(next.await.expect("no panic"), Some(("storm", 1)));
}
