//! The ladder: what a reflector does next, given what happened. A plain value; `reflector` acts on it.
//!
//! - L1: the first list asks for the most recent state, in pages.
//! - L2: a later list asks for at least what was seen, in one page: from the server's memory, never
//!   back in time. Only when the server cannot give that does it ask as the first did.
//! - L3: a watch resumes where the last one stopped, unless the server says that it cannot.
//! - L4: only a watch that ended cleanly after a second or more is resumed at once, and only the step
//!   from one kind of list to the other is taken at once; all else waits for the backoff.
//! - L5: there is always a next step.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Duration, Instant};

use crate::backoff::Backoff;

/// A watch that ends sooner was not one: something between us and the server refuses watches.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// So many of those in a row, and the version they start from is under suspicion.
const SHORT_WATCHES: u32 = 3;
/// So many lists are tried at once, each of another kind than the one before; then the backoff rules.
const LEAPS: u32 = 2;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    List(ListRequest),
    Watch(WatchRequest),
}

/// Which list to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListRequest {
    /// A state not older than this version; the most recent one if `None`.
    pub(crate) at_least: Option<String>,
    /// Objects in a page; `None` asks for all in one.
    pub(crate) limit: Option<u32>,
}

/// Which watch to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WatchRequest {
    /// Events after this version.
    pub(crate) from: String,
    /// When the server is to end it: drawn anew for each, so that watches that began together end apart.
    pub(crate) timeout: Duration,
}

/// A step, and how long to wait before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) wait: Duration,
    pub(crate) step: Step,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The store equals the server's state at this version.
    Listed { version: String },
    /// `first_page` is the version of the pages that did come.
    ListFailed {
        failure: Failure,
        first_page: Option<String>,
    },
    /// `version` is the last that was seen. Without a failure the server ended the watch in order.
    WatchEnded {
        version: String,
        failure: Option<Failure>,
        lasted: Duration,
        any_event: bool,
    },
}

/// A failure as the ladder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    /// How long the server wants to be left alone.
    pub(crate) retry_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// 410: the server no longer has that version.
    Expired,
    /// The server does not have that version yet, and may never (it was restored, or lags).
    TooLarge,
    /// 404: the kind is not served, as yet.
    NotServed,
    /// The server told within the watch that it cannot go on from here.
    Broken,
    /// Everything that may be over next time: refused, cut, timed out, overloaded.
    Passing,
}

#[derive(Debug)]
pub(crate) struct Ladder {
    page_size: Option<u32>,
    backoff: Backoff,
    rng: SmallRng,
    /// What was asked last, to ask it again.
    asked: Step,
    short_watches: u32,
    /// Lists that were tried at once, since one succeeded.
    leaps: u32,
}

impl Ladder {
    /// `seen` is the version that the store has already, if this is not the first start.
    pub(crate) fn new(page_size: Option<u32>, seen: Option<String>, mut rng: SmallRng) -> Self {
        let asked = match seen {
            None => Step::List(ListRequest {
                at_least: None,
                limit: page_size,
            }),
            Some(seen) => relist(seen),
        };
        let backoff = Backoff::new(SmallRng::from_rng(&mut rng));
        Self {
            page_size,
            backoff,
            rng,
            asked,
            short_watches: 0,
            leaps: 0,
        }
    }

    /// The step to begin with.
    pub(crate) fn first(&self) -> Next {
        Next {
            wait: Duration::ZERO,
            step: self.asked.clone(),
        }
    }

    pub(crate) fn next(&mut self, now: Instant, outcome: Outcome) -> Next {
        let (wait, step) = match outcome {
            Outcome::Listed { version } => {
                self.leaps = 0;
                (Duration::ZERO, self.watch(version))
            }
            Outcome::ListFailed { failure, first_page } => self.after_list(now, failure, first_page),
            Outcome::WatchEnded {
                version,
                failure: Some(failure),
                ..
            } => {
                let step = match failure.class {
                    Class::Expired | Class::Broken | Class::NotServed => relist(version),
                    Class::TooLarge => self.list_most_recent(), // L2
                    Class::Passing => self.watch(version),
                };
                (self.backoff.after_failure(now, failure.retry_after), step)
            }
            Outcome::WatchEnded {
                version,
                failure: None,
                lasted,
                any_event,
            } => self.after_clean_end(now, version, lasted, any_event),
        };
        self.asked = step.clone();
        Next { wait, step }
    }

    fn after_list(&mut self, now: Instant, failure: Failure, first_page: Option<String>) -> (Duration, Step) {
        let asked_for_version = matches!(
            &self.asked,
            Step::List(ListRequest {
                at_least: Some(_),
                ..
            })
        );
        let other = match (failure.class, first_page) {
            // The pages that came are of a version that is gone: all at once, from the server's memory.
            (Class::Expired, Some(version)) if !asked_for_version => Some(relist(version)),
            (Class::Expired | Class::TooLarge, _) if asked_for_version => Some(self.list_most_recent()),
            _ => None,
        };
        let at_once = other.is_some() && self.leaps < LEAPS;
        let wait = if at_once {
            self.leaps += 1;
            Duration::ZERO
        } else {
            self.backoff.after_failure(now, failure.retry_after)
        };
        (wait, other.unwrap_or_else(|| self.asked.clone()))
    }

    fn after_clean_end(
        &mut self,
        now: Instant,
        version: String,
        lasted: Duration,
        any_event: bool,
    ) -> (Duration, Step) {
        if lasted >= SHORTEST_WATCH {
            self.short_watches = 0;
            return (Duration::ZERO, self.watch(version));
        }
        let wait = self.backoff.after_failure(now, Duration::ZERO);
        self.short_watches = if any_event { 0 } else { self.short_watches + 1 };
        if self.short_watches < SHORT_WATCHES {
            return (wait, self.watch(version));
        }
        self.short_watches = 0;
        (wait, relist(version))
    }

    fn list_most_recent(&self) -> Step {
        Step::List(ListRequest {
            at_least: None,
            limit: self.page_size,
        }) // L1
    }

    fn watch(&mut self, from: String) -> Step {
        let timeout = Duration::from_secs(self.rng.random_range(300..=600));
        Step::Watch(WatchRequest { from, timeout })
    }
}

fn relist(version: String) -> Step {
    Step::List(ListRequest {
        at_least: Some(version),
        limit: None,
    }) // L2
}

#[cfg(test)]
mod tests;
