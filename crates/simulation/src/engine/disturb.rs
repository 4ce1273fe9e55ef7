//! The effects of faults of processes and of the cluster, and the faults that wait for a request.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use trimtab_apiserver::{FaultGuard, StoredObject};

use super::{Engine, Event, link, record::What};
use crate::{
    call::Call,
    fault::{Fault, PlannedFault, Scope},
    plan::{Plan, millis},
    process::Actor,
    step::Step,
    world::Writer,
};

/// The shortest time for which a fault waits for a request.
const PATIENCE: u64 = 5_000;
/// The delay before the restart of a process whose front end lags.
const TRAVEL: Duration = Duration::from_secs(1);

/// The effect of a fault that ends later.
#[derive(Debug)]
pub(super) enum Over {
    /// A delayed request reaches the server.
    Late(u64),
    Lag(u64),
    Blind(usize, Vec<String>),
    Partition(usize),
    Resume(usize),
    Drift(usize),
    Doubles(usize),
    /// A fault of the server.
    Guard(FaultGuard),
}

/// The faults of a plan.
#[derive(Debug)]
pub(super) struct Armed {
    faults: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    planned: PlannedFault,
    /// The process's number; `None` for a fault of the cluster.
    process: Option<usize>,
    /// The number of requests to spare.
    skip: u32,
    /// Whether the fault had an effect.
    met: bool,
}

impl Armed {
    pub(super) fn new(plan: &Plan, actors: &[Actor]) -> Self {
        let waiting = |planned: &PlannedFault| Waiting {
            process: actors.iter().position(|actor| *actor.name == *planned.process),
            skip: planned.skip,
            planned: planned.clone(),
            met: false,
        };
        Self { faults: plan.faults.iter().map(waiting).collect() }
    }

    /// Returns the faults that begin at a time and do not wait for a request.
    pub(super) fn timed(&self) -> Vec<(usize, u64)> {
        let timed = self.faults.iter().enumerate();
        timed
            .filter(|(_, waiting)| waiting.planned.fault.scope() != Scope::Request)
            .map(|(index, waiting)| (index, millis(waiting.planned.at)))
            .collect()
    }

    /// Returns the fault for this request, if there is one.
    pub(super) fn meet(&mut self, process: &str, call: &Call, at: u64) -> Option<Fault> {
        for waiting in &mut self.faults {
            if waiting.met || at < millis(waiting.planned.at) || !waiting.planned.matches(process, call) {
                continue;
            }
            match waiting.skip.checked_sub(1) {
                Some(left) => waiting.skip = left,
                None => {
                    waiting.met = true;
                    return Some(waiting.planned.fault);
                }
            }
        }
        None
    }

    /// Returns whether a fault may still affect a request. It stops waiting after `horizon`, or a while after its time.
    pub(super) fn waits(&self, now: u64, horizon: u64) -> bool {
        self.faults.iter().any(|waiting| {
            !waiting.met
                && waiting.planned.fault.scope() == Scope::Request
                && now < horizon.max(millis(waiting.planned.at) + PATIENCE)
        })
    }

    /// Returns the number of faults that had an effect.
    pub(super) fn met(&self) -> usize {
        self.faults.iter().filter(|waiting| waiting.met).count()
    }
}

