//! [`ClaimError`]: what went wrong with some of the dependents, and all the others.

use std::{error, fmt, sync::Arc};

use trimtab_cache::ObjectKey;

use crate::AdoptionDenied;

/// Some dependents could not be adopted or released. The rest of the list was processed.
///
/// The right answer is to try the whole sync again, with backoff. Until then
/// [`claimed`](Self::claimed) is what is known to be ours, and an object that failed is in doubt, so
/// do not create in its place.
pub struct ClaimError<T> {
    pub(crate) owner: Arc<str>,
    pub(crate) claimed: Vec<Arc<T>>,
    pub(crate) failures: Vec<ClaimFailure>,
}

impl<T> ClaimError<T> {
    /// The dependents that were claimed nevertheless, in the order of the list.
    pub fn claimed(&self) -> &[Arc<T>] {
        &self.claimed
    }

    /// The dependents that were claimed nevertheless, in the order of the list.
    pub fn into_claimed(self) -> Vec<Arc<T>> {
        self.claimed
    }

    /// What failed, in the order of the list; at least one.
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
        write!(f, "{} could not claim {} of its dependents", self.owner, self.failures.len())
    }
}

impl<T> error::Error for ClaimError<T> {
    /// The first failure.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Adopt,
    Release,
}

#[derive(Debug)]
pub(crate) enum Cause {
    Denied(AdoptionDenied),
    Api(Box<kube_client::Error>),
}

impl ClaimFailure {
    /// The dependent.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Whether it was to be adopted; else it was to be released.
    pub fn is_adoption(&self) -> bool {
        self.wanted == Wanted::Adopt
    }

    /// Whether the owner may not adopt; nothing was sent then.
    pub fn is_denied(&self) -> bool {
        matches!(self.cause, Cause::Denied(_))
    }

    /// Whether the dependent has changed since it was cached, so that a later sync will see why.
    pub fn is_conflict(&self) -> bool {
        matches!(&self.cause, Cause::Api(error) if code(error) == Some(409))
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
            Cause::Api(error) => Some(error),
        }
    }
}

/// The HTTP status that the server answered with, if it answered.
pub(crate) fn code(error: &kube_client::Error) -> Option<u16> {
    match error {
        kube_client::Error::Api(status) => Some(status.code),
        _ => None,
    }
}
