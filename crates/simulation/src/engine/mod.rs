//! [`Engine`]: runs one history. It steps the processes and the server on one thread and simulates their network.
//!
//! All times are whole milliseconds. Processes run ahead of the server, but never past the next known event, nor more
//! than a window of idle time, so an unforeseen message is late by at most the window.
//!
//! - I1: the server carries out one request at a time, in the order of their arrival.
//! - I2: every message to a process is an event of the queue.
//! - I3: every random choice is a function of the seed and of its subject.

mod check;
mod disturb;
mod link;
mod queue;
pub(crate) mod record;
mod refusal;
mod requests;
mod server;

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::jiff::SignedDuration;

use self::{
    check::Checks,
    disturb::Armed,
    link::Links,
    queue::Queue,
    record::{Record, Trace, What},
    requests::Flight,
    server::Server,
};
use crate::{
    Scenario,
    plan::{Plan, millis},
    process::{Actor, Ended, OnEnd},
    property::Violation,
    random::mix,
    step::Step,
    watchdog::Beat,
    world::World,
};

/// The time by which processes run ahead during activity.
const SHORT_WINDOW: u64 = 4;
/// The time by which processes run ahead while idle.
const LONG_WINDOW: u64 = 256;

/// The number of times that each fault affected each kind of request. Faults of processes and of the cluster have no kind.
pub(crate) type Coverage = BTreeMap<(&'static str, String), u64>;

/// The result of a history.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) violation: Option<Violation>,
    pub(crate) hash: u64,
    /// Empty unless requested.
    pub(crate) records: Vec<Record>,
    /// The number of requests of each process.
    pub(crate) requests: Vec<u32>,
    pub(crate) coverage: Coverage,
    /// The number of planned faults that had an effect.
    pub(crate) met: usize,
    /// The simulated time.
    pub(crate) lasted: Duration,
    /// Whether it had objects: from manifests, steps or processes.
    pub(crate) has_objects: bool,
}

/// An event of the queue.
#[derive(Debug)]
enum Event {
    /// A request reaches the server.
    Arrive(u64),
    /// A response reaches its process.
    Reply(u64, link::Response),
    /// A piece of a watch reaches its process; `None` ends the watch, an error breaks it.
    Frame(u64, Option<std::io::Result<bytes::Bytes>>),
    /// The workload takes a step.
    Step(Step),
    /// A fault of a process or of the cluster begins.
    Fault(usize),
    /// An effect of a fault ends.
    Over(disturb::Over),
    /// A process is started again.
    Restart(usize),
}

pub(crate) struct Engine<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    now: u64,
    /// The server's time at the start of the processes.
    server_start: u64,
    server: Server,
    actors: Vec<Actor>,
    links: Links,
    queue: Queue<Event>,
    flights: BTreeMap<u64, Flight>,
    next_flight: u64,
    armed: Armed,
    /// The number of steps, faults, restarts and ends of faults in the queue.
    pending: usize,
    world: World,
    /// Whether anything was written since the processes were started.
    has_objects: bool,
    checks: Checks,
    trace: Trace,
    coverage: Coverage,
    beat: &'a Beat,
}

impl<'a> Engine<'a> {
    /// Runs the history of `plan`; keeps its records if `keeps`.
    pub(crate) fn run(scenario: &'a Scenario, plan: &'a Plan, keeps: bool, beat: &'a Beat) -> History {
        beat.enters(None);
        let mut trace = Trace::new(keeps);
        let server = match Server::start(scenario, plan.seed) {
            Ok(server) => server,
            Err(error) => {
                beat.leaves();
                trace.add(0, What::Violated { text: error.clone() });
                return History::failed_to_start(error, trace);
            }
        };
        let actors: Vec<_> =
            scenario.processes.iter().enumerate().map(|(i, spec)| Actor::new(i, spec)).collect();
        let mut engine = Self {
            server_start: server.now(),
            links: Links::new(actors.len(), scenario.front_ends),
            armed: Armed::new(plan, &actors),
            checks: Checks::new(&scenario.properties),
            scenario,
            plan,
            now: 0,
            server,
            actors,
            queue: Queue::default(),
            flights: BTreeMap::new(),
            next_flight: 0,
            pending: 0,
            world: World::default(),
            has_objects: false,
            trace,
            coverage: Coverage::new(),
            beat,
        };
        engine.set_up();
        engine.go();
        beat.leaves();
        engine.finish()
    }

    fn set_up(&mut self) {
        for commit in self.server.commits() {
            self.take(commit, crate::world::Writer::Workload, false);
        }
        self.check_start();
        for (at, step) in self.plan.take(self.scenario.steps(self.plan.seed)) {
            self.later(at, Event::Step(step));
        }
        for (index, at) in self.armed.timed() {
            self.later(at, Event::Fault(index));
        }
        for process in 0..self.actors.len() {
            self.start(process);
        }
    }

    /// Adds an event that counts as pending.
    fn later(&mut self, at: u64, event: Event) {
        self.pending += 1;
        self.queue.add(at, event);
    }

    fn start(&mut self, process: usize) {
        let wall =
            Scenario::start_time() + SignedDuration::from_millis(i64::try_from(self.now).unwrap_or(i64::MAX));
        self.links.connect(process, self.actors[process].starts, &self.actors, &self.server.api);
        let started = self.actors[process].start(self.plan.seed, self.now, wall);
        let actor = &self.actors[process];
        if let Err(error) = started {
            return self.violate(
                "the machine",
                format!("no runtime for process {}: {error}", actor.name),
                None,
            );
        }
        self.trace.add(self.now, What::Started { process: actor.name.clone(), restarts: actor.starts - 1 });
    }

