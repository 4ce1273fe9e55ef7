//! [`Reasons`]: the events that queued a key, as a bounded set of source and kind of event.

use std::{fmt, sync::Arc};

/// The most different reasons that are kept for a key.
pub(crate) const LIMIT: usize = 8;

/// The kind of an event that queues a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// An object was created, or existed already when the run began.
    Created,
    /// An object was changed.
    Updated,
    /// An object was deleted.
    Deleted,
    /// An object was delivered again without a change.
    Resync,
    /// A stream, a channel or a timer delivered the key.
    External,
    /// The cache shows the controller's own writes, for which the key waited.
    Woken,
    /// An earlier reconcile asked for another one.
    Requeued,
    /// An earlier reconcile failed.
    Retried,
}

impl EventKind {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Created, "created"),
        (Self::Updated, "updated"),
        (Self::Deleted, "deleted"),
        (Self::Resync, "resync"),
        (Self::External, "external"),
        (Self::Woken, "woken"),
        (Self::Requeued, "requeued"),
        (Self::Retried, "retried"),
    ];

    /// Returns the name in lower case, for logs.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One reason for which a key was queued.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Reason {
    /// The name of the source: the description of an informer, the name of an external source, or the controller's name
    /// for its own requeues.
    pub source: Arc<str>,
    /// The kind of event.
    pub event: EventKind,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source, self.event)
    }
}

/// The reasons for which a key was queued: a set of at most eight, merged while the key waited.
///
/// Prints as `pods updated, websites created`; with `…` at the end if there were more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Apart from the others: most keys have one reason, which then needs no allocation.
    first: Option<Reason>,
    others: Vec<Reason>,
    more: bool,
}

impl Reasons {
    /// Adds a reason. For tests that call a reconciler themselves.
    #[must_use]
    pub fn and(mut self, source: &str, event: EventKind) -> Self {
        self.insert(Reason { source: source.into(), event });
        self
    }

    pub(crate) fn insert(&mut self, reason: Reason) {
        match self.len() {
            0 => self.first = Some(reason),
            _ if self.iter().any(|known| *known == reason) => {}
            LIMIT.. => self.more = true,
            _ => self.others.push(reason),
        }
    }

    /// Notes that there were more reasons than are kept.
    pub(crate) fn cut(&mut self) {
        self.more = true;
    }

    /// Returns the reasons, in the order of their first event.
    pub fn iter(&self) -> impl Iterator<Item = &Reason> {
        self.first.iter().chain(&self.others)
    }

    /// Returns the number of different reasons.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// Returns whether no reason is known.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns whether there were no more reasons than are kept.
    pub fn is_complete(&self) -> bool {
        !self.more
    }

    /// Returns whether an event of this kind is among the reasons.
    pub fn has(&self, event: EventKind) -> bool {
        self.iter().any(|reason| reason.event == event)
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, reason) in self.iter().enumerate() {
            write!(f, "{}{reason}", if number == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.more { ", …" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_event_is_found_by_its_number() {
        for (number, (event, name)) in EventKind::ALL.iter().enumerate() {
            assert_eq!((*event as usize, event.as_str()), (number, *name));
        }
    }

    #[test]
    fn reasons_are_a_bounded_set_in_the_order_of_their_first_event() {
        let reasons = Reasons::default()
            .and("pods", EventKind::Updated)
            .and("sets", EventKind::Created)
            .and("pods", EventKind::Updated);
        assert_eq!(reasons.to_string(), "pods updated, sets created");
        assert!(reasons.is_complete() && reasons.len() == 2);
        let cut = (0..12).fold(reasons, |all, n| all.and(&n.to_string(), EventKind::Updated));
        assert_eq!((cut.len(), cut.is_complete()), (LIMIT, false));
        assert!(cut.to_string().ends_with("5 updated, …"), "{cut}");
    }
}
