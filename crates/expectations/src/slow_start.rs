//! [`slow_start_batch`]: many calls, but a single one against a server that refuses them all.

use std::future::Future;

use futures_util::future::join_all;

/// What came of a [`slow_start_batch`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the calls that failed or were skipped must be taken back from what is expected"]
#[non_exhaustive]
pub struct BatchOutcome<E> {
    /// How many calls succeeded.
    pub successes: usize,
    /// How many calls failed.
    pub failures: usize,
    /// How many calls were never made, because an earlier batch had an error.
    pub skipped: usize,
    /// The error of the failed call with the lowest index.
    pub first_error: Option<E>,
}

impl<E> BatchOutcome<E> {
    /// The number of successes, or the first error if there was one.
    ///
    /// # Errors
    ///
    /// The error of the failed call with the lowest index.
    pub fn into_result(self) -> Result<usize, E> {
        match self.first_error {
            None => Ok(self.successes),
            Some(error) => Err(error),
        }
    }
}

/// Calls `call` with 0, 1, … `count` − 1, in concurrent batches of `initial`, 2 × `initial`,
/// 4 × `initial`, … calls, and starts no batch after one that had an error.
///
/// When every call would fail (a quota is used up, an admission webhook refuses), this costs the
/// server `initial` calls instead of `count`; when none fails, the number of round trips grows with
/// the logarithm of `count` only. A batch always completes, errors or not. An `initial` of 0
/// counts as 1, which is also what Kubernetes' controllers use.
///
/// The calls run within the caller's task: nothing is spawned, and a panic of one call is the
/// caller's.
///
/// # Cancel safety
///
/// Dropped early, the calls of the running batch are dropped with it: some of them may have reached
/// the server. What was expected of them stays expected until it is seen or expires.
pub async fn slow_start_batch<T, E, F>(
    count: usize,
    initial: usize,
    mut call: impl FnMut(usize) -> F,
) -> BatchOutcome<E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut outcome = BatchOutcome { successes: 0, failures: 0, skipped: count, first_error: None };
    let mut size = initial.max(1);
    while outcome.skipped > 0 && outcome.first_error.is_none() {
        let start = count - outcome.skipped;
        let batch = size.min(outcome.skipped);
        outcome.skipped -= batch;
        for result in join_all((start..start + batch).map(&mut call)).await {
            match result {
                Ok(_) => outcome.successes += 1,
                Err(error) => {
                    outcome.failures += 1;
                    outcome.first_error.get_or_insert(error);
                }
            }
        }
        size = size.saturating_mul(2);
    }
    outcome
}
