//! [`Requests`]: what controllers asked the server for.

use std::fmt;

use trimtab_apiserver::{Exchange, Verb};

use crate::rbac::Permissions;

/// The resources that a process writes for itself: Leases of elections, and Events.
const BOOKKEEPING: [&str; 4] =
    ["leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io", "events", "events.events.k8s.io"];

/// Requests of controllers with their responses, the oldest first.
///
/// Prints one line for each.
#[derive(Debug, Clone)]
pub struct Requests(pub(crate) Vec<Exchange>);

impl Requests {
    /// Returns the requests.
    pub fn iter(&self) -> impl Iterator<Item = &Exchange> {
        self.0.iter()
    }

    /// Returns the number of requests.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the requests for one resource, such as `pods` or `deployments.apps`.
    #[must_use]
    pub fn of(&self, resource: &str) -> Self {
        Self(self.0.iter().filter(|exchange| exchange.resource == resource).cloned().collect())
    }

    /// Returns the requests that change objects, without those for Leases of an election and for Events.
    #[must_use]
    pub fn writes(&self) -> Self {
        let writes = |exchange: &&Exchange| {
            !matches!(exchange.verb, Verb::Get | Verb::List | Verb::Watch)
                && !BOOKKEEPING.contains(&&*exchange.resource)
        };
        Self(self.0.iter().filter(writes).cloned().collect())
    }

    /// Returns the permissions that the requests needed.
    pub fn permissions(&self) -> Permissions {
        Permissions::of(&self.0)
    }

    /// Asserts that nothing was written, except for Leases and Events.
    ///
    /// # Panics
    ///
    /// If something was written: the message lists the requests.
    #[track_caller]
    pub fn assert_wrote_nothing(&self) {
        let writes = self.writes();
        assert!(writes.is_empty(), "expected no write, but there were {}:\n{writes}", writes.len());
    }

    /// Asserts that exactly one request changes objects.
    ///
    /// # Panics
    ///
    /// If it was another number: the message lists the requests.
    #[track_caller]
    pub fn assert_wrote_once(&self) {
        let writes = self.writes();
        assert!(writes.len() == 1, "expected one write, but there were {}:\n{writes}", writes.len());
    }

    /// Asserts that no request had a conflict (409).
    ///
    /// # Panics
    ///
    /// If one had: the message lists those requests.
    #[track_caller]
    pub fn assert_no_conflict(&self) {
        let conflicts: Vec<_> =
            self.0.iter().filter(|exchange| exchange.code == Some(409)).cloned().collect();
        assert!(
            conflicts.is_empty(),
            "expected no conflict, but there were {}:\n{}",
            conflicts.len(),
            Self(conflicts)
        );
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, exchange) in self.0.iter().enumerate() {
            let line = if number > 0 { "\n" } else { "" };
            let Exchange { verb, resource, subresource, namespace, name, code, .. } = exchange;
            write!(f, "{line}{} {resource}", verb.word())?;
            if !subresource.is_empty() {
                write!(f, "/{subresource}")?;
            }
            match (namespace.is_empty(), name.is_empty()) {
                (true, true) => {}
                (false, true) => write!(f, " in {namespace}")?,
                (true, false) => write!(f, " {name}")?,
                (false, false) => write!(f, " {namespace}/{name}")?,
            }
            match code {
                Some(code) => write!(f, ": {code}")?,
                None => f.write_str(": no reply")?,
            }
        }
        Ok(())
    }
}
