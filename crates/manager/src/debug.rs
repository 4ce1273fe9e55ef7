//! [`Debugged`]: the checks and the sections of the debug page that a manager adds to its admin server.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use trimtab_admin::{AdminBuilder, Check, MeasuredPart, Section};
use trimtab_controller::{
    ControllerHandle, KeyStatus, SourceStatus,
    featuregate::{Explanation, FeatureGates, GateSet},
    gates,
    informer::{InformerSummary, Phase, metrics::LISTS_TOTAL},
    workqueue::Stage,
};

use crate::{ManagerHandle, Runnable, rates::Rates};

/// The lag from which the informers count as not fresh: a healthy informer's stays below about a minute.
const MAX_LAG: Duration = Duration::from_secs(120);
/// The tolerance of the check of the leader election, as in Kubernetes' own components.
const STALE_LEADER: Duration = Duration::from_secs(20);

/// The most keys of a controller that a section shows.
const MAX_KEYS: usize = 200;

/// The parts of a process that its admin server shows.
#[derive(Debug, Clone)]
pub(crate) struct Debugged {
    pub(crate) process: ManagerHandle,
    pub(crate) gates: Option<FeatureGates>,
}

impl Debugged {
    /// Adds checks and sections, and returns the runnable that takes the samples for the rates.
    pub(crate) fn add_to(self, admin: AdminBuilder) -> (AdminBuilder, Runnable) {
        let rates = Rates::new(&self.process);
        let sampler = {
            let rates = rates.clone();
            Runnable::new("debug rates", move |shutdown| rates.clone().sample_until(shutdown))
        };
        let this = Arc::new(self);
        let measured = this.clone();
        let mut admin = admin
            .measured(move || measured.informers_with_metrics())
            .ready(this.synced())
            .ready(this.fresh())
            .section(this.section("process", Self::process))
            .section(
                this.section("informers", Self::informers).columns(&["informer", "phase", "lag", "objects"]),
            )
            .section(this.section("sources", Self::sources).columns(&["controller", "source", "phase"]))
            .section(this.section("queues", Self::queues).columns(&[
                "controller",
                "depth",
                "oldest key",
                "its age",
            ]))
            .section(this.section("reconciles in flight", Self::in_flight).columns(&["controller", "key"]))
            .section(this.section("keys in backoff", Self::in_backoff).columns(&["controller", "key"]))
            .section(this.section("keys parked", Self::parked).columns(&["controller", "key"]))
            .section(this.section("leadership", Self::leadership))
            .section(Section::new("rates", move || rates.json()))
            .section(this.section("gates", Self::gates).columns(&["name", "enabled", "stage"]));
        if let Some(observer) = this.process.observer() {
            let check = move || std::future::ready(observer.check(STALE_LEADER));
            admin = admin.live(Check::new("leader-election", check));
        }
        (admin, sampler.before_informers())
    }

    fn section(self: &Arc<Self>, name: &str, content: fn(&Self) -> Value) -> Section {
        let this = self.clone();
        Section::new(name, move || content(&this))
    }

    /// Checks that every informer that is waited for has synced.
    fn synced(self: &Arc<Self>) -> Check {
        self.check("informers-synced", "not synced", |summary| summary.status.synced)
    }

    /// Checks that the server has confirmed every store lately.
    fn fresh(self: &Arc<Self>) -> Check {
        self.check("informers-fresh", "not fresh", |summary| {
            summary.status.lag.is_some_and(|lag| lag <= MAX_LAG)
        })
    }

    fn check(
        self: &Arc<Self>,
        name: &str,
        problem: &'static str,
        is_met: fn(&InformerSummary) -> bool,
    ) -> Check {
        let this = self.clone();
        Check::new(name, move || {
            let summaries = this.process.informers.summaries().into_iter();
            let failing = summaries
                .filter(|summary| this.process.is_needed(&summary.description) && !is_met(summary))
                .map(|summary| summary.description)
                .collect::<Vec<_>>();
            std::future::ready(match failing.is_empty() {
                true => Ok(()),
                false => Err(format!("{problem}: {}", failing.join(", "))),
            })
        })
    }

    /// Returns the informers, each with a series that it has if it was made after the metrics recorder.
    fn informers_with_metrics(&self) -> Vec<MeasuredPart> {
        let part = |InformerSummary { description, resource, .. }: InformerSummary| {
            let (resource, group) = resource.split_once('.').unwrap_or((&resource, ""));
            MeasuredPart::new(format!("informer of {description}"), LISTS_TOTAL)
                .label("group", group)
                .label("resource", resource)
        };
        self.process.informers.summaries().into_iter().map(part).collect()
    }

    fn process(&self) -> Value {
        json!({
            "name": self.process.name(),
            "identity": self.process.observer().map(|observer| observer.identity().to_owned()),
        })
    }

    fn informers(&self) -> Value {
        let now = Instant::now();
        self.process.informers.summaries().into_iter().map(|summary| informer(&summary, now)).collect()
    }

    /// Returns the sources of all controllers.
    fn sources(&self) -> Value {
        let now = Instant::now();
        let row = |controller: &ControllerHandle, source: SourceStatus| {
            json!({
                "controller": controller.name(),
                "source": source.name,
                "phase": source.phase,
                "synced": source.synced,
                "optional": source.optional,
                "last error": source.last_error,
                "failing for": source.failing_since.map(|since| seconds(now.saturating_duration_since(since))),
            })
        };
        let controllers = self.process.controllers();
        let rows = controllers
            .iter()
            .flat_map(|controller| controller.sources().into_iter().map(|source| row(controller, source)));
        rows.collect()
    }

