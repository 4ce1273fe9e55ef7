//! The rules for a key after its reconcile, as a plain value: no queue, no clock. The same for all reconcilers.

use std::time::Duration;

use crate::{
    action::{Action, Requeue},
    failure::{Class, Error},
};

/// The worker's next step for the key that it has just reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Forget its failures. The next event adds it again.
    Done,
    /// Forget its failures and add it again now.
    RequeueNow,
    /// Add it again after the delay of the rate limiter, which counts it.
    RequeueRateLimited,
    /// Forget its failures and add it again after this time.
    RequeueAfter(Duration),
    /// Count the failure and add it again after a backoff.
    Backoff,
    /// Count the failure and add it again after this time.
    RetryAfter(Duration),
    /// Forget its failures: it has no retries left, or a retry cannot help. The next event adds it again.
    GiveUp,
    /// Add it again after this time, unless an event comes before. Its failures stay as they are.
    Park(Duration),
}

impl Decision {
    /// Returns whether the reconcile counts as failed.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Backoff | Self::RetryAfter(_) | Self::GiveUp)
    }
}

/// Classifies the result of a reconcile.
///
/// - A success forgets earlier failures, whatever its [`Action`]. The rate limiter forgets them, too, unless the action
///   is a rate-limited requeue.
/// - A write refused because its namespace is terminating counts as a success.
/// - A reconcile that waits for its own writes is neither a success nor a failure.
/// - A terminal error is not retried.
/// - Any other error is retried, at most `max_retries` times in a row.
pub(crate) fn decide(result: &Result<Action, Error>, failures: u32, max_retries: Option<u32>) -> Decision {
    let error = match result {
        Ok(action) => {
            return match action.requeue {
                Requeue::No => Decision::Done,
                Requeue::RateLimited => Decision::RequeueRateLimited,
                Requeue::Now => Decision::RequeueNow,
                Requeue::After(delay) => Decision::RequeueAfter(delay),
            };
        }
        Err(error) => error,
    };
    match error.class() {
        Class::Waiting(limit) => Decision::Park(limit),
        _ if error.is_namespace_terminating() => Decision::Done,
        Class::Terminal => Decision::GiveUp,
        _ if max_retries.is_some_and(|max| failures >= max) => Decision::GiveUp,
        Class::Retryable => Decision::Backoff,
        Class::RetryAfter(delay) => Decision::RetryAfter(delay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Result<Action, Error> {
        Err(Error::new("no"))
    }

    #[test]
    fn a_success_is_requeued_as_its_action_says() {
        let after = Duration::from_secs(3);
        assert_eq!(decide(&Ok(Action::done()), 7, Some(3)), Decision::Done);
        assert_eq!(decide(&Ok(Action::requeue()), 0, None), Decision::RequeueRateLimited);
        assert_eq!(decide(&Ok(Action::requeue_now()), 0, None), Decision::RequeueNow);
        assert_eq!(decide(&Ok(Action::requeue_after(after)), 0, None), Decision::RequeueAfter(after));
        assert_eq!(decide(&Ok(Action::requeue_after(Duration::ZERO)), 0, None), Decision::Done);
    }

    #[test]
    fn failures_back_off_until_the_last_retry() {
        assert_eq!(decide(&failed(), 10_000, None), Decision::Backoff);
        assert_eq!(decide(&failed(), 2, Some(3)), Decision::Backoff);
        assert_eq!(decide(&failed(), 3, Some(3)), Decision::GiveUp);
        assert_eq!(decide(&failed(), 0, Some(0)), Decision::GiveUp);
        let after = Duration::from_secs(3);
        let later = Err(Error::retry_after(after, "429"));
        assert_eq!(decide(&later, 2, Some(3)), Decision::RetryAfter(after));
        assert_eq!(decide(&later, 3, Some(3)), Decision::GiveUp);
    }

    #[test]
    fn terminal_errors_are_not_retried() {
        assert_eq!(decide(&Err(Error::terminal("the spec contradicts itself")), 0, None), Decision::GiveUp);
    }

    #[test]
    fn a_reconcile_that_waits_is_parked_whatever_its_retries() {
        let limit = Duration::from_secs(9);
        let decision = decide(&Err(Error::waiting(limit, "pods")), 3, Some(3));
        assert_eq!((decision, decision.is_failure()), (Decision::Park(limit), false));
    }
}
