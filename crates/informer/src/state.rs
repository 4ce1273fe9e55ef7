//! [`ListWatchState`]: decides a reflector's next step from the outcome of the last one. A plain value.
//!
//! - L0: lists are requested as streams, which cost the server least and turn into the watch. A server that
//!   refuses or ignores the request gets plain lists for half an hour.
//! - L1: the first list requests the most recent state; a plain list, in pages.
//! - L2: a later list requests a state not older than the last one seen; a plain list, in one page: the server
//!   answers from memory and never goes back in time. If the server cannot, the list is requested as in L1.
//! - L3: a watch resumes at the last version seen, unless the server no longer has it.
//! - L4: only a watch that ended cleanly after at least a second is resumed at once, and only the step from one
//!   form of list to another follows at once; every other step waits for the backoff.
//! - L5: there is always a next step.
//! - L6: a watch that was silent for too long is abandoned: its connection may be dead, or the server may not
//!   have reached its version, as after a restore from a backup. A probe finds out.
//! - L7: after several unanswered requests for a version, the next request names none: kube-client's own retries
//!   of "too large resource version" last longer than the timeout of a request.

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Duration, Instant};

use crate::backoff::Backoff;

/// The shortest successful watch. If watches end sooner, something between informer and server refuses them.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// The number of consecutive short watches after which their start version is no longer trusted.
const SHORT_WATCHES: u32 = 3;
/// The number of lists that follow each other at once, each in another form; then the backoff applies.
const IMMEDIATE_LISTS: u32 = 3;
/// The number of unanswered requests for a version after which the most recent state is requested.
const UNANSWERED: u32 = 2;
/// The time without streaming lists after a server refused them. It may be upgraded meanwhile.
const NO_STREAMS_FOR: Duration = Duration::from_secs(30 * 60);

/// The next request to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Stream(StreamRequest),
    List(ListRequest),
    Watch(WatchRequest),
    /// A list of one object, of a state not older than this version.
    Probe(String),
}

/// The parameters of a streaming list: a watch that begins with all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamRequest {
    /// The oldest acceptable version; `None` requests the most recent state.
    pub(crate) at_least: Option<String>,
    /// The time after which the server ends the watch.
    pub(crate) timeout: Duration,
}

/// The parameters of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListRequest {
    /// The oldest acceptable version; `None` requests the most recent state.
    pub(crate) at_least: Option<String>,
    /// The objects in a page; `None` requests all objects in one page.
    pub(crate) limit: Option<u32>,
}

/// The parameters of a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WatchRequest {
    /// The version after which events are sent.
    pub(crate) from: String,
    /// The time after which the server ends the watch. It is random, so that watches that began together end apart.
    pub(crate) timeout: Duration,
}

/// A step and the delay before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) wait: Duration,
    pub(crate) step: Step,
}

/// The outcome of a step.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The store equals the server's state at this version.
    Listed {
        version: String,
    },
    /// `first_page` is the version of the pages that arrived.
    ListFailed {
        failure: Failure,
        first_page: Option<String>,
    },
    /// The stream ended before the list was complete.
    StreamFailed {
        failure: Failure,
    },
    /// The end of a watch, or of a stream after its list. `version` is the last one seen. Without a failure, the
    /// server ended the watch in order.
    WatchEnded {
        version: String,
        failure: Option<Failure>,
        lasted: Duration,
        any_event: bool,
    },
    /// The server answered and has the version of the probe.
    Probed {
        version: String,
    },
    ProbeFailed {
        version: String,
        failure: Failure,
    },
}

/// The part of an error that decides the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) class: Class,
    /// The delay that the server asks for.
    pub(crate) retry_after: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// 410: the server no longer has the version.
    Expired,
    /// The server does not have the version yet: it lags, or it was restored from a backup.
    TooLarge,
    /// 404: the kind is not served, or not yet.
    NotServed,
    /// The server ended the watch with an error event.
    Broken,
    /// The server cannot serve such a request: 400, 422 and the like.
    Refused,
    /// 401 or 403.
    Forbidden,
    /// The bookmark that completes a streaming list did not arrive.
    Ignored,
    /// A stream ended before the list was complete.
    EndedEarly,
    /// The watch was silent for so long that its connection may be dead.
    Silent,
    /// No response arrived in time.
    Unanswered,
    /// An audit found a difference between store and server.
    Inconsistent,
    /// A failure that may be temporary: connection refused or cut, timeout, overload.
    Passing,
}

