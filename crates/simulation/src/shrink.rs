//! Shrinking: the smallest plan that still fails in the same way.

use std::time::Duration;

use crate::{
    plan::{Plan, TakenStep, millis},
    step::Step,
};

/// The shortest time in milliseconds that shrinking reduces further.
const SHORTEST: u64 = 10;

/// Returns a failing plan with fewer faults and steps, smaller numbers and shorter times. Calls `fails` at most `runs` times:
/// it returns the number of lines of the failure's timeline, or `None` if the plan does not fail. `steps` are the workload's.
pub(crate) fn shrink(
    plan: &Plan,
    steps: &[(Duration, Step)],
    runs: usize,
    fails: impl Fn(&Plan) -> Option<usize>,
) -> Plan {
    let mut best = Best { plan: plan.clone(), lines: usize::MAX, steps, left: runs, fails };
    loop {
        let before = best.plan.clone();
        best.fewer(|plan| plan.faults.len(), |plan, from, to| drop(plan.faults.drain(from..to)));
        // The steps are named one by one, so that single ones can be removed; the plan is the same.
        best.plan.steps.get_or_insert_with(|| (0..steps.len()).map(TakenStep::unchanged).collect());
        best.fewer(|plan| plan.taken().len(), |plan, from, to| drop(plan.taken_mut().drain(from..to)));
        best.smaller();
        best.sooner();
        best.shorter();
        if best.plan == before || best.left == 0 {
            break;
        }
    }
    let all_unchanged: Vec<_> = (0..steps.len()).map(TakenStep::unchanged).collect();
    best.plan.steps = best.plan.steps.filter(|taken| *taken != all_unchanged);
    best.plan
}

impl Plan {
    fn taken(&self) -> &[TakenStep] {
        self.steps.as_deref().unwrap_or_default()
    }

    fn taken_mut(&mut self) -> &mut Vec<TakenStep> {
        self.steps.get_or_insert_default()
    }
}

/// The smallest failing plan so far.
struct Best<'a, F> {
    plan: Plan,
    /// The number of lines of its timeline; `usize::MAX` until it is known.
    lines: usize,
    steps: &'a [(Duration, Step)],
    left: usize,
    fails: F,
}

/// A step or a fault of a plan, by its position.
#[derive(Clone, Copy)]
enum Place {
    Step(usize),
    Fault(usize),
}

impl<F: Fn(&Plan) -> Option<usize>> Best<'_, F> {
    /// Accepts `candidate` if it fails and its timeline has at most `lines` lines. Only failing plans become the best one.
    fn tries(&mut self, candidate: Plan, lines: usize) -> bool {
        if self.left == 0 || candidate == self.plan {
            return false;
        }
        self.left -= 1;
        let found = (self.fails)(&candidate).filter(|found| *found <= lines);
        if let Some(found) = found {
            (self.plan, self.lines) = (candidate, found);
        }
        found.is_some()
    }

    /// Tries the plan with a part removed or made smaller.
    fn tries_with(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        let mut candidate = self.plan.clone();
        change(&mut candidate);
        self.tries(candidate, usize::MAX)
    }

    /// Tries the plan with another time, which must not make the timeline longer.
    fn tries_at(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        if self.lines == usize::MAX && self.left > 0 {
            self.left -= 1;
            self.lines = (self.fails)(&self.plan).unwrap_or(usize::MAX);
        }
        let mut candidate = self.plan.clone();
        change(&mut candidate);
        self.tries(candidate, self.lines)
    }

    /// Removes parts: first many at a time, at last one by one.
    fn fewer(&mut self, count: impl Fn(&Plan) -> usize, remove: impl Fn(&mut Plan, usize, usize)) {
        let mut chunk = count(&self.plan);
        while chunk > 0 {
            let mut end = count(&self.plan);
            while end > 0 {
                let start = end.saturating_sub(chunk);
                self.tries_with(|plan| remove(plan, start, end));
                end = start;
            }
            chunk /= 2;
        }
    }

    /// Reduces the numbers in the objects of the steps.
    fn smaller(&mut self) {
        for index in 0..self.plan.taken().len() {
            let number = self.plan.taken()[index].number;
            let numbers = self.steps.get(number).map(|(_, step)| step.numbers()).unwrap_or_default();
            for (pointer, original) in numbers {
                loop {
                    let changed = self.plan.taken()[index].numbers.iter();
                    let now =
                        changed.rev().find(|(known, _)| *known == pointer).map_or(original, |(_, now)| *now);
                    let mut smaller = vec![0, 1, now / 2, now.saturating_sub(1)];
                    smaller.retain(|smaller| *smaller < now);
                    smaller.dedup();
                    let found = smaller.into_iter().any(|smaller| {
                        self.tries_with(|plan| {
                            let numbers = &mut plan.taken_mut()[index].numbers;
                            numbers.retain(|(known, _)| *known != pointer);
                            numbers.push((pointer.clone(), smaller));
                        })
                    });
                    if !found {
                        break;
                    }
                }
            }
        }
    }

    /// Moves each step and fault nearer to the one before it, together with all later ones.
    fn sooner(&mut self) {
        for position in 0..self.places().len() {
            loop {
                let places = self.places();
                let before = position.checked_sub(1).map_or(0, |before| places[before].0);
                let gap = places[position].0 - before;
                let found = shorter_than(gap).any(|shorter| {
                    self.tries_at(|plan| {
                        for (at, place) in &places[position..] {
                            let at = at - (gap - shorter);
                            match *place {
                                Place::Step(index) => plan.taken_mut()[index].at = Some(at),
                                Place::Fault(index) => plan.faults[index].at = Duration::from_millis(at),
                            }
                        }
                    })
                });
                if !found {
                    break;
                }
            }
        }
    }

    /// Returns the steps and faults of the plan with their times, the earliest first.
    fn places(&self) -> Vec<(u64, Place)> {
        let steps = self.plan.taken().iter().enumerate().map(|(index, taken)| {
            let planned = || self.steps.get(taken.number).map_or(0, |(at, _)| millis(*at));
            (taken.at.unwrap_or_else(planned), Place::Step(index))
        });
        let faults = self.plan.faults.iter().enumerate();
        let faults = faults.map(|(index, planned)| (millis(planned.at), Place::Fault(index)));
        let mut places: Vec<_> = steps.chain(faults).collect();
        places.sort_by_key(|(at, _)| *at);
        places
    }

    /// Makes faults begin earlier and last shorter.
    fn shorter(&mut self) {
        for index in 0..self.plan.faults.len() {
            for time in 0..self.plan.faults[index].fault.durations().len() {
                loop {
                    let now = millis(*self.plan.faults[index].fault.durations()[time]);
                    let found = shorter_than(now).any(|shorter| {
                        self.tries_at(|plan| {
                            *plan.faults[index].fault.durations()[time] = Duration::from_millis(shorter);
                        })
                    });
                    if !found {
                        break;
                    }
                }
            }
            while let Some(earlier) = shorter_than(millis(self.plan.faults[index].at)).next()
                && self.tries_at(|plan| plan.faults[index].at = Duration::from_millis(earlier))
            {}
        }
    }
}

/// Returns shorter times to try, in milliseconds: an eighth, half and three quarters.
fn shorter_than(time: u64) -> impl Iterator<Item = u64> {
    let tried = if time > SHORTEST { [time / 8, time / 2, time - time / 4] } else { [time; 3] };
    tried.into_iter().filter(move |shorter| *shorter < time)
}

#[cfg(test)]
mod tests;