    fn queues(&self) -> Value {
        self.process.controllers().iter().map(queue).collect()
    }

    fn in_flight(&self) -> Value {
        let now = Instant::now();
        self.keys(
            |key| matches!(key.stage, Some(Stage::Processing | Stage::ProcessingAgain)),
            |controller, key| {
                json!({
                    "controller": controller,
                    "key": key.key.to_string(),
                    "age": key.since.map(|since| seconds(now.saturating_duration_since(since))),
                    "failures before": key.failures,
                    "queued again": key.stage == Some(Stage::ProcessingAgain),
                })
            },
        )
    }

    fn in_backoff(&self) -> Value {
        let now = Instant::now();
        self.keys(
            |key| key.last_error.is_some() && key.waits_for.is_none(),
            |controller, key| {
                json!({
                    "controller": controller,
                    "key": key.key.to_string(),
                    "failures": key.failures,
                    "failing for": key.failing_since.map(|since| seconds(now.saturating_duration_since(since))),
                    "next attempt in": match (key.stage, key.due) {
                        (None, _) => "at its next event".to_owned(),
                        (_, Some(due)) => seconds(due.saturating_duration_since(now)),
                        (_, None) => "queued".to_owned(),
                    },
                    "last error": key.last_error.as_deref().map(short),
                })
            },
        )
    }

    fn parked(&self) -> Value {
        let now = Instant::now();
        self.keys(
            |key| key.waits_for.is_some(),
            |controller, key| {
                json!({
                    "controller": controller,
                    "key": key.key.to_string(),
                    "waits for": key.waits_for.as_deref(),
                    "for": key.failing_since.map(|since| seconds(now.saturating_duration_since(since))),
                    "at most": key.due.map(|due| seconds(due.saturating_duration_since(now))),
                })
            },
        )
    }

    /// Returns the rows of the keys that `is_shown` chooses, at most [`MAX_KEYS`] for each controller.
    fn keys(&self, is_shown: fn(&KeyStatus) -> bool, row: impl Fn(&str, KeyStatus) -> Value) -> Value {
        let mut rows = Vec::new();
        for controller in self.process.controllers() {
            let mut keys: Vec<_> = controller.keys().into_iter().filter(is_shown).collect();
            let more = keys.len().saturating_sub(MAX_KEYS);
            keys.truncate(MAX_KEYS);
            rows.extend(keys.into_iter().map(|key| row(controller.name(), key)));
            if more > 0 {
                rows.push(json!({"controller": controller.name(), "key": format!("and {more} more")}));
            }
        }
        rows.into()
    }

    fn leadership(&self) -> Value {
        let Some(observer) = self.process.observer() else { return json!("no leader election") };
        json!({
            "lease": observer.lease(),
            "identity": observer.identity(),
            "holder": observer.leader(),
            "leads": observer.is_leader(),
            "remaining": observer.remaining().map(seconds),
            "transitions": observer.transitions(),
        })
    }

    fn gates(&self) -> Value {
        let gates = self.gates.clone().unwrap_or_else(gates::Features::gates);
        let row = |gate: Explanation| {
            json!({
                "name": &*gate.gate,
                "enabled": gate.enabled,
                "stage": gate.stage.to_string(),
                "default": gate.default,
                "source": gate.source.to_string(),
            })
        };
        gates.snapshot().gates.into_iter().map(row).collect()
    }
}

fn queue(controller: &ControllerHandle) -> Value {
    let now = Instant::now();
    let status = controller.status();
    let ready = controller.keys().into_iter().filter(|key| key.stage == Some(Stage::Ready));
    let oldest = ready.filter_map(|key| Some((key.since?, key.key))).min();
    json!({
        "controller": controller.name(),
        "runs": status.running,
        "depth": status.queued,
        "oldest key": oldest.as_ref().map(|(_, key)| key.to_string()),
        "its age": oldest.map(|(since, _)| seconds(now.saturating_duration_since(since))),
        "reconciling": status.processing,
        "delayed": status.delayed,
        "failing": status.failing,
        "parked": status.parked,
        "reconciles": status.reconciles,
        "failures": status.failures,
        "panics": status.panics,
        "timeouts": status.timeouts,
    })
}

fn informer(InformerSummary { description, status, .. }: &InformerSummary, now: Instant) -> Value {
    let next = match status.phase {
        Phase::Waiting { until } | Phase::NotServed { until } => {
            Some(seconds(until.saturating_duration_since(now)))
        }
        _ => None,
    };
    json!({
        "informer": description,
        "phase": status.phase.to_string(),
        "next attempt in": next,
        "synced": status.synced,
        "lag": status.lag.map(seconds),
        "objects": status.objects,
        "bytes": status.bytes,
        "lists": status.lists,
        "watches": status.watches,
        "restarts": status.restarts,
        "last error": status.last_error.as_ref().map(ToString::to_string),
        "failing for": status.failing_since.map(|since| seconds(now.saturating_duration_since(since))),
    })
}

/// Returns an error without the dump of a `Status`, with which kube-client's errors end.
fn short(error: &str) -> &str {
    error.split_once(" (Status {").map_or(error, |(message, _)| message)
}

/// Returns a duration as text in seconds, with milliseconds.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests;