    fn go(&mut self) {
        let mut window = SHORT_WINDOW;
        while self.checks.violation.is_none() {
            let sent = self.run_processes(window);
            self.now = self.limit(window);
            self.run_server();
            let mut happened = sent;
            while let Some(event) = self.queue.due(self.now) {
                happened = true;
                self.happen(event);
                if self.checks.violation.is_some() {
                    return;
                }
            }
            self.world.now = Duration::from_millis(self.now);
            if self.is_over() {
                return;
            }
            window = if happened { SHORT_WINDOW } else { (window * 2).min(LONG_WINDOW) };
        }
    }

    /// Returns the time up to which processes and server may run.
    fn limit(&self, window: u64) -> u64 {
        let ahead = (self.now + window).min(self.checks.next_deadline(self.now).unwrap_or(u64::MAX));
        self.queue.next_at().map_or(ahead, |next| next.clamp(self.now, ahead))
    }

    /// Runs every process up to the limit. Returns whether one of them has sent a request.
    fn run_processes(&mut self, window: u64) -> bool {
        let mut sent = false;
        let count = self.actors.len();
        // The first process changes: it is the first one at the server.
        let first = mix(self.plan.seed, self.now, 1) as usize % count.max(1);
        for turn in 0..count {
            let process = (first + turn) % count;
            loop {
                let limit = self.limit(window);
                self.beat.enters(Some(process));
                let posted = self.actors[process].run_until(limit);
                self.beat.leaves();
                let at = self.actors[process].at;
                sent |= !posted.is_empty();
                for request in posted {
                    self.post(process, at, request);
                }
                for (property, reason) in self.actors[process].violations() {
                    let name = self.actors[process].name.clone();
                    self.violate(&property, format!("{name}: {reason}"), None);
                }
                self.look_for_the_end(process);
                if at >= self.limit(window) || !self.actors[process].runs() || self.checks.violation.is_some()
                {
                    break;
                }
            }
        }
        self.check_leaders();
        sent
    }

    fn run_server(&mut self) {
        self.beat.enters(None);
        loop {
            let local = self.server.run_until(self.server_start + self.now);
            self.drain(local - self.server_start, None);
            if local >= self.server_start + self.now {
                break;
            }
        }
        self.beat.leaves();
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(id) => self.arrive(id),
            Event::Reply(id, response) => self.reply(id, response),
            Event::Frame(id, frame) => self.frame(id, frame),
            Event::Step(step) => {
                self.pending -= 1;
                self.step(&step, crate::world::Writer::Workload);
            }
            Event::Fault(index) => {
                self.pending -= 1;
                self.disturb(index);
            }
            Event::Over(over) => {
                self.pending -= 1;
                self.over(over);
            }
            Event::Restart(process) => {
                self.pending -= 1;
                self.start(process);
            }
        }
    }

    /// Reacts to a process that has ended by itself.
    fn look_for_the_end(&mut self, process: usize) {
        let Some(ended) = self.actors[process].ended() else { return };
        let name = self.actors[process].name.clone();
        let why = match ended {
            Ended::Returned => "returned".to_owned(),
            Ended::Failed(error) => format!("ended with an error: {error}"),
            Ended::Panicked(text) => format!("panicked: {text}"),
        };
        match self.scenario.processes[process].on_end {
            OnEnd::Fail => self.violate("processes keep running", format!("process {name} {why}"), None),
            OnEnd::Restart(after) => self.crash(process, why, after),
        }
    }

    /// Ends a process and schedules its restart.
    fn crash(&mut self, process: usize, why: String, restart: Duration) {
        let at = self.actors[process].at.max(self.now);
        let name = self.actors[process].name.clone();
        if !self.actors[process].is_alive() {
            return; // it is down already, and will be started again
        }
        self.beat.enters(Some(process));
        let sent = self.actors[process].crash();
        self.beat.leaves();
        drop(sent);
        self.trace.add(at, What::Ended { process: name, why });
        self.hang_up(process);
        self.later(at + millis(restart).max(1), Event::Restart(process));
    }

    /// Returns whether no fault is pending or active.
    fn rests(&self) -> bool {
        self.pending == 0 && !self.armed.waits(self.now, self.plan_horizon())
    }

    fn plan_horizon(&self) -> u64 {
        millis(self.scenario.faults.horizon())
    }

    fn finish(self) -> History {
        let (hash, records) = self.trace.finish();
        History {
            violation: self.checks.violation,
            hash,
            records,
            requests: self.actors.iter().map(|actor| actor.requests).collect(),
            coverage: self.coverage,
            met: self.armed.met(),
            lasted: Duration::from_millis(self.now),
            has_objects: self.has_objects || !self.scenario.manifests.is_empty(),
        }
    }
}

impl History {
    fn failed_to_start(error: String, trace: Trace) -> Self {
        let (hash, records) = trace.finish();
        let violation = Violation {
            property: "the scenario can be set up".to_owned(),
            reason: error,
            at: Duration::ZERO,
            version: None,
        };
        Self {
            violation: Some(violation),
            hash,
            records,
            requests: Vec::new(),
            coverage: Coverage::new(),
            met: 0,
            lasted: Duration::ZERO,
            has_objects: true, // nobody knows
        }
    }
}
