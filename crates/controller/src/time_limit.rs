//! [`within_limit`]: a time limit that costs nothing until the future waits.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use tokio::{
    task::coop::unconstrained,
    time::{Instant, sleep_until},
};

/// Awaits `future` until `limit` after `began`; `None` if it takes longer.
///
/// As tokio's `timeout`, but the timer is made when the future waits for the first time: a reconcile that finds nothing to
/// do is over by then.
///
/// # Cancel safety
///
/// If dropped, `future` is dropped.
pub(crate) async fn within_limit<T>(
    began: Instant,
    limit: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut timer = pin!(None);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if timer.is_none()
            && let Some(end) = began.checked_add(limit)
        {
            // Unconstrained: a future that uses up its task's budget in each poll would otherwise never be ended.
            timer.set(Some(unconstrained(sleep_until(end))));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(cx).map(|()| None),
            None => Poll::Pending, // a limit past the end of time
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::{
        task::coop::consume_budget,
        time::{advance, sleep},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn the_limit_counts_from_the_beginning() {
        let began = Instant::now();
        sleep(Duration::from_secs(4)).await;
        assert_eq!(within_limit(began, LIMIT, pending::<()>()).await, None);
        assert_eq!(began.elapsed().as_secs(), 10);
        assert_eq!(within_limit(began, 2 * LIMIT, sleep(Duration::from_secs(9))).await, Some(()));
        assert_eq!(within_limit(began, Duration::MAX, sleep(LIMIT)).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_future_that_uses_up_its_budget_is_ended() {
        let busy = async {
            loop {
                consume_budget().await;
            }
        };
        let began = Instant::now();
        let ending = tokio::spawn(within_limit(began, Duration::from_millis(1), busy));
        for _ in 0..1000 {
            advance(Duration::from_millis(1)).await; // by hand: a busy task keeps the paused clock from moving
        }
        assert!(ending.is_finished(), "the busy future was not ended");
    }
}