impl Engine<'_> {
    /// Begins a fault of a process or of the cluster.
    pub(super) fn disturb(&mut self, index: usize) {
        let waiting = &self.armed.faults[index];
        let (fault, process) = (waiting.planned.fault, waiting.process);
        let met = match (fault.scope(), process) {
            (Scope::Cluster, _) => self.disturb_cluster(fault),
            (_, Some(process)) => self.disturb_process(process, fault),
            (_, None) => {
                let name = waiting.planned.process.clone();
                return self.violate(
                    "the plan fits the scenario",
                    format!("there is no process {name:?}"),
                    None,
                );
            }
        };
        if met {
            self.armed.faults[index].met = true;
            *self.coverage.entry((fault.name(), String::new())).or_default() += 1;
        }
    }

    fn disturb_process(&mut self, process: usize, fault: Fault) -> bool {
        let (now, is_alive) = (self.now, self.actors[process].is_alive());
        let name = self.actors[process].name.clone();
        let restarts = matches!(fault, Fault::TimeTravel { .. });
        if !is_alive && !restarts {
            return false; // it is down
        }
        self.trace.add(now, What::Fault { process: name, text: fault.to_string() });
        let ends = |lasts: Duration| now + millis(lasts).max(1);
        match fault {
            Fault::Crash(restart) => self.crash(process, "crashes".to_owned(), restart),
            Fault::TimeTravel { lag, lasts } => {
                self.crash(process, "crashes (time-travel)".to_owned(), TRAVEL);
                self.lag(process, lag, ends(TRAVEL + lasts));
            }
            Fault::Lag { lag, lasts } => self.lag(process, lag, ends(lasts)),
            Fault::Unobserved(lasts) => {
                let cut = self.cut_watches(process);
                self.links.of(process).blind += 1;
                self.later(ends(lasts), Event::Over(Over::Blind(process, cut)));
            }
            Fault::CutWatches => drop(self.cut_watches(process)),
            Fault::DropBookmarks(lasts) => {
                let guard = self.server.api.faults().drop_bookmarks(link::of(&self.actors[process]));
                self.later(ends(lasts), Event::Over(Over::Guard(guard)));
            }
            Fault::DuplicateEvents(lasts) => {
                self.links.of(process).doubles += 1;
                self.later(ends(lasts), Event::Over(Over::Doubles(process)));
            }
            Fault::Partition(lasts) => {
                self.links.of(process).partitions += 1;
                self.later(ends(lasts), Event::Over(Over::Partition(process)));
            }
            Fault::Pause(lasts) | Fault::Suspend(lasts) => {
                if !self.actors[process].pause(matches!(fault, Fault::Suspend(_))) {
                    return false; // it does not run already
                }
                self.later(ends(lasts), Event::Over(Over::Resume(process)));
            }
            Fault::Drift { rate, lasts } => {
                self.actors[process].drift(now, u64::from(rate));
                self.later(ends(lasts), Event::Over(Over::Drift(process)));
            }
            Fault::SetClock(by) => self.actors[process].set_wall_clock(by),
            _ => return false, // it waits for a request
        }
        true
    }

    fn lag(&mut self, process: usize, lag: Duration, ends: u64) {
        let id = self.links.lag(process, lag, &self.actors, &self.server.api);
        self.later(ends, Event::Over(Over::Lag(id)));
    }

    /// Ends the effect of a fault.
    pub(super) fn over(&mut self, over: Over) {
        match over {
            Over::Late(id) => self.arrive(id),
            Over::Lag(id) => {
                self.links.catch_up(id);
                self.server.settle();
                self.drain(self.now, None);
            }
            Over::Blind(process, cut) => {
                let link = self.links.of(process);
                link.blind -= 1;
                link.expired.extend(cut);
            }
            Over::Partition(process) => {
                self.links.of(process).partitions -= 1;
                if self.links.of(process).partitions == 0 {
                    self.hang_up(process);
                }
            }
            Over::Resume(process) => {
                self.beat.enters(Some(process));
                self.actors[process].resume(self.now);
                self.beat.leaves();
            }
            Over::Drift(process) => self.actors[process].drift(self.now, 1000),
            Over::Doubles(process) => self.links.of(process).doubles -= 1,
            Over::Guard(guard) => {
                drop(guard);
                self.server.settle();
                self.drain(self.now, None);
            }
        }
    }

    fn disturb_cluster(&mut self, fault: Fault) -> bool {
        let note = |engine: &mut Self, text: String| {
            engine.trace.add(engine.now, What::Fault { process: "".into(), text });
        };
        match fault {
            Fault::Compact => {
                note(self, fault.to_string());
                self.server.api.faults().compact();
                self.server.settle();
                self.drain(self.now, None);
                true
            }
            Fault::TakeLease(pick) => {
                let leases = ["leases.coordination.k8s.io".to_owned()];
                let Some((path, _)) = self.victim(&leases, pick, |_| true) else {
                    return false;
                };
                note(self, format!("another client takes {path}"));
                let taken = json!({"spec": {"holderIdentity": "somebody"}});
                self.is_done(&Step::patch_at(&path, &taken))
            }
            Fault::Delete(pick)
            | Fault::Recreate(pick)
            | Fault::Rival(pick)
            | Fault::TerminateNamespace(pick) => {
                let fits = |object: &StoredObject| {
                    !matches!(fault, Fault::TerminateNamespace(_)) || may_terminate(object).is_some()
                };
                let Some((path, object)) = self.victim(&self.scenario.touched, pick, fits) else {
                    return false;
                };
                note(self, format!("{} {path}", fault.name()));
                self.touch(fault, &path, object)
            }
            _ => false,
        }
    }

    /// Carries out a step of a fault. Returns whether the server accepted it.
    fn is_done(&mut self, step: &Step) -> bool {
        self.step(step, Writer::Chaos) < 400
    }

    /// Applies a fault to an object. Returns whether the server accepted it.
    fn touch(&mut self, fault: Fault, path: &str, object: Value) -> bool {
        match fault {
            Fault::Delete(_) => self.is_done(&Step::delete_at(path)),
            Fault::Recreate(_) => {
                let finalizers = json!({"metadata": {"finalizers": null}});
                self.is_done(&Step::patch_at(path, &finalizers));
                let at_once = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"}).to_string();
                self.is_done(&Step::new(Method::DELETE, path.to_owned(), "application/json", at_once));
                let mut again = object;
                let name = again["metadata"]["name"].take();
                let (labels, owners) =
                    (again["metadata"]["labels"].take(), again["metadata"]["ownerReferences"].take());
                again["metadata"] = json!({"name": name, "labels": labels, "ownerReferences": owners});
                if let Some(fields) = again.as_object_mut() {
                    fields.remove("status");
                }
                let collection = path.rsplit_once('/').map_or(path, |(collection, _)| collection).to_owned();
                self.is_done(&Step::create_at(&collection, &again))
            }
            Fault::Rival(pick) => {
                let patch = json!({"metadata": {"annotations": {"simulation/rival": pick.to_string()}}});
                self.is_done(&Step::patch_at(path, &patch))
            }
            _ => may_terminate(&object)
                .is_some_and(|name| self.is_done(&Step::delete_at(&format!("/api/v1/namespaces/{name}")))),
        }
    }

    /// Draws a live object of `resources` that fits. Returns its path and the object.
    fn victim(
        &self,
        resources: &[String],
        pick: u32,
        fits: impl Fn(&StoredObject) -> bool,
    ) -> Option<(String, Value)> {
        let live = |object: &&StoredObject| object["metadata"]["deletionTimestamp"].is_null() && fits(object);
        let objects: Vec<(&String, &StoredObject)> = resources
            .iter()
            .flat_map(|resource| {
                self.world.objects(resource).filter(live).map(move |object| (resource, object))
            })
            .collect();
        let (resource, object) = objects.get((pick as usize).checked_rem(objects.len())?)?;
        let plural = resource.split('.').next().unwrap_or_default();
        let version = object["apiVersion"].as_str().unwrap_or("v1");
        let root = if version.contains('/') { "/apis" } else { "/api" };
        let namespace = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("/namespaces/{namespace}"),
            None => String::new(),
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        Some((format!("{root}/{version}{namespace}/{plural}/{name}"), (***object).clone()))
    }
}

/// Returns the namespace of an object if the API server lets it be deleted.
fn may_terminate(object: &Value) -> Option<String> {
    let namespace = object["metadata"]["namespace"].as_str()?;
    let is_permanent = matches!(namespace, "default" | "kube-system" | "kube-public" | "kube-node-lease");
    (!is_permanent).then(|| namespace.to_owned())
}
