//! The rules for a key after its reconcile, as a plain value: no queue, no clock. The same for all reconcilers.

use std::time::Duration;

use crate::reconciler::{Action, Error, Requeue};

/// The worker's next step for the key that it has just reconciled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Forget its failures. The next event adds it again.
    Done,
    /// Forget its failures and add it again now.
    Requeue,
    /// Forget its failures and add it again after this time.
    RequeueAfter(Duration),
    /// Count the failure and add it again after a backoff.
    Backoff,
    /// Forget its failures: it has no retries left, or a retry cannot help. The next event adds it again.
    GiveUp,
}

/// Classifies the result of a reconcile.
///
/// - A success forgets earlier failures, whatever its [`Action`].
/// - A write refused because its namespace is terminating counts as a success.
/// - A terminal error is not retried.
/// - Any other error backs off, at most `max_retries` times in a row.
pub(crate) fn decide(result: &Result<Action, Error>, failures: u32, max_retries: Option<u32>) -> Decision {
    match result {
        Ok(Action(Requeue::No)) => Decision::Done,
        Ok(Action(Requeue::Now)) => Decision::Requeue,
        Ok(Action(Requeue::After(delay))) => Decision::RequeueAfter(*delay),
        Err(error) if error.is_namespace_terminating() => Decision::Done,
        Err(error) if error.is_terminal() => Decision::GiveUp,
        Err(_) if max_retries.is_some_and(|max| failures >= max) => Decision::GiveUp,
        Err(_) => Decision::Backoff,
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
        assert_eq!(decide(&Ok(Action::requeue()), 0, None), Decision::Requeue);
        assert_eq!(decide(&Ok(Action::requeue_after(after)), 0, None), Decision::RequeueAfter(after));
    }

    #[test]
    fn failures_back_off_until_the_last_retry() {
        assert_eq!(decide(&failed(), 10_000, None), Decision::Backoff);
        assert_eq!(decide(&failed(), 2, Some(3)), Decision::Backoff);
        assert_eq!(decide(&failed(), 3, Some(3)), Decision::GiveUp);
        assert_eq!(decide(&failed(), 0, Some(0)), Decision::GiveUp);
    }

    #[test]
    fn terminal_errors_are_not_retried() {
        assert_eq!(decide(&Err(Error::terminal("the spec contradicts itself")), 0, None), Decision::GiveUp);
    }
}
