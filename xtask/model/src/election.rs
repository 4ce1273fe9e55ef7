//! The election: three candidates, one Lease, every order of their steps.
//!
//! Time is counted in ticks: a lease duration of 3, a renew deadline of 2. All clocks tick together; a candidate that
//! takes no step while they tick is one that is paused or suspended. A request that was given up can still be committed at
//! any later time. Lost requests, lost responses and late responses are orders of these steps.
//!
//! States that behave alike are one state: ages stop at the duration that they are compared with, and a write that was
//! built on an old version is refused whenever it arrives, so nothing else about it is kept.

use std::fmt;

use stateright::{Model, Property};

const LEASE_DURATION: u8 = 3;
const RENEW_DEADLINE: u8 = 2;
const CANDIDATES: usize = 3;

/// A rule of the election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A Lease expires by the time since this candidate has seen it change, not by its `renewTime`.
    LocallyObservedTime,
    /// The token's end counts from the sending of the renewal, not from its response.
    DeadlineBeforeSend,
    /// A write is sent only with a valid token.
    Fence,
    /// The Lease is released after the led work has ended.
    JoinBeforeRelease,
}

impl Rule {
    pub(crate) const ALL: [Self; 4] =
        [Self::LocallyObservedTime, Self::DeadlineBeforeSend, Self::Fence, Self::JoinBeforeRelease];
}

/// The model, with all rules or without one.
pub(crate) struct Election {
    pub(crate) without: Option<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The holder in the Lease.
    holder: Option<u8>,
    /// Ticks since the `renewTime` of the Lease. It is kept without `LocallyObservedTime` only.
    lease_age: u8,
    candidates: [Candidate; CANDIDATES],
    /// A write of led work was sent without a valid token.
    late_write: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Candidate {
    /// The holder as it was seen last.
    seen_holder: Option<u8>,
    /// Whether the Lease has still the version that was seen.
    up_to_date: bool,
    /// Ticks since that version was seen, if another candidate holds it.
    seen_for: u8,
    /// Ticks since the `renewTime` of that version. It is kept without `LocallyObservedTime` only.
    record_age: u8,
    /// Ticks since the moment from which the token's end counts.
    token: Option<u8>,
    /// Whether led work is alive.
    works: bool,
    request: Request,
    /// A write that was given up, and may still be committed: its version is the present one.
    stray: Option<(Kind, u8)>,
}

/// The write of a candidate that is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Request {
    #[default]
    None,
    /// It is on its way, with the present version, for so many ticks.
    Sent(Kind, u8),
    /// It was built on an old version, and will be refused, or was refused.
    Refused,
    /// It was committed, and the response is on its way.
    Committed {
        kind: Kind,
        age: u8,
        /// Whether the Lease has still the version that it made.
        up_to_date: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Take,
    Renew,
    Release,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    Read(usize),
    Send(usize, Kind),
    Commit(usize),
    CommitStray(usize),
    GiveUp(usize),
    Respond(usize),
    Stop(usize),
    Write(usize),
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |candidate: &usize| ["a", "b", "c"][*candidate];
        match self {
            Self::Tick => f.write_str("a tick passes"),
            Self::Read(who) => write!(f, "{} reads the Lease", name(who)),
            Self::Send(who, Kind::Take) => write!(f, "{} sends a write that takes the Lease", name(who)),
            Self::Send(who, Kind::Renew) => write!(f, "{} sends a renewal", name(who)),
            Self::Send(who, Kind::Release) => write!(f, "{} sends a release", name(who)),
            Self::Commit(who) => write!(f, "the server commits {}'s write", name(who)),
            Self::CommitStray(who) => write!(f, "the server commits a write that {} has given up", name(who)),
            Self::GiveUp(who) => write!(f, "{} gives its write up", name(who)),
            Self::Respond(who) => write!(f, "{} gets the response", name(who)),
            Self::Stop(who) => write!(f, "{}'s led work has ended", name(who)),
            Self::Write(who) => write!(f, "{}'s led work writes an object", name(who)),
        }
    }
}

