//! What a slow start promises.

use std::cell::{Cell, RefCell};

use tokio::time::{Duration, Instant, sleep};
use trimtab_expectations::slow_start_batch;

/// Ten calls, of which only the first `limit` succeed: (calls, successes, failed).
async fn ten_calls(limit: usize) -> (usize, usize, bool) {
    let calls = Cell::new(0);
    let outcome = slow_start_batch(10, 1, |index| {
        calls.set(calls.get() + 1);
        async move { if index < limit { Ok(()) } else { Err("limit reached") } }
    })
    .await;
    assert_eq!(outcome.successes + outcome.failures + outcome.skipped, 10);
    assert_eq!(outcome.skipped, 10 - calls.get());
    (calls.get(), outcome.successes, outcome.into_result().is_err())
}

/// EX-T3.
#[tokio::test(start_paused = true)]
async fn calls_double_until_one_fails() {
    assert_eq!(ten_calls(0).await, (1, 0, true));
    assert_eq!(ten_calls(10).await, (10, 10, false));
    assert_eq!(ten_calls(5).await, (7, 5, true));
}

/// Guarantee 5: the error of call 1 neither stops call 2, which is slower, nor lets call 3 start.
#[tokio::test(start_paused = true)]
async fn a_batch_that_was_started_is_completed_and_none_is_started_after_an_error() {
    let finished = RefCell::new(Vec::new());
    let outcome = slow_start_batch(10, 1, |index| {
        let finished = &finished;
        async move {
            sleep(Duration::from_secs(index as u64)).await;
            finished.borrow_mut().push(index);
            if index == 1 { Err(index) } else { Ok(()) }
        }
    })
    .await;
    assert_eq!(*finished.borrow(), [0, 1, 2]);
    assert_eq!((outcome.successes, outcome.failures, outcome.skipped), (2, 1, 7));
}

#[tokio::test(start_paused = true)]
async fn a_batch_runs_concurrently() {
    let start = Instant::now();
    let outcome = slow_start_batch(500, 1, |_| async {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, ()>(())
    })
    .await;
    assert_eq!(outcome.successes, 500);
    assert_eq!(start.elapsed().as_secs(), 9, "1 + 2 + 4 + … + 128 + 245 calls");
}

#[tokio::test(start_paused = true)]
async fn of_several_errors_the_one_with_the_lowest_index_is_told() {
    let outcome = slow_start_batch(3, 3, |index| async move {
        sleep(Duration::from_secs(3 - index as u64)).await;
        Err::<(), _>(index)
    })
    .await;
    assert_eq!((outcome.failures, outcome.first_error), (3, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do_calls_nothing_and_an_initial_size_of_zero_makes_progress() {
    let none = slow_start_batch(0, 1, |_| async { Err::<(), _>("called") }).await;
    assert_eq!(none.into_result(), Ok(0));
    let all = slow_start_batch(5, 0, |_| async { Ok::<_, ()>(()) }).await;
    assert_eq!(all.into_result(), Ok(5));
}
