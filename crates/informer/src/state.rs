//! The ladder: what a reflector does next, given what happened. A plain value; `reflector` acts on it.
//!
//! - L0: a list is asked for as a stream, which costs the server least and goes over into the watch. A
//!   server that refuses that, or ignores it, is asked for lists for half an hour.
//! - L1: the first list asks for the most recent state; if not a stream, in pages.
//! - L2: a later list asks for at least what was seen; if not a stream, in one page: from the server's
//!   memory, never back in time. Only when the server cannot give that does it ask as the first did.
//! - L3: a watch resumes where the last one stopped, unless the server says that it cannot.
//! - L4: only a watch that ended cleanly after a second or more is resumed at once, and only the step
//!   from one kind of list to the other is taken at once; all else waits for the backoff.
//! - L6: a watch that was silent for too long is given up: its connection may be dead, or its version one that
//!   the server has yet to reach, as one that was restored from a backup. A probe tells.
//! - L7: who is not answered, time and again, asks for no version any more: kube-client's own retries wait out
//!   "too large resource version" for longer than anybody waits for an answer.
//! - L5: there is always a next step.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Duration, Instant};

use crate::backoff::Backoff;

/// A watch that ends sooner was not one: something between us and the server refuses watches.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// So many of those in a row, and the version they start from is under suspicion.
const SHORT_WATCHES: u32 = 3;
/// So many lists are tried at once, each of another kind than the one before; then the backoff rules.
const LEAPS: u32 = 3;
/// So many requests for a state not older than some version were not answered, and the most recent is asked for.
const UNANSWERED: u32 = 2;
/// So long a server that cannot stream lists is not asked for it: it may be upgraded meanwhile.
const UNSUPPORTED_FOR: Duration = Duration::from_secs(30 * 60);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Stream(StreamRequest),
    List(ListRequest),
    Watch(WatchRequest),
    /// To ask for one object of a state not older than this version.
    Probe(String),
}

/// Which streaming list to ask for: a watch that begins with all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamRequest {
    /// A state not older than this version; the most recent one if `None`.
    pub(crate) at_least: Option<String>,
    /// When the server is to end the watch.
    pub(crate) timeout: Duration,
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
    Listed {
        version: String,
    },
    /// `first_page` is the version of the pages that did come.
    ListFailed {
        failure: Failure,
        first_page: Option<String>,
    },
    /// The stream ended before it had told all objects.
    StreamFailed {
        failure: Failure,
    },
    /// Also of a stream that had told all objects. `version` is the last that was seen. Without a failure the server ended the watch in order.
    WatchEnded {
        version: String,
        failure: Option<Failure>,
        lasted: Duration,
        any_event: bool,
    },
    /// The server is there, and has the version that was probed for.
    Probed {
        version: String,
    },
    ProbeFailed {
        version: String,
        failure: Failure,
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
    /// The server cannot do what was asked of it: 400, 422 and the like.
    Refused,
    /// 401 or 403.
    Forbidden,
    /// A stream of a list went on without ever telling that the list was complete.
    Ignored,
    /// A stream ended before the list was complete.
    EndedEarly,
    /// Nothing came on a watch for so long that the connection may be dead.
    Silent,
    /// No answer came in time.
    Unanswered,
    /// The store differs from the server, though it ought to be as new.
    Inconsistent,
    /// Everything that may be over next time: refused, cut, timed out, overloaded.
    Passing,
}

#[derive(Debug)]
pub(crate) struct ListWatchState {
    page_size: Option<u32>,
    /// Until when only lists are asked for; `None` if streams are.
    lists_until: Option<Until>,
    backoff: Backoff,
    rng: SmallRng,
    /// What was asked last, to ask it again.
    asked: Step,
    short_watches: u32,
    /// Lists that were tried at once, since one succeeded.
    leaps: u32,
    /// Requests that named a version and were not answered, since one was.
    unanswered: u32,
    /// When the first of the watches began since which nothing has failed.
    healthy_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Ever,
    Time(Instant),
}

impl ListWatchState {
    /// `seen` is the version that the store has already, if this is not the first start.
    pub(crate) fn new(
        streaming: bool,
        page_size: Option<u32>,
        seen: Option<String>,
        mut rng: SmallRng,
    ) -> Self {
        let mut state = Self {
            page_size,
            lists_until: (!streaming).then_some(Until::Ever),
            backoff: Backoff::new(SmallRng::from_rng(&mut rng)),
            rng,
            asked: Step::List(ListRequest { at_least: None, limit: page_size }),
            short_watches: 0,
            leaps: 0,
            unanswered: 0,
            healthy_since: None,
        };
        state.asked = state.fill(seen);
        state
    }

    /// The step to begin with.
    pub(crate) fn first(&self) -> Next {
        Next { wait: Duration::ZERO, step: self.asked.clone() }
    }