#[derive(Debug)]
pub(crate) struct ListWatchState {
    page_size: Option<u32>,
    /// The end of the time without streaming lists; `None` if streaming lists are requested.
    lists_until: Option<Until>,
    backoff: Backoff,
    rng: SmallRng,
    /// The last step, to repeat it.
    last: Step,
    short_watches: u32,
    /// The number of lists that followed at once since the last success.
    immediate_lists: u32,
    /// The number of unanswered requests for a version since the last response.
    unanswered: u32,
    /// The start of the first watch after the last failure.
    healthy_since: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Ever,
    Time(Instant),
}

impl ListWatchState {
    /// `seen` is the store's version if this is not the first start.
    pub(crate) fn new(
        streaming: bool,
        page_size: Option<u32>,
        max_backoff: Duration,
        seen: Option<String>,
        mut rng: SmallRng,
    ) -> Self {
        let mut state = Self {
            page_size,
            lists_until: (!streaming).then_some(Until::Ever),
            backoff: Backoff::new(max_backoff, SmallRng::from_rng(&mut rng)),
            rng,
            last: Step::List(ListRequest { at_least: None, limit: page_size }),
            short_watches: 0,
            immediate_lists: 0,
            unanswered: 0,
            healthy_since: None,
        };
        state.last = state.fill(seen);
        state
    }

    /// Returns the first step.
    pub(crate) fn first(&self) -> Next {
        Next { wait: Duration::ZERO, step: self.last.clone() }
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
                self.immediate_lists = 0;
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
                self.immediate_lists = 0;
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
                self.immediate_lists = 0;
                self.after_clean_end(now, version, lasted, any_event)
            }
        };
        self.last = step.clone();
        Next { wait, step }
    }

    fn after_stream(&mut self, now: Instant, failure: Failure) -> (Duration, Step) {
        let Step::Stream(StreamRequest { at_least, .. }) = self.last.clone() else {
            return (self.back_off(now, failure.retry_after), self.last.clone());
        };
        match failure.class {
            Class::Refused | Class::Forbidden | Class::Ignored => {
                self.lists_until = Some(Until::Time(now + NO_STREAMS_FOR));
                (self.list_at_once(now, failure), self.fill(at_least))
            }
            Class::Expired | Class::TooLarge if at_least.is_some() => {
                (self.list_at_once(now, failure), self.fill(None))
            }
            Class::Unanswered if at_least.is_some() && self.gives_up_version() => {
                (self.back_off(now, failure.retry_after), self.fill(None)) // L7
            }
            Class::EndedEarly | Class::Broken => {
                (self.back_off(now, failure.retry_after), self.list(at_least))
            }
            _ => (self.back_off(now, failure.retry_after), self.last.clone()),
        }
    }

    fn after_list(&mut self, now: Instant, failure: Failure, first_page: Option<String>) -> (Duration, Step) {
        let named_version = matches!(&self.last, Step::List(ListRequest { at_least: Some(_), .. }));
        match (failure.class, first_page) {
            // The version of the first pages has expired: request all objects at once, from the server's memory.
            (Class::Expired, Some(version)) if !named_version => {
                (self.list_at_once(now, failure), self.list(Some(version)))
            }
            // Refused, too: the version of one server may be malformed for another one that replaced it.
            (Class::Expired | Class::TooLarge | Class::Refused, _) if named_version => {
                (self.list_at_once(now, failure), self.list(None))
            }
            (Class::Unanswered, _) if named_version && self.gives_up_version() => {
                (self.back_off(now, failure.retry_after), self.list(None)) // L7
            }
            _ => (self.back_off(now, failure.retry_after), self.last.clone()),
        }
    }

    /// Returns the delay before a list in another form: none, unless that did not help before.
    fn list_at_once(&mut self, now: Instant, failure: Failure) -> Duration {
        if self.immediate_lists < IMMEDIATE_LISTS {
            self.immediate_lists += 1;
            return Duration::ZERO;
        }
        self.back_off(now, failure.retry_after)
    }

    /// Counts an unanswered request for a version. Returns whether the next request should name none.
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

    /// Returns the step that fills the store with a state not older than `at_least`, or with the most recent one.
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
