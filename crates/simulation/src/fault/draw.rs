//! [`FaultMix`]: the kinds and the number of faults in random plans.

use std::{sync::Arc, time::Duration};

use super::{Fault, PlannedFault, Requests, Scope};
use crate::random::Random;

/// The kinds of faults in random plans, their number, and the time in which they begin.
#[derive(Debug, Clone)]
#[must_use]
pub struct FaultMix {
    /// Examples of the faults, with the longest durations.
    faults: Vec<(Fault, u32)>,
    most: u32,
    horizon: Duration,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl FaultMix {
    /// Returns a mix without faults.
    pub fn none() -> Self {
        Self { faults: Vec::new(), most: 0, horizon: Duration::ZERO }
    }

    /// Returns a mix with all faults of the network, the API server and the machines: up to five faults, which begin within
    /// 20 s. Faults of objects, Leases and namespaces can be added: see [`with`](Self::with).
    pub fn environment() -> Self {
        Self { faults: Vec::new(), most: 5, horizon: seconds(20) }
            .with(Fault::LoseRequest, 2)
            .with(Fault::LoseReply, 3)
            .with(Fault::LateCommit(seconds(10)), 2)
            .with(Fault::Delay(seconds(5)), 2)
            .with(Fault::Refuse(409), 1)
            .with(Fault::Refuse(410), 1)
            .with(Fault::Refuse(429), 1)
            .with(Fault::Refuse(500), 1)
            .with(Fault::Refuse(503), 1)
            .with(Fault::Refuse(504), 1)
            .with(Fault::Hang, 1)
            .with(Fault::CrashBefore(seconds(3)), 2)
            .with(Fault::CrashAfter(seconds(3)), 3)
            .with(Fault::StaleRead(seconds(10)), 2)
            .with(Fault::Crash(seconds(3)), 2)
            .with(Fault::TimeTravel { lag: seconds(10), lasts: seconds(10) }, 3)
            .with(Fault::Lag { lag: seconds(10), lasts: seconds(10) }, 4)
            .with(Fault::Unobserved(seconds(8)), 3)
            .with(Fault::CutWatches, 2)
            .with(Fault::DropBookmarks(seconds(20)), 1)
            .with(Fault::DuplicateEvents(seconds(5)), 1)
            .with(Fault::Partition(seconds(20)), 2)
            .with(Fault::Pause(seconds(20)), 2)
            .with(Fault::Suspend(seconds(20)), 1)
            .with(Fault::Drift { rate: 1100, lasts: seconds(20) }, 1)
            .with(Fault::Drift { rate: 900, lasts: seconds(20) }, 1)
            .with(Fault::SetClock(3_600_000), 1)
            .with(Fault::SetClock(-3_600_000), 1)
            .with(Fault::Compact, 1)
    }

    /// Adds a fault: `weight` times as likely as one of weight 1, with durations up to its own.
    pub fn with(mut self, fault: Fault, weight: u32) -> Self {
        self.faults.push((fault, weight));
        self
    }

    /// Removes the faults for which `unwanted` returns `true`.
    pub fn without(mut self, unwanted: impl Fn(&Fault) -> bool) -> Self {
        self.faults.retain(|(fault, _)| !unwanted(fault));
        self
    }

    /// Sets the largest number of faults in a plan.
    pub fn at_most(self, most: u32) -> Self {
        Self { most, ..self }
    }

    /// Sets the time of a history in which faults begin.
    pub fn within(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    /// Returns the time until which faults begin. Afterwards, a fault that still waits for a request is dropped.
    pub(crate) fn horizon(&self) -> Duration {
        self.horizon
    }

    /// Draws the faults of a history. More of them begin near the times in `steps`.
    pub(crate) fn draw(
        &self,
        random: &mut Random,
        processes: &[Arc<str>],
        steps: &[u64],
    ) -> Vec<PlannedFault> {
        let total: u64 = self.faults.iter().map(|(_, weight)| u64::from(*weight)).sum();
        if total == 0 || processes.is_empty() || self.most == 0 {
            return Vec::new();
        }
        let count = random.within(1..u64::from(self.most) + 1);
        let mut drawn: Vec<_> = (0..count).map(|_| self.one(random, total, processes, steps)).collect();
        drawn.sort_by_key(|planned| planned.at);
        drawn
    }

    fn one(&self, random: &mut Random, total: u64, processes: &[Arc<str>], steps: &[u64]) -> PlannedFault {
        let mut ticket = random.within(0..total);
        let chosen = self.faults.iter().find(|(_, weight)| match ticket.checked_sub(u64::from(*weight)) {
            Some(left) => {
                ticket = left;
                false
            }
            None => true,
        });
        let mut fault = chosen.expect("the ticket is below the sum of the weights").0;
        for time in fault.durations() {
            *time = duration(random, *time);
        }
        match &mut fault {
            Fault::TakeLease(pick)
            | Fault::Delete(pick)
            | Fault::Recreate(pick)
            | Fault::Rival(pick)
            | Fault::TerminateNamespace(pick) => {
                *pick = u32::try_from(random.within(0..1 << 20)).unwrap_or(0)
            }
            _ => {}
        }
        let horizon = u64::try_from(self.horizon.as_millis()).unwrap_or(u64::MAX).max(1);
        let at = match random.pick(steps).copied().filter(|step| *step < horizon) {
            Some(step) if random.chance(0.6) => step + random.within(0..500),
            _ => random.within(0..horizon),
        };
        let process = random.pick(processes).cloned().unwrap_or_default();
        let mut planned = PlannedFault::new(Duration::from_millis(at), &process, fault);
        if fault.scope() == Scope::Request {
            planned.skip = u32::try_from(few(random)).unwrap_or(0);
            if planned.requests == Requests::Any && random.chance(0.6) {
                planned.requests = Requests::Writes;
            }
        }
        planned
    }
}

/// Draws a duration up to `longest`. Each order of magnitude is equally likely.
fn duration(random: &mut Random, longest: Duration) -> Duration {
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let scale = longest >> random.within(0..6);
    Duration::from_millis((scale / 2 + random.within(0..scale / 2 + 1)).max(1))
}

/// Draws 0 with probability 1/2, 1 with 1/4 and so on.
fn few(random: &mut Random) -> u64 {
    u64::from(random.number().trailing_ones().min(6))
}
