//! Systematic exploration: one fault in each history, at each request of the scenario in turn.

use std::time::Duration;

use super::{Report, Simulation};
use crate::{
    call::Call,
    engine::record::What,
    fault::{Fault, PlannedFault},
    plan::Plan,
};

/// A fault that is tried at every request in turn. The first two are Sieve's patterns of intermediate states, the third
/// is its stale states, and the last its unobserved states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pattern {
    /// The process crashes before the request, and in another history after it.
    Crash,
    /// The reply to a write is lost.
    LoseReply,
    /// The process crashes at the request and restarts on a front end with this lag.
    TimeTravel(Duration),
    /// From the request on, the front end of the process has this lag.
    Lag(Duration),
    /// From the request on, the process sees no change for this time, and then only the latest state.
    Unobserved(Duration),
}

impl Pattern {
    /// Returns all patterns, with delays of a few seconds.
    pub fn all() -> Vec<Self> {
        let seconds = Duration::from_secs;
        vec![
            Self::Crash,
            Self::LoseReply,
            Self::TimeTravel(seconds(3)),
            Self::Lag(seconds(3)),
            Self::Unobserved(seconds(3)),
        ]
    }

    /// Returns the faults of this pattern at a request.
    fn faults(self, call: &Call) -> Vec<Fault> {
        let restart = Duration::from_millis(500);
        match self {
            Self::Crash if call.is_write() => vec![Fault::CrashBefore(restart), Fault::CrashAfter(restart)],
            Self::Crash => vec![Fault::CrashBefore(restart)],
            Self::LoseReply if call.is_write() => vec![Fault::LoseReply],
            Self::LoseReply => Vec::new(),
            Self::TimeTravel(lag) => vec![Fault::TimeTravel { lag, lasts: lag * 2 }],
            Self::Lag(lag) => vec![Fault::Lag { lag, lasts: lag * 2 }],
            Self::Unobserved(lasts) => vec![Fault::Unobserved(lasts)],
        }
    }
}

impl Simulation {
    /// Runs the first seed without faults, and then once for each of its requests and each fault of the patterns, in order
    /// and without random choices. [`Report::requests_tried`] returns the number of requests.
    ///
    /// The target of a fault is the same request in every run, because there is no fault before it.
    pub fn systematic(&self, patterns: &[Pattern]) -> Report {
        let seed = self.seeds.start;
        let plans = self.plans_of(seed, patterns);
        let (requests, plans) = match plans {
            Ok(found) => found,
            Err(()) => return self.replay(&Plan::new(seed)), // it fails without any fault
        };
        let mut report = self.explore(plans.len() as u64, |number| {
            usize::try_from(number)
                .ok()
                .and_then(|number| plans.get(number))
                .cloned()
                .unwrap_or_else(|| Plan::new(seed))
        });
        report.requests_tried = Some(requests);
        report
    }

    fn plans_of(&self, seed: u64, patterns: &[Pattern]) -> Result<(u64, Vec<Plan>), ()> {
        let watched = self.watched(1);
        let undisturbed = self.history(&Plan::new(seed), true, &watched.beats[0]);
        if undisturbed.violation.is_some() {
            return Err(());
        }
        let sent = undisturbed.records.iter().filter_map(|record| match &record.what {
            What::Sent { process, call, .. } => Some((record.at, process.clone(), call.clone())),
            _ => None,
        });
        let sent: Vec<_> = sent.collect();
        let mut plans = Vec::new();
        for (index, (at, process, call)) in sent.iter().enumerate() {
            let before =
                sent[..index].iter().filter(|(earlier, other, _)| earlier == at && other == process).count();
            for fault in patterns.iter().flat_map(|pattern| pattern.faults(call)) {
                let planned = PlannedFault::new(Duration::from_millis(*at), process, fault);
                plans.push(Plan::new(seed).fault(planned.skip(u32::try_from(before).unwrap_or(0))));
            }
        }
        Ok((sent.len() as u64, plans))
    }
}
