//! What becomes of a key after a reconcile, as a value: no queue, no clock. Decided once, for all reconcilers.

use std::time::Duration;

use crate::reconciler::{Action, Again, Error};

/// What the worker does with the key it has just reconciled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Forget its failures; it comes back with an event.
    Settled,
    /// Forget its failures and add it again.
    Again,
    /// Forget its failures and add it again after this time.
    After(Duration),
    /// Keep count of the failure and add it again after its backoff.
    Backoff,
    /// Forget its failures: it was tried often enough, or trying again cannot help.
    GiveUp,
}

/// The one place where results of reconciles are classified.
///
/// - A success forgets the failures before it, whatever it asks for next.
/// - A refusal because the namespace is terminating counts as a success.
/// - Any other error backs off, until `max_retries` attempts after the first one have failed.
pub(crate) fn next(result: &Result<Action, Error>, failures: u32, max_retries: Option<u32>) -> Next {
    match result {
        Ok(Action(Again::OnEvent)) => Next::Settled,
        Ok(Action(Again::Now)) => Next::Again,
        Ok(Action(Again::After(delay))) => Next::After(*delay),
        Err(error) if error.is_namespace_terminating() => Next::Settled,
        Err(error) if error.is_terminal() => Next::GiveUp,
        Err(_) if max_retries.is_some_and(|most| failures >= most) => Next::GiveUp,
        Err(_) => Next::Backoff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Result<Action, Error> {
        Err(std::io::Error::other("no").into())
    }

    #[test]
    fn successes_settle_or_come_back_as_they_ask() {
        let after = Duration::from_secs(3);
        assert_eq!(next(&Ok(Action::done()), 7, Some(3)), Next::Settled);
        assert_eq!(next(&Ok(Action::requeue()), 0, None), Next::Again);
        assert_eq!(next(&Ok(Action::requeue_after(after)), 0, None), Next::After(after));
    }

    #[test]
    fn failures_back_off_until_the_last_retry() {
        assert_eq!(next(&failed(), 10_000, None), Next::Backoff);
        assert_eq!(next(&failed(), 2, Some(3)), Next::Backoff);
        assert_eq!(next(&failed(), 3, Some(3)), Next::GiveUp);
        assert_eq!(next(&failed(), 0, Some(0)), Next::GiveUp);
    }

    #[test]
    fn terminal_errors_are_not_retried() {
        assert_eq!(next(&Err(Error::terminal("spec contradicts itself")), 0, None), Next::GiveUp);
    }
}