impl Candidate {
    fn is_valid(&self) -> bool {
        self.token.is_some_and(|age| age < RENEW_DEADLINE)
    }

    /// Notes the Lease as it was seen, or written.
    fn see(&mut self, who: usize, holder: Option<u8>, up_to_date: bool) {
        (self.seen_holder, self.up_to_date, self.seen_for) = (holder, up_to_date, 0);
        if holder.is_none() || holder == own(who) {
            self.record_age = 0; // never looked at
        }
    }
}

fn own(who: usize) -> Option<u8> {
    u8::try_from(who).ok()
}

/// The wall clock of candidate c is two ticks ahead.
fn skew(who: usize) -> u8 {
    if who == 2 { 2 } else { 0 }
}

/// Counts a tick, up to the age that matters.
fn tick(age: &mut u8, most: u8) {
    *age = (*age + 1).min(most);
}

impl Election {
    fn keeps(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    fn may_send(&self, who: usize, candidate: &Candidate, kind: Kind) -> bool {
        let is_own = candidate.seen_holder == own(who);
        let has_expired = if self.keeps(Rule::LocallyObservedTime) {
            candidate.seen_for >= LEASE_DURATION
        } else {
            candidate.record_age + skew(who) >= LEASE_DURATION
        };
        candidate.request == Request::None
            && match kind {
                // Its own name without a term: it may renew it, like one that has expired.
                Kind::Take => {
                    candidate.token.is_none() && (candidate.seen_holder.is_none() || is_own || has_expired)
                }
                Kind::Renew => candidate.is_valid() && is_own,
                Kind::Release => {
                    let joined = !candidate.works || !self.keeps(Rule::JoinBeforeRelease);
                    candidate.is_valid() && is_own && joined
                }
            }
    }

    /// The server takes a write with the present version: every other version is an old one now.
    fn commit(&self, state: &mut State, who: usize, kind: Kind, age: u8) {
        state.holder = if kind == Kind::Release { None } else { own(who) };
        state.lease_age = if self.keeps(Rule::LocallyObservedTime) { 0 } else { age };
        for candidate in &mut state.candidates {
            candidate.up_to_date = false;
            candidate.stray = None; // refused whenever it arrives
            match &mut candidate.request {
                request @ Request::Sent(..) => *request = Request::Refused,
                Request::Committed { up_to_date, .. } => *up_to_date = false,
                Request::None | Request::Refused => {}
            }
        }
    }

    fn tick(&self, state: &mut State) {
        let by_renew_time = !self.keeps(Rule::LocallyObservedTime);
        if by_renew_time {
            tick(&mut state.lease_age, LEASE_DURATION);
        }
        let age = if by_renew_time { LEASE_DURATION } else { RENEW_DEADLINE };
        for (who, candidate) in state.candidates.iter_mut().enumerate() {
            if candidate.seen_holder.is_some() && candidate.seen_holder != own(who) {
                tick(&mut candidate.seen_for, LEASE_DURATION);
                if by_renew_time {
                    tick(&mut candidate.record_age, LEASE_DURATION);
                }
            }
            candidate.token.iter_mut().for_each(|token| tick(token, RENEW_DEADLINE));
            match &mut candidate.request {
                Request::Sent(_, sent) | Request::Committed { age: sent, .. } => tick(sent, age),
                Request::None | Request::Refused => {}
            }
            if by_renew_time {
                candidate.stray.iter_mut().for_each(|(_, sent)| tick(sent, age));
            }
        }
    }

    fn respond(&self, candidate: &mut Candidate, who: usize) {
        let Request::Committed { kind, age, up_to_date } = std::mem::take(&mut candidate.request) else {
            return;
        };
        candidate.see(who, if kind == Kind::Release { None } else { own(who) }, up_to_date);
        let since = if self.keeps(Rule::DeadlineBeforeSend) { age } else { 0 };
        let begins = kind == Kind::Take && since < RENEW_DEADLINE;
        // A token that has ended is not moved on.
        if begins || (kind == Kind::Renew && candidate.is_valid()) {
            candidate.token = Some(candidate.token.map_or(since, |old| old.min(since)));
            candidate.works |= begins;
        }
    }
}

impl Model for Election {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let candidate = Candidate { up_to_date: true, ..Candidate::default() };
        let candidates = [candidate.clone(), candidate.clone(), candidate];
        vec![State { holder: None, lease_age: 0, candidates, late_write: false }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.push(Action::Tick);
        for (who, candidate) in state.candidates.iter().enumerate() {
            if !candidate.up_to_date && candidate.request == Request::None {
                actions.push(Action::Read(who));
            }
            for kind in [Kind::Take, Kind::Renew, Kind::Release] {
                if self.may_send(who, candidate, kind) {
                    actions.push(Action::Send(who, kind));
                }
            }
            match candidate.request {
                Request::None => {}
                Request::Sent(..) => {
                    actions.push(Action::Commit(who));
                    if candidate.stray.is_none() {
                        actions.push(Action::GiveUp(who));
                    }
                }
                Request::Refused => actions.push(Action::Respond(who)),
                Request::Committed { .. } => actions.extend([Action::Respond(who), Action::GiveUp(who)]),
            }
            if candidate.stray.is_some() {
                actions.push(Action::CommitStray(who));
            }
            if candidate.works || (candidate.token.is_some() && !candidate.is_valid()) {
                actions.push(Action::Stop(who));
            }
            // A write with a valid token changes nothing that is checked.
            if candidate.works && !candidate.is_valid() && !self.keeps(Rule::Fence) {
                actions.push(Action::Write(who));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Tick => self.tick(&mut next),
            Action::Read(who) => {
                let (holder, age) = (next.holder, next.lease_age);
                next.candidates[who].record_age = age;
                next.candidates[who].see(who, holder, true);
            }
            Action::Send(who, kind) => {
                let candidate = &mut next.candidates[who];
                candidate.request =
                    if candidate.up_to_date { Request::Sent(kind, 0) } else { Request::Refused };
                if kind == Kind::Release {
                    candidate.token = None; // the term is over before the request is sent
                }
            }
            Action::Commit(who) => {
                let Request::Sent(kind, age) = next.candidates[who].request else { return None };
                next.candidates[who].request = Request::None;
                self.commit(&mut next, who, kind, age);
                next.candidates[who].request = Request::Committed { kind, age, up_to_date: true };
            }
            Action::CommitStray(who) => {
                let (kind, age) = next.candidates[who].stray?;
                self.commit(&mut next, who, kind, age);
            }
            Action::GiveUp(who) => {
                let candidate = &mut next.candidates[who];
                if let Request::Sent(kind, age) = candidate.request {
                    let age = if self.keeps(Rule::LocallyObservedTime) { 0 } else { age };
                    candidate.stray = Some((kind, age));
                }
                candidate.request = Request::None;
            }
            Action::Respond(who) => self.respond(&mut next.candidates[who], who),
            Action::Stop(who) => {
                let candidate = &mut next.candidates[who];
                candidate.works = false;
                if !candidate.is_valid() {
                    candidate.token = None;
                }
            }
            Action::Write(_) => next.late_write = true,
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("never two valid tokens", |_, state: &State| {
                state.candidates.iter().filter(|candidate| candidate.is_valid()).count() <= 1
            }),
            Property::always("no write is sent after the token's end", |_, state: &State| !state.late_write),
            Property::always("no led work is alive after its Lease was released", |_, state: &State| {
                state.candidates.iter().all(|candidate| candidate.token.is_some() || !candidate.works)
            }),
            Property::sometimes("each candidate leads", |_, state: &State| state.candidates[2].is_valid()),
            Property::sometimes("an expired Lease is taken", |_, state: &State| {
                state.candidates[0].token == Some(RENEW_DEADLINE) && state.candidates[1].is_valid()
            }),
            Property::sometimes("a Lease is released and taken", |_, state: &State| {
                let [first, second, _] = &state.candidates;
                let has_released = first.token.is_none() && first.seen_holder.is_none() && !first.up_to_date;
                has_released && second.is_valid()
            }),
        ]
    }
}
