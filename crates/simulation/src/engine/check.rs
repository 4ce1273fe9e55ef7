//! The checks of properties, and the end of a history.

use std::time::Duration;

use super::{Engine, record::What};
use crate::{
    call::Call,
    plan::millis,
    property::{Property, Sent, Verdict, Violation, When},
};

/// The properties of a history, and the times that their checks depend on.
#[derive(Debug)]
pub(super) struct Checks {
    properties: Vec<Property>,
    pub(super) violation: Option<Violation>,
    /// The end of the last fault.
    rest: Option<u64>,
    /// The time of the last write of a process.
    last_sent: u64,
    /// The time of the last commit.
    last_commit: u64,
}

/// Returns whether writes of a resource do not count as activity: Leases and events are written forever.
fn is_bookkeeping(resource: &str) -> bool {
    matches!(
        resource,
        "leases.coordination.k8s.io"
            | "leasecandidates.coordination.k8s.io"
            | "events"
            | "events.events.k8s.io"
    )
}

impl Checks {
    pub(super) fn new(properties: &[Property]) -> Self {
        Self { properties: properties.to_vec(), violation: None, rest: None, last_sent: 0, last_commit: 0 }
    }

    pub(super) fn sent(&mut self, call: &Call, at: u64) {
        if call.is_write() && !is_bookkeeping(&call.resource) {
            self.last_sent = at;
        }
    }

    pub(super) fn committed(&mut self, resource: &str, at: u64) {
        if !is_bookkeeping(resource) {
            self.last_commit = at;
        }
    }

    /// Returns the earliest deadline of a property after `now`.
    pub(super) fn next_deadline(&self, now: u64) -> Option<u64> {
        let rest = self.rest?;
        let deadlines = self.properties.iter().filter_map(|property| Some(rest + millis(property.within()?)));
        deadlines.filter(|deadline| *deadline > now).min()
    }
}

impl Property {
    fn within(&self) -> Option<Duration> {
        match &self.when {
            When::Eventually(within, _) | When::Settles(within) => Some(*within),
            _ => None,
        }
    }
}

impl Engine<'_> {
    /// Records a violation. Only the first one counts.
    pub(super) fn violate(&mut self, property: &str, reason: String, version: Option<u64>) {
        if self.checks.violation.is_none() {
            let at = Duration::from_millis(self.now.max(millis(self.world.now)));
            let violation = Violation { property: property.to_owned(), reason, at, version };
            self.trace.add(millis(at), What::Violated { text: violation.to_string() });
            self.checks.violation = Some(violation);
        }
    }

    fn judge(&mut self, name: &str, verdict: Verdict, version: Option<u64>) {
        if let Verdict(Err(reason)) = verdict {
            self.violate(name, reason, version);
        }
    }

    /// Checks the properties that must always hold, before the first step.
    pub(super) fn check_start(&mut self) {
        if self.scenario.processes.is_empty() {
            self.violate("the scenario has a process", String::new(), None);
        }
        self.check_commit(0);
        if let Some(violation) = &mut self.checks.violation {
            violation.version = None;
            let because = if violation.reason.is_empty() { "" } else { ": " };
            violation.reason =
                format!("before the first step, when nothing has run yet{because}{}", violation.reason);
        }
    }

    /// Checks properties after a commit.
    pub(super) fn check_commit(&mut self, version: u64) {
        for index in 0..self.checks.properties.len() {
            let property = &self.checks.properties[index];
            if let When::Always(check) = &property.when {
                let (name, verdict) = (property.name.clone(), check(&self.world));
                self.judge(&name, verdict, Some(version));
            }
        }
    }

    /// Checks properties before a request leaves its process.
    pub(super) fn check_sent(&mut self, sent: &Sent) {
        for index in 0..self.checks.properties.len() {
            let property = &self.checks.properties[index];
            if let When::Sent(check) = &property.when {
                let (name, verdict) = (property.name.clone(), check(&self.world, sent));
                self.judge(&name, verdict, None);
            }
        }
    }

    /// Checks leaders after each step of the processes.
    pub(super) fn check_leaders(&mut self) {
        for index in 0..self.checks.properties.len() {
            let property = &self.checks.properties[index];
            let When::OneLeader(lease) = &property.when else { continue };
            let leaders: Vec<String> = self
                .actors
                .iter()
                .filter(|actor| actor.leads(lease))
                .map(|actor| actor.name.to_string())
                .collect();
            if leaders.len() > 1 {
                let name = property.name.clone();
                self.violate(&name, format!("{} lead at the same time", leaders.join(" and ")), None);
            }
        }
    }

    /// Returns whether the history is over: no fault is active, no write occurs any more, and all eventual properties hold
    /// or have exceeded their time.
    pub(super) fn is_over(&mut self) -> bool {
        if self.checks.rest.is_none() && self.rests() {
            self.checks.rest = Some(self.now);
        }
        let Some(rest) = self.checks.rest else { return false };
        let quiet = millis(self.scenario.quiet);
        let since_write =
            self.now.saturating_sub(self.checks.last_sent.max(self.checks.last_commit).max(rest));
        let is_quiet = since_write >= quiet;
        let mut all_hold = true;
        let mut longest = rest + quiet;
        for index in 0..self.checks.properties.len() {
            let property = &self.checks.properties[index];
            let Some(within) = property.within() else { continue };
            let deadline = rest + millis(within);
            longest = longest.max(deadline);
            let (is_due, name) = (self.now >= deadline, property.name.clone());
            let verdict = match &property.when {
                When::Eventually(_, check) if is_due || is_quiet => check(&self.world),
                When::Settles(_) => self.settled(quiet),
                _ => Verdict(Ok(())),
            };
            all_hold &= verdict.0.is_ok();
            if is_due {
                self.judge(&name, verdict, None);
            }
        }
        let is_over = (is_quiet && all_hold) || self.now >= longest;
        if is_over {
            self.check_end();
        }
        is_over
    }

    fn settled(&self, quiet: u64) -> Verdict {
        match self.now.saturating_sub(self.checks.last_sent) >= quiet {
            true => Verdict(Ok(())),
            false => Verdict(Err(format!(
                "a process still wrote at {:.3}s",
                self.checks.last_sent as f64 / 1000.0
            ))),
        }
    }

    fn check_end(&mut self) {
        for index in 0..self.checks.properties.len() {
            let property = &self.checks.properties[index];
            let check = match &property.when {
                When::AtEnd(check) | When::Eventually(_, check) => check,
                _ => continue,
            };
            let (name, verdict) = (property.name.clone(), check(&self.world));
            self.judge(&name, verdict, None);
        }
    }
}
