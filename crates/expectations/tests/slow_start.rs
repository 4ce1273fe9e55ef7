//! The promises of a slow start.

use std::{
    cell::{Cell, RefCell},
    num::NonZeroUsize,
};

use tokio::time::{Duration, Instant, sleep, timeout};
use trimtab_expectations::{SlowStart, slow_start_batch};

/// Ten calls, of which only the first `limit` succeed: (calls, successes, failed).
async fn ten_calls(limit: usize) -> (usize, usize, bool) {
    let calls = Cell::new(0);
    let outcome = slow_start_batch(10, 1, |index| {
        calls.set(calls.get() + 1);
        async move { if index < limit { Ok(()) } else { Err("limit reached") } }
    })
    .await;
    let (succeeded, failed, untried) = (outcome.succeeded.len(), outcome.failed.len(), outcome.untried.len());
    assert_eq!((succeeded + failed, outcome.interrupted), (calls.get(), 0));
    assert_eq!(untried, 10 - calls.get());
    (calls.get(), succeeded, outcome.into_result().is_err())
}

/// EX-T3.
#[tokio::test(start_paused = true)]
async fn calls_double_until_one_fails() {
    assert_eq!(ten_calls(0).await, (1, 0, true));
    assert_eq!(ten_calls(10).await, (10, 10, false));
    assert_eq!(ten_calls(5).await, (7, 5, true));
}

/// Guarantee 6: the error of call 1 neither stops call 2, which is slower, nor lets call 3 start.
#[tokio::test(start_paused = true)]
async fn a_batch_that_was_started_is_completed_and_none_is_started_after_an_error() {
    let finished = RefCell::new(Vec::new());
    let outcome = slow_start_batch(10, 1, |index| {
        let finished = &finished;
        async move {
            sleep(Duration::from_secs(index as u64)).await;
            finished.borrow_mut().push(index);
            if index == 1 { Err(index) } else { Ok(index) }
        }
    })
    .await;
    assert_eq!(*finished.borrow(), [0, 1, 2]);
    assert_eq!((outcome.succeeded, outcome.failed), (vec![0, 2], vec![1]));
    assert_eq!(outcome.untried, [3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_runs_concurrently() {
    let start = Instant::now();
    let outcome = slow_start_batch(500, 1, |_| async {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, ()>(())
    })
    .await;
    assert_eq!(outcome.succeeded.len(), 500);
    assert_eq!(start.elapsed().as_secs(), 9, "1 + 2 + 4 + … + 128 + 245 calls");
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_at_once_than_is_allowed() {
    let (running, most) = (Cell::new(0), Cell::new(0));
    let three = NonZeroUsize::new(3).expect("not zero");
    let mut batch = SlowStart::new(0..20).initial(20).concurrency(three);
    batch
        .run(async |_| {
            running.set(running.get() + 1);
            most.set(running.get().max(most.get()));
            sleep(Duration::from_secs(1)).await;
            running.set(running.get() - 1);
            Ok::<_, ()>(())
        })
        .await;
    assert_eq!((batch.into_outcome().succeeded.len(), most.get()), (20, 3));
}

#[tokio::test(start_paused = true)]
async fn of_several_errors_the_one_with_the_lowest_position_is_returned() {
    let outcome = slow_start_batch(3, 3, |index| async move {
        sleep(Duration::from_secs(3 - index as u64)).await;
        Err::<(), _>(index)
    })
    .await;
    assert_eq!(outcome.failed, [0, 1, 2]);
    assert_eq!(outcome.into_result(), Err(0));
}

/// The line that it guards: results are kept in `self` as they come.
#[tokio::test(start_paused = true)]
async fn a_batch_that_is_dropped_tells_the_calls_that_succeeded_were_interrupted_and_were_never_made() {
    let mut batch = SlowStart::new(0..10).initial(4);
    let run = batch.run(async |index: u64| {
        sleep(Duration::from_secs(index)).await;
        Ok::<_, ()>(index)
    });
    assert!(timeout(Duration::from_millis(1_500), run).await.is_err());
    let outcome = batch.into_outcome();
    assert_eq!((outcome.succeeded, outcome.interrupted), (vec![0, 1], 2));
    assert_eq!(outcome.untried, [4, 5, 6, 7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_dropped_goes_on_with_the_items_that_were_not_tried() {
    let mut batch = SlowStart::new(0..4).initial(2);
    let slow = batch.run(async |_| {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, ()>(())
    });
    assert!(timeout(Duration::from_millis(500), slow).await.is_err());
    batch.run(async |_| Ok(())).await;
    let outcome = batch.into_outcome();
    assert_eq!((outcome.succeeded.len(), outcome.interrupted, outcome.untried), (2, 2, vec![]));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_calls_nothing_and_an_initial_size_of_zero_makes_progress() {
    let none = slow_start_batch(0, 1, |_| async { Err::<(), _>("called") }).await;
    assert_eq!(none.into_result(), Ok(vec![]));
    let all = slow_start_batch(5, 0, |_| async { Ok::<_, ()>(()) }).await;
    assert_eq!(all.into_result(), Ok(vec![(); 5]));
}
