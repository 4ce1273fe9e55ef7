//! Shrinking: the smallest plan that still fails in the same way.

use std::time::Duration;

use crate::plan::{Plan, millis};

/// The shortest time to which shrinking reduces a time.
const SHORTEST: Duration = Duration::from_millis(10);

/// Returns a plan with fewer faults and steps and with shorter times for which `fails` still returns `true`. Calls `fails`
/// at most `runs` times. `steps` is the number of steps of the workload.
pub(crate) fn shrink(plan: &Plan, steps: usize, runs: usize, fails: impl Fn(&Plan) -> bool) -> Plan {
    let mut best = Best { plan: plan.clone(), left: runs, fails };
    loop {
        let before = best.plan.clone();
        best.fewer(|plan| plan.faults.len(), |plan, from, to| drop(plan.faults.drain(from..to)));
        if best.plan.steps.is_none() {
            // The steps are named one by one, so that single ones can be removed; the plan is the same.
            best.plan.steps = Some((0..steps).map(|number| (number, None)).collect());
        }
        let steps = |plan: &Plan| plan.steps.as_ref().map_or(0, Vec::len);
        best.fewer(steps, |plan, from, to| {
            if let Some(steps) = &mut plan.steps {
                steps.drain(from..to);
            }
        });
        best.shorter();
        if best.plan == before || best.left == 0 {
            break;
        }
    }
    if best
        .plan
        .steps
        .as_ref()
        .is_some_and(|kept| kept.iter().enumerate().all(|(i, step)| *step == (i, None)))
        && best.plan.steps.as_ref().map_or(0, Vec::len) == steps
    {
        best.plan.steps = None; // all of them after all
    }
    best.plan
}

/// The smallest failing plan so far.
struct Best<F> {
    plan: Plan,
    left: usize,
    fails: F,
}

impl<F: Fn(&Plan) -> bool> Best<F> {
    /// Accepts `candidate` if it fails. Only failing plans become the best one.
    fn tries(&mut self, candidate: Plan) -> bool {
        if self.left == 0 || candidate == self.plan {
            return false;
        }
        self.left -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.plan = candidate;
        }
        fails
    }

    /// Removes parts: first many at a time, at last one by one.
    fn fewer(&mut self, count: impl Fn(&Plan) -> usize, remove: impl Fn(&mut Plan, usize, usize)) {
        let mut chunk = count(&self.plan);
        while chunk > 0 {
            let mut end = count(&self.plan);
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut candidate = self.plan.clone();
                remove(&mut candidate, start, end);
                self.tries(candidate);
                end = start;
            }
            chunk /= 2;
        }
    }

    /// Shortens the times in faults and steps.
    fn shorter(&mut self) {
        for index in 0..self.plan.faults.len() {
            for time in 0..self.plan.faults[index].fault.durations().len() {
                while let Some(shorter) = half(*self.plan.faults[index].fault.durations()[time]) {
                    let mut candidate = self.plan.clone();
                    *candidate.faults[index].fault.durations()[time] = shorter;
                    if !self.tries(candidate) {
                        break;
                    }
                }
            }
            while let Some(earlier) = half(self.plan.faults[index].at) {
                let mut candidate = self.plan.clone();
                candidate.faults[index].at = earlier;
                if !self.tries(candidate) {
                    break;
                }
            }
        }
    }
}

fn half(time: Duration) -> Option<Duration> {
    (time > SHORTEST).then(|| Duration::from_millis(millis(time) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, PlannedFault};

    fn plan(faults: u64) -> Plan {
        let at = |second| Duration::from_millis(second * 1000 + 7);
        (0..faults).fold(Plan::new(1), |plan, second| {
            plan.fault(PlannedFault::new(at(second), "operator", Fault::Crash(Duration::from_secs(8))))
        })
    }

    #[test]
    fn only_what_the_failure_needs_is_left() {
        let needs = |plan: &Plan| {
            let long = |fault: &PlannedFault| matches!(fault.fault, Fault::Crash(time) if time >= Duration::from_secs(2));
            let has = |step| {
                plan.steps.as_ref().is_none_or(|steps| steps.iter().any(|(number, _)| *number == step))
            };
            plan.faults.iter().any(|fault| fault.at.as_millis() % 1000 == 7 && long(fault)) && has(3)
        };
        let shrunk = shrink(&plan(20), 5, 1000, needs);
        assert!(needs(&shrunk));
        assert_eq!(shrunk.faults.len(), 1);
        assert_eq!(shrunk.faults[0].fault, Fault::Crash(Duration::from_secs(2)));
        assert_eq!(shrunk.steps, Some(vec![(3, None)]));
    }

    #[test]
    fn whatever_the_budget_a_passing_plan_is_never_returned() {
        for runs in 0..60 {
            let fails = |plan: &Plan| plan.faults.len() >= 3 && plan.seed == 1;
            assert!(fails(&shrink(&plan(9), 4, runs, fails)), "{runs} runs");
        }
    }

    #[test]
    fn a_failure_that_needs_nothing_shrinks_to_an_empty_plan() {
        let shrunk = shrink(&plan(9), 4, 100, |_| true);
        assert_eq!((shrunk.faults.len(), shrunk.steps), (0, Some(Vec::new())));
    }
}
