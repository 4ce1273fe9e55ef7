//! [`FaultMix`]: which faults a random plan may contain, and how many.

use std::{sync::Arc, time::Duration};

use super::{Fault, PlannedFault, Requests, Scope};
use crate::random::Random;

/// Which faults random plans contain, how many, and until when they begin.
#[derive(Debug, Clone)]
#[must_use]
pub struct FaultMix {
    /// Examples of the faults: their durations are the longest that are drawn.
    faults: Vec<(Fault, u32)>,
    most: u32,
    horizon: Duration,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl FaultMix {
    /// No faults: a world in which everything works.
    pub fn none() -> Self {
        Self { faults: Vec::new(), most: 0, horizon: Duration::ZERO }
    }

    /// Everything that the network, the API server and the machines of the processes do to them. Objects, leases and
    /// namespaces are left alone: see [`with`](Self::with). Up to five faults, which begin within 20 s.
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

    /// Takes out every fault that `unwanted` names.
    pub fn without(mut self, unwanted: impl Fn(&Fault) -> bool) -> Self {
        self.faults.retain(|(fault, _)| !unwanted(fault));
        self
    }

    /// Draws at most so many faults for a plan.
    pub fn at_most(self, most: u32) -> Self {
        Self { most, ..self }
    }

    /// Lets faults begin only in the first part of a history, so long.
    pub fn within(self, horizon: Duration) -> Self {
        Self { horizon, ..self }
    }

    /// Until when faults begin. Afterwards a fault that still waits for a request is forgotten.
    pub(crate) fn horizon(&self) -> Duration {
        self.horizon
    }

    /// Faults for a history whose workload has steps at `steps`: near them, more happens.
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

/// A duration up to `longest`; short ones are as likely as long ones are.
fn duration(random: &mut Random, longest: Duration) -> Duration {
    let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    let scale = longest >> random.within(0..6);
    Duration::from_millis((scale / 2 + random.within(0..scale / 2 + 1)).max(1))
}

/// 0 half of the time, 1 a quarter of it and so on.
fn few(random: &mut Random) -> u64 {
    u64::from(random.number().trailing_ones().min(6))
}