    pub(crate) fn next(&mut self, now: Instant, outcome: Outcome) -> Next {
        if let Some(Until::Time(time)) = self.lists_until
            && now >= time
        {
            self.lists_until = None;
        }
        if let Outcome::WatchEnded { lasted, .. } = outcome {
            self.healthy_since = self.healthy_since.or(now.checked_sub(lasted));
        }
        let (wait, step) = match outcome {
            Outcome::Listed { version } => {
                self.leaps = 0;
                self.unanswered = 0;
                (Duration::ZERO, self.watch(version))
            }
            Outcome::StreamFailed { failure } => self.after_stream(now, failure),
            Outcome::ListFailed { failure, first_page } => self.after_list(now, failure, first_page),
            Outcome::WatchEnded { version, failure: Some(Failure { class: Class::Silent, .. }), .. } => {
                (Duration::ZERO, Step::Probe(version)) // L6; the wait is over already
            }
            Outcome::Probed { version } => {
                self.unanswered = 0;
                (Duration::ZERO, self.watch(version))
            }
            Outcome::ProbeFailed { version, failure } => {
                let step = match failure.class {
                    Class::TooLarge | Class::Expired => self.fill(None),
                    Class::NotServed => self.fill(Some(version)),
                    Class::Unanswered if self.gives_up_version() => self.fill(None),
                    _ => self.watch(version),
                };
                (self.back_off(now, failure.retry_after), step)
            }
            Outcome::WatchEnded { version, failure: Some(failure), .. } => {
                self.leaps = 0;
                let step = match failure.class {
                    Class::TooLarge | Class::Inconsistent => self.fill(None), // L2
                    Class::Expired | Class::Broken | Class::NotServed | Class::Refused => {
                        self.fill(Some(version))
                    }
                    _ => self.watch(version),
                };
                (self.back_off(now, failure.retry_after), step)
            }
            Outcome::WatchEnded { version, failure: None, lasted, any_event } => {
                self.leaps = 0;
                self.after_clean_end(now, version, lasted, any_event)
            }
        };
        self.asked = step.clone();
        Next { wait, step }
    }

    fn after_stream(&mut self, now: Instant, failure: Failure) -> (Duration, Step) {
        let Step::Stream(StreamRequest { at_least, .. }) = self.asked.clone() else {
            return (self.back_off(now, failure.retry_after), self.asked.clone());
        };
        match failure.class {
            Class::Refused | Class::Forbidden | Class::Ignored => {
                self.lists_until = Some(Until::Time(now + UNSUPPORTED_FOR));
                (self.leap(now, failure), self.fill(at_least))
            }
            Class::Expired | Class::TooLarge if at_least.is_some() => {
                (self.leap(now, failure), self.fill(None))
            }
            Class::Unanswered if at_least.is_some() && self.gives_up_version() => {
                (self.back_off(now, failure.retry_after), self.fill(None)) // L7
            }
            Class::EndedEarly | Class::Broken => {
                (self.back_off(now, failure.retry_after), self.list(at_least))
            }
            _ => (self.back_off(now, failure.retry_after), self.asked.clone()),
        }
    }

    fn after_list(&mut self, now: Instant, failure: Failure, first_page: Option<String>) -> (Duration, Step) {
        let asked_for_version = matches!(&self.asked, Step::List(ListRequest { at_least: Some(_), .. }));
        match (failure.class, first_page) {
            // The pages that came are of a version that is gone: all at once, from the server's memory.
            (Class::Expired, Some(version)) if !asked_for_version => {
                (self.leap(now, failure), self.list(Some(version)))
            }
            // Refused, too: what is a version to one server is none to another that took its place.
            (Class::Expired | Class::TooLarge | Class::Refused, _) if asked_for_version => {
                (self.leap(now, failure), self.list(None))
            }
            (Class::Unanswered, _) if asked_for_version && self.gives_up_version() => {
                (self.back_off(now, failure.retry_after), self.list(None)) // L7
            }
            _ => (self.back_off(now, failure.retry_after), self.asked.clone()),
        }
    }

    /// The wait before a list of another kind: none, unless that did not help before.
    fn leap(&mut self, now: Instant, failure: Failure) -> Duration {
        if self.leaps < LEAPS {
            self.leaps += 1;
            return Duration::ZERO;
        }
        self.back_off(now, failure.retry_after)
    }

    /// Notes that a request which named a version was not answered; whether the next should name none.
    fn gives_up_version(&mut self) -> bool {
        self.unanswered += 1;
        let gives_up = self.unanswered >= UNANSWERED;
        if gives_up {
            self.unanswered = 0;
        }
        gives_up
    }

    fn back_off(&mut self, now: Instant, floor: Duration) -> Duration {
        let healthy = self.healthy_since.take().map_or(Duration::ZERO, |since| now - since);
        self.backoff.after_failure(healthy, floor)
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
        let wait = self.back_off(now, Duration::ZERO);
        self.short_watches = if any_event { 0 } else { self.short_watches + 1 };
        if self.short_watches < SHORT_WATCHES {
            return (wait, self.watch(version));
        }
        self.short_watches = 0;
        (wait, self.fill(Some(version)))
    }

    /// The step that fills the store with a state not older than this version, or the most recent one.
    fn fill(&mut self, at_least: Option<String>) -> Step {
        if self.lists_until.is_some() {
            return self.list(at_least);
        }
        let timeout = self.timeout();
        Step::Stream(StreamRequest { at_least, timeout }) // L0
    }

    fn list(&self, at_least: Option<String>) -> Step {
        let limit = if at_least.is_none() { self.page_size } else { None }; // L1, L2
        Step::List(ListRequest { at_least, limit })
    }

    fn watch(&mut self, from: String) -> Step {
        let timeout = self.timeout();
        Step::Watch(WatchRequest { from, timeout })
    }

    fn timeout(&mut self) -> Duration {
        Duration::from_secs(self.rng.random_range(300..=600))
    }
}

#[cfg(test)]
mod tests;
