//! The rules of the kubelet as a plain value: what each Pod needs next, and when.
//!
//! - I1: every Pod that was observed and not seen gone is in `pods`, in its newest state.
//! - I2: a Pod has at most one action, scheduled or under way.
//! - I3: `schedule` holds exactly the scheduled actions' times.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    plan::{Rules, Step},
    view::PodView,
};

/// How long things take, and what becomes of Pods.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) startup: Duration,
    pub(super) termination: Duration,
    pub(super) rules: Rules,
}

/// The action for a Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Sends it to a node.
    Bind { node: String },
    /// Reports that it runs, under this address, so long after it was bound.
    Start { ip: String, after: Duration },
    /// Reports what its plan has for it next.
    Go(Step),
    /// Reports that it has ended, by removing it.
    Remove,
}

/// The need of a Pod, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Bind,
    Start,
    Go(Step),
    Remove,
}

#[derive(Debug)]
struct Entry {
    pod: Arc<PodView>,
    /// The order in which Pods came: the second part of a time in the schedule.
    number: u64,
    pending: Pending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    Scheduled(Need, Instant),
    UnderWay(Need),
}

/// All Pods, and what is to be done for them.
#[derive(Debug)]
pub(super) struct Pods {
    nodes: Vec<String>,
    settings: Settings,
    pods: HashMap<String, Entry>,
    schedule: BTreeSet<(Instant, u64, String)>,
    numbers: u64,
    bound: usize,
    addresses: u32,
}

impl Pods {
    pub(super) fn new(nodes: Vec<String>, settings: Settings) -> Self {
        Self {
            nodes,
            settings,
            pods: HashMap::new(),
            schedule: BTreeSet::new(),
            numbers: 0,
            bound: 0,
            addresses: 0,
        }
    }

    /// These are all Pods that there are.
    pub(super) fn replace(&mut self, all: Vec<PodView>, now: Instant) {
        let present: BTreeSet<&str> = all.iter().map(|pod| pod.metadata.uid.as_str()).collect();
        let gone: Vec<String> =
            self.pods.keys().filter(|uid| !present.contains(uid.as_str())).cloned().collect();
        gone.iter().for_each(|uid| self.gone(uid));
        all.into_iter().for_each(|pod| self.changed(pod, now));
    }

    /// This Pod is new, or not what it was.
    pub(super) fn changed(&mut self, pod: PodView, now: Instant) {
        let uid = pod.metadata.uid.clone();
        let need = self.need(&pod);
        self.numbers += 1;
        let entry = self.pods.entry(uid).or_insert_with(|| Entry {
            pod: Arc::default(),
            number: self.numbers,
            pending: Pending::Nothing,
        });
        entry.pod = Arc::new(pod);
        let pending = match (entry.pending, need) {
            (Pending::UnderWay(_), _) => return, // when that is done, this is looked at again
            (Pending::Scheduled(before, _), Some(need)) if before == need => return,
            (_, Some(need)) => Pending::Scheduled(need, now + self.settings.delay(need, &entry.pod)),
            (_, None) => Pending::Nothing,
        };
        Self::set_pending(&mut self.schedule, entry, pending);
    }

    /// The Pod of this UID is no more.
    pub(super) fn gone(&mut self, uid: &str) {
        if let Some(mut entry) = self.pods.remove(uid) {
            Self::set_pending(&mut self.schedule, &mut entry, Pending::Nothing);
        }
    }

    /// When the next action is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.schedule.first().map(|(due, ..)| *due)
    }

    /// The next action, if one is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Arc<PodView>, Action)> {
        let uid = self.schedule.first().filter(|(due, ..)| *due <= now).map(|(.., uid)| uid.clone())?;
        let entry = self.pods.get_mut(&uid).expect("what is scheduled is there (I3)");
        let Pending::Scheduled(need, _) = entry.pending else { unreachable!("it was in the schedule (I3)") };
        Self::set_pending(&mut self.schedule, entry, Pending::UnderWay(need));
        let pod = entry.pod.clone();
        let action = match need {
            Need::Bind => Action::Bind { node: self.next_node() },
            Need::Start => Action::Start {
                ip: self.next_address(),
                after: self.settings.rules.plan(&pod).startup_or(self.settings.startup),
            },
            Need::Go(step) => Action::Go(step),
            Need::Remove => Action::Remove,
        };
        Some((pod, action))
    }

    /// Records that the due action for the Pod of this UID is done, or is to be retried at a time.
    pub(super) fn done(&mut self, uid: &str, again: Option<Instant>, now: Instant) {
        let Some(entry) = self.pods.get(uid) else { return };
        let Pending::UnderWay(before) = entry.pending else {
            return;
        };
        let need = self.need(&entry.pod);
        let pending = match (need, again) {
            (Some(need), Some(again)) => Pending::Scheduled(need, again),
            // The newest state was observed before this was done, or is what it was done to: unless
            // it needs something else, wait for the change that this has made.
            (Some(need), None) if need != before => {
                Pending::Scheduled(need, now + self.settings.delay(need, &entry.pod))
            }
            _ => Pending::Nothing,
        };
        let entry = self.pods.get_mut(uid).expect("found above");
        Self::set_pending(&mut self.schedule, entry, pending);
    }

    fn set_pending(schedule: &mut BTreeSet<(Instant, u64, String)>, entry: &mut Entry, pending: Pending) {
        let at = |pending| match pending {
            Pending::Scheduled(_, due) => Some((due, entry.number, entry.pod.metadata.uid.clone())),
            _ => None,
        };
        if let Some(before) = at(entry.pending) {
            schedule.remove(&before);
        }
        schedule.extend(at(pending));
        entry.pending = pending;
    }

    fn need(&self, pod: &PodView) -> Option<Need> {
        let node = pod.spec.node_name.as_deref().unwrap_or_default();
        let ours = self.nodes.iter().any(|name| name == node);
        if pod.metadata.deletion_timestamp.is_some() {
            // With a grace period of 0 it was reported already; finalizers hold what is left.
            let pending = pod.metadata.deletion_grace_period_seconds != Some(0);
            return (ours && pending).then_some(Need::Remove);
        }
        if node.is_empty() {
            return pod.spec.scheduling_gates.is_empty().then_some(Need::Bind);
        }
        match pod.status.phase.as_deref() {
            _ if !ours => None,
            None | Some("" | "Pending") => {
                let plan = self.settings.rules.plan(pod);
                match plan.next_without_image(pod, self.settings.startup) {
                    None => Some(Need::Start),
                    Some(step) => step.map(Need::Go),
                }
            }
            _ => self.settings.rules.plan(pod).next(pod).map(Need::Go),
        }
    }

    fn next_node(&mut self) -> String {
        self.bound += 1;
        self.nodes[(self.bound - 1) % self.nodes.len()].clone()
    }

    /// An address that no other Pod of this kubelet had: of 10.0.0.0/8.
    fn next_address(&mut self) -> String {
        self.addresses = self.addresses % 0x00ff_fffe + 1;
        let [_, a, b, c] = self.addresses.to_be_bytes();
        format!("10.{a}.{b}.{c}")
    }
}

impl Settings {
    fn delay(&self, need: Need, pod: &PodView) -> Duration {
        match need {
            Need::Bind => Duration::ZERO,
            Need::Start => self.rules.plan(pod).startup_or(self.startup),
            Need::Go(step) => step.delay(),
            Need::Remove => {
                let grace =
                    pod.metadata.deletion_grace_period_seconds.and_then(|grace| grace.try_into().ok());
                grace.map_or(self.termination, |grace| self.termination.min(Duration::from_secs(grace)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
