//! The path of a request through the simulation: from a process's outbox to the server and back, with its faults.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, header, request};
use http_body_util::Full;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
};
use trimtab_apiserver::{ChangeKind, Commit, FaultGuard, User, Verb};

use super::{
    Engine, Event,
    disturb::Over,
    link,
    record::{What, content},
    refusal::refusal,
    server::Output,
};
use crate::{
    call::Call,
    fault::Fault,
    plan::millis,
    process::{Posted, Reply, ReplyBody, broken},
    property::Sent,
    random::mix,
    step::Step,
    world::{Writer, Written},
};

/// A request in flight, or an open watch.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) process: usize,
    /// The number of starts of the process when it was sent.
    pub(super) start: u32,
    number: u32,
    call: Call,
    /// The request until its arrival.
    request: Option<(request::Parts, Bytes)>,
    /// The sender of the response until it is sent.
    pub(super) reply: Option<oneshot::Sender<Reply>>,
    /// The sender of the frames of an open watch.
    pub(super) frames: Option<mpsc::UnboundedSender<io::Result<Bytes>>>,
    /// The time at which the last piece of the response reaches the process.
    last: u64,
    pub(super) task: Option<AbortHandle>,
    /// The fault of the request.
    fault: Option<Fault>,
}

impl Engine<'_> {
    /// Handles a request that a process has sent.
    pub(super) fn post(&mut self, process: usize, at: u64, posted: Posted) {
        let actor = &mut self.actors[process];
        if !actor.is_alive() || self.checks.violation.is_some() {
            return; // it crashed with an earlier request of the same moment
        }
        actor.requests += 1;
        let (number, name, start) = (actor.requests, actor.name.clone(), actor.starts);
        let identity = actor.identity();
        let Posted { mut parts, body, reply } = posted;
        if let Ok(name) = HeaderValue::from_str(&name) {
            parts.headers.insert(header::USER_AGENT, name);
        }
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let call = Call::of(&parts.method, parts.uri.path(), &query);
        *self.coverage.entry(("", call.kind())).or_default() += 1;
        let sent =
            What::Sent { process: name.clone(), number, call: call.clone(), query, body: content(&body) };
        self.trace.add(at, sent);
        if number > self.scenario.most_requests {
            let text =
                format!("{name} has sent {number} requests: a loop without an end, or too small a limit");
            return self.violate("no hot loop", text, None);
        }
        self.checks.sent(&call, at);
        let said = Sent { process: name.clone(), identity, call: call.clone() };
        self.check_sent(&said);
        let fault = self.armed.meet(&name, &call, at);
        if let Some(fault) = &fault {
            *self.coverage.entry((fault.name(), call.kind())).or_default() += 1;
            let text = format!("{fault} meets #{number} `{call}`");
            self.trace.add(at, What::Fault { process: name, text });
        }
        self.next_flight += 1;
        let id = self.next_flight;
        let flight = Flight {
            process,
            start,
            number,
            call,
            request: Some((parts, body)),
            reply: Some(reply),
            frames: None,
            last: at,
            task: None,
            fault,
        };
        let way = self.way(process, number, 1);
        self.flights.insert(id, flight);
        self.send(id, process, at, way, fault);
    }

    /// Sends a request, subject to its fault.
    fn send(&mut self, id: u64, process: usize, at: u64, way: u64, fault: Option<Fault>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let (link, call) = (self.links.of(process), &flight.call);
        let is_partitioned = link.partitions > 0;
        // The engine responds; the request does not arrive.
        let instead = if link.blind > 0 && matches!(call.verb, Verb::List | Verb::Watch) {
            Some(Err(broken("the front end is not reachable (fault)")))
        } else if call.verb == Verb::Watch && link.expired.remove(&call.resource) {
            Some(Ok(refusal(410)))
        } else {
            match fault {
                Some(Fault::LoseRequest) => Some(Err(broken("the request was lost (fault)"))),
                Some(Fault::Refuse(code)) => Some(Ok(refusal(code))),
                _ => None,
            }
        };
        if is_partitioned || instead.is_some() {
            flight.request = None;
        }
        if is_partitioned {
            return; // until the connection breaks
        }
        if let Some(response) = instead {
            return self.queue.add(at + 2 * way, Event::Reply(id, response));
        }
        match fault {
            Some(Fault::Delay(by)) => self.queue.add(at + way + millis(by), Event::Arrive(id)),
            Some(Fault::LateCommit(by)) => {
                self.queue.add(at + 2 * way, Event::Reply(id, Ok(refusal(504))));
                self.later(at + way + millis(by), Event::Over(Over::Late(id)));
            }
            Some(fault @ Fault::CrashBefore(restart)) => {
                self.flights.remove(&id);
                self.crash(process, format!("crashes ({})", fault.name()), restart);
            }
            _ => self.queue.add(at + way, Event::Arrive(id)),
        }
    }

    /// Returns the latency of a message in whole milliseconds, a function of the message (I3).
    fn way(&self, process: usize, number: u32, leg: u64) -> u64 {
        let (shortest, longest) = self.scenario.latency;
        let message = (process as u64) << 32 | u64::from(number);
        shortest + mix(self.plan.seed, message, leg) % (longest - shortest + 1)
    }

    /// Delivers a request to the server, which carries it out.
    pub(super) fn arrive(&mut self, id: u64) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let Some((parts, body)) = flight.request.take() else { return };
        let (process, call, fault) = (flight.process, flight.call.clone(), flight.fault);
        let is_watch = call.verb == Verb::Watch;
        let stale: Option<FaultGuard> = match fault {
            Some(Fault::StaleRead(by)) => {
                Some(self.server.api.faults().stale_reads(link::of(&self.actors[process]), by))
            }
            _ => None,
        };
        self.beat.enters(None);
        let task = self.server.carry_out(id, Request::from_parts(parts, Full::new(body)), is_watch);
        self.beat.leaves();
        drop(stale);
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.task = Some(task);
        }
        let writer = call.is_write().then(|| (Writer::Process(self.actors[process].name.clone()), call));
        self.drain(self.now, writer);
        if let Some(Fault::CrashAfter(restart)) = fault
            && self.flights.get(&id).is_some_and(|flight| flight.start == self.actors[process].starts)
        {
            self.crash(process, "crashes (crash-after)".to_owned(), restart);
        }
    }

    /// Takes the commits and the outputs of the server up to `at`. `writer` is the author of the request.
    pub(super) fn drain(&mut self, at: u64, writer: Option<(Writer, Call)>) {
        let mut writer = writer;
        self.world.now = Duration::from_millis(at);
        for commit in self.server.commits() {
            let by = match &writer {
                Some((by, call)) if call.resource == commit.resource => by.clone(),
                _ => Writer::Cluster,
            };
            // Commits that follow from the request are those of the cluster.
            writer = writer.filter(|(written, call)| *written != by || call.verb == Verb::DeleteCollection);
            self.take(commit, by, true);
        }
        for output in self.server.outputs() {
            self.output(at, output);
        }
    }

    /// Records a commit.
    pub(super) fn take(&mut self, commit: Commit, by: Writer, checks: bool) {
        let version = commit.version;
        let name = match &commit.namespace {
            Some(namespace) => format!("{namespace}/{}", commit.name),
            None => commit.name.clone(),
        };
        let note = if self.trace.keeps() { crate::timeline::changes(&commit) } else { String::new() };
        let content = match commit.change {
            ChangeKind::Deleted => 0,
            _ => content(commit.object.json().as_bytes()),
        };
        let (change, resource) = (commit.change, commit.resource.clone());
        let at = self.world.now;
        let written = What::Commit { by: by.clone(), version, change, resource, name, content, note };
        self.trace.add(millis(at), written);
        self.checks.committed(&commit.resource, millis(at));
        self.world.apply(Written { at, by, commit });
        if checks {
            self.has_objects = true;
            self.check_commit(version);
        }
    }

    /// Handles an output of the server.
    fn output(&mut self, at: u64, output: Output) {
        let (id, event) = match output {
            Output::Response { id, parts, body: Some(body) } => {
                let response = http::Response::from_parts(parts, ReplyBody::Whole(Some(body)));
                (id, Event::Reply(id, Ok(response)))
            }
            Output::Response { id, parts, body: None } => {
                let (sender, receiver) = mpsc::unbounded_channel();
                if let Some(flight) = self.flights.get_mut(&id) {
                    flight.frames = Some(sender);
                }
                let response = http::Response::from_parts(parts, ReplyBody::Frames(receiver));
                (id, Event::Reply(id, Ok(response)))
            }
            Output::Frame { id, bytes } => (id, Event::Frame(id, Some(Ok(bytes)))),
            Output::End { id, error } => match self.flights.get(&id) {
                Some(flight) if flight.frames.is_some() => (id, Event::Frame(id, error.map(Err))),
                _ => (id, Event::Reply(id, Err(error.unwrap_or_else(|| broken("no response"))))),
            },
        };
        let Some(flight) = self.flights.get(&id) else { return };
        let (process, number, last) = (flight.process, flight.number, flight.last);
        // The pieces of one response stay in order.
        let arrives = last.max(at + self.way(process, number, 2 + at));
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.last = arrives;
        }
        self.queue.add(arrives, event);
    }

    /// Delivers a response to its process.
    pub(super) fn reply(&mut self, id: u64, response: link::Response) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let (process, number) = (flight.process, flight.number);
        let Some(sender) = flight.reply.take() else {
            // It got a response before, and no task waits for another.
            flight.task.take().inspect(AbortHandle::abort);
            self.flights.remove(&id);
            return;
        };
        if self.links.of(process).partitions > 0 || flight.fault == Some(Fault::Hang) {
            flight.reply = Some(sender); // until the connection breaks
            return;
        }
        let response = match flight.fault {
            Some(Fault::LoseReply) => Err(broken("the reply was lost (fault)")),
            _ => response,
        };
        if response.is_err() {
            flight.frames = None;
            flight.task.take().inspect(AbortHandle::abort);
        }
        let code = response.as_ref().ok().map(|response| response.status().as_u16());
        sender.send(response).ok(); // dropped: the client has given up
        let is_done = flight.frames.is_none() && flight.request.is_none();
        if is_done {
            self.flights.remove(&id);
        }
        self.trace.add(self.now, What::Answered { process: self.actors[process].name.clone(), number, code });
    }

    /// Delivers a piece of a watch to its process.
    pub(super) fn frame(&mut self, id: u64, frame: Option<io::Result<Bytes>>) {
        let Some(flight) = self.flights.get_mut(&id) else { return };
        let process = flight.process;
        let link = self.links.of(process);
        if link.partitions > 0 {
            return; // the connection breaks at the end of the partition
        }
        let Some(frames) = flight.frames.as_ref().filter(|_| flight.reply.is_none()) else { return };
        let Some(frame) = frame else {
            self.flights.remove(&id);
            return;
        };
        let copies = if link.doubles > 0 && frame.is_ok() { 2 } else { 1 };
        let name = self.actors[process].name.clone();
        let bytes = frame.as_ref().ok().cloned();
        let mut is_open = true;
        for _ in 1..copies {
            is_open &= bytes.clone().is_some_and(|bytes| frames.send(Ok(bytes)).is_ok());
        }
        is_open &= frame.is_ok();
        is_open &= frames.send(frame).is_ok();
        let resource = flight.call.resource.clone();
        if !is_open {
            flight.task.take().inspect(AbortHandle::abort); // nobody reads it any more
            self.flights.remove(&id);
        }
        if let Some(bytes) = bytes {
            self.trace.saw(self.now, &name, &resource, &bytes);
        }
    }

    /// Breaks every connection of a process that crashed or was cut off.
    pub(super) fn hang_up(&mut self, process: usize) {
        let ids: Vec<u64> =
            self.flights.iter().filter(|(_, flight)| flight.process == process).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(flight) = self.flights.get_mut(&id) else { continue };
            let is_watch = flight.frames.is_some();
            if let Some(frames) = flight.frames.take() {
                frames.send(Err(broken("the connection broke (fault)"))).ok();
            }
            if let Some(reply) = flight.reply.take() {
                reply.send(Err(broken("the connection broke (fault)"))).ok();
            }
            if is_watch {
                flight.task.take().inspect(AbortHandle::abort);
            }
            // A sent request is still carried out, but its response is lost.
            if flight.request.is_none() {
                self.flights.remove(&id);
            }
        }
    }

    /// Breaks the watches of a process. Returns their resources.
    pub(super) fn cut_watches(&mut self, process: usize) -> Vec<String> {
        let watches = |flight: &Flight| flight.process == process && flight.frames.is_some();
        let ids: Vec<u64> =
            self.flights.iter().filter(|(_, flight)| watches(flight)).map(|(id, _)| *id).collect();
        let cut = ids.iter().filter_map(|id| self.flights.remove(id));
        cut.map(|flight| {
            flight.task.inspect(AbortHandle::abort);
            if let Some(frames) = flight.frames {
                frames.send(Err(broken("the watch was cut (fault)"))).ok();
            }
            if let Some(reply) = flight.reply {
                reply.send(Err(broken("the watch was cut (fault)"))).ok();
            }
            flight.call.resource
        })
        .collect()
    }

    /// Carries out a step of the workload, or of a fault, at once.
    pub(super) fn step(&mut self, step: &Step, by: Writer) -> u16 {
        let user_agent = by.to_string();
        let request = Request::builder()
            .method(step.method.clone())
            .uri(&step.path)
            .header(header::CONTENT_TYPE, step.content_type)
            .header(header::USER_AGENT, user_agent)
            .extension(User::admin())
            .body(Full::new(Bytes::from(step.body.clone())));
        let Ok(request) = request else {
            self.violate("the scenario can be carried out", format!("{:?} is no path", step.path), None);
            return 0;
        };
        self.next_flight += 1;
        let id = self.next_flight;
        self.beat.enters(None);
        self.server.carry_out(id, request, false);
        self.beat.leaves();
        let call = step.call();
        self.world.now = Duration::from_millis(self.now);
        let mut code = 0;
        let outputs = self.server.outputs();
        for output in &outputs {
            if let Output::Response { id: answered, parts, .. } = output
                && *answered == id
            {
                code = parts.status.as_u16();
            }
        }
        if by == Writer::Workload {
            self.trace.add(self.now, What::Step { text: step.to_string(), code });
        }
        for output in outputs {
            self.output(self.now, output);
        }
        self.drain(self.now, Some((by, call)));
        code
    }
}
