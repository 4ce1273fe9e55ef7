//! [`ClaimError`]: the dependents that could not be claimed, and all the others.

use std::{error, fmt, sync::Arc};

use trimtab_cache::ObjectKey;

use crate::{AdoptionDenied, request::RequestError, state::Wanted};

/// Some dependents could not be adopted or released. The rest of the list was processed.
///
/// Try the whole sync again, with backoff. Until then only the [`claimed`](Self::claimed) dependents are
/// known to be the owner's. Do not create a replacement for one that failed: it may be the owner's, too.
pub struct ClaimError<T> {
    pub(crate) owner: Arc<str>,
    pub(crate) claimed: Vec<Arc<T>>,
    pub(crate) failures: Vec<ClaimFailure>,
}

impl<T> ClaimError<T> {
    /// Returns the dependents that were claimed nevertheless, in the order of the list.
    pub fn claimed(&self) -> &[Arc<T>] {
        &self.claimed
    }

    /// Returns the dependents that were claimed nevertheless, in the order of the list.
    pub fn into_claimed(self) -> Vec<Arc<T>> {
        self.claimed
    }

    /// Returns the failures, in the order of the list; at least one.
    pub fn failures(&self) -> &[ClaimFailure] {
        &self.failures
    }
}

impl<T> fmt::Debug for ClaimError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimError")
            .field("owner", &self.owner)
            .field("claimed", &self.claimed.len())
            .field("failures", &self.failures)
            .finish()
    }
}

impl<T> fmt::Display for ClaimError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not claim {} of its dependents: ", self.owner, self.failures.len())?;
        for (number, failure) in self.failures.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{failure}")?;
        }
        Ok(())
    }
}

impl<T> error::Error for ClaimError<T> {
    /// Returns the first failure.
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.failures.first().map(|failure| failure as _)
    }
}

/// One dependent that could not be adopted or released.
#[derive(Debug)]
pub struct ClaimFailure {
    pub(crate) key: ObjectKey,
    pub(crate) wanted: Wanted,
    pub(crate) cause: Cause,
}

#[derive(Debug)]
pub(crate) enum Cause {
    Denied(AdoptionDenied),
    Request(RequestError),
}

impl ClaimFailure {
    /// Returns the dependent.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Returns whether the failed patch was an adoption; otherwise it was a release.
    pub fn is_adoption(&self) -> bool {
        self.wanted == Wanted::Adopt
    }

    /// Returns whether the owner may not adopt, so that no patch was sent.
    pub fn is_denied(&self) -> bool {
        matches!(self.cause, Cause::Denied(_))
    }

    /// Returns whether the dependent was not in the state that the patch named. A later sync sees its new state.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// Returns whether there was no reply in time. The patch may have been applied; a later sync sees the result.
    pub fn is_timeout(&self) -> bool {
        matches!(&self.cause, Cause::Request(RequestError::Deadline(_)))
    }

    fn code(&self) -> Option<u16> {
        match &self.cause {
            Cause::Request(error) => error.code(),
            Cause::Denied(_) => None,
        }
    }
}

impl fmt::Display for ClaimFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_adoption() { "adopting" } else { "releasing" };
        write!(f, "{verb} {}", self.key)
    }
}

impl error::Error for ClaimFailure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.cause {
            Cause::Denied(denied) => Some(denied),
            Cause::Request(error) => Some(error),
        }
    }
}
