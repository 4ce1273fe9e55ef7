//! [`Plan`]: the seed, steps and faults of a history, as a value that can be printed and pasted.

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    fault::{ParsePlanError, PlannedFault},
    step::Step,
};

/// A seed, the steps of the workload, and the faults.
///
/// As text: `7; steps 0 2@1500,/spec/replicas=1; operator@120+1w lose-reply; @900 compact`. Without `steps`, all steps are
/// taken at the scenario's times, with the scenario's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) seed: u64,
    /// `None` for all steps, unchanged.
    pub(crate) steps: Option<Vec<TakenStep>>,
    pub(crate) faults: Vec<PlannedFault>,
}

/// A step of the workload and its differences from the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenStep {
    pub(crate) number: usize,
    /// Its time in milliseconds, if it differs.
    pub(crate) at: Option<u64>,
    /// Other numbers in its object, by JSON pointer.
    pub(crate) numbers: Vec<(String, u64)>,
}

impl TakenStep {
    /// Creates a step that is as in the scenario.
    pub(crate) fn unchanged(number: usize) -> Self {
        Self { number, at: None, numbers: Vec::new() }
    }
}

impl Plan {
    /// Creates a plan with all steps of the scenario and without faults.
    pub fn new(seed: u64) -> Self {
        Self { seed, steps: None, faults: Vec::new() }
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: PlannedFault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the faults.
    pub fn faults(&self) -> &[PlannedFault] {
        &self.faults
    }

    /// Selects the plan's steps from those of the scenario, with their times.
    pub(crate) fn take(&self, all: Vec<(Duration, Step)>) -> Vec<(u64, Step)> {
        let all = all.into_iter().map(|(at, step)| (millis(at), step));
        let Some(taken) = &self.steps else {
            return all.collect();
        };
        all.enumerate()
            .filter_map(|(number, (at, mut step))| {
                let taken = taken.iter().find(|taken| taken.number == number)?;
                taken.numbers.iter().for_each(|(pointer, number)| step.set_number(pointer, *number));
                Some((taken.at.unwrap_or(at), step))
            })
            .collect()
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        if let Some(steps) = &self.steps {
            f.write_str("; steps")?;
            steps.iter().try_for_each(|step| write!(f, " {step}"))?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, "; {fault}"))
    }
}

impl FromStr for Plan {
    type Err = ParsePlanError;

    fn from_str(text: &str) -> Result<Self, ParsePlanError> {
        let mut parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let seed = parts.next().unwrap_or_default();
        let seed = seed.parse().map_err(|_| ParsePlanError::new(seed, "a plan begins with its seed"))?;
        let mut plan = Self::new(seed);
        for part in parts {
            match part.strip_prefix("steps") {
                Some(steps) => {
                    plan.steps = Some(steps.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
                }
                None => plan.faults.push(part.parse()?),
            }
        }
        Ok(plan)
    }
}

impl fmt::Display for TakenStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        if let Some(at) = self.at {
            write!(f, "@{at}")?;
        }
        self.numbers.iter().try_for_each(|(pointer, number)| write!(f, ",{pointer}={number}"))
    }
}

impl FromStr for TakenStep {
    type Err = ParsePlanError;

    fn from_str(text: &str) -> Result<Self, ParsePlanError> {
        let mut parts = text.split(',');
        let place = parts.next().unwrap_or_default();
        let error = |_| ParsePlanError::new(place, "a step is its number, and perhaps `@` and milliseconds");
        let (number, at) = match place.split_once('@') {
            Some((number, at)) => (number, Some(at.parse().map_err(error)?)),
            None => (place, None),
        };
        let changed = |part: &str| {
            let (pointer, number) = part.split_once('=')?;
            Some((pointer.to_owned(), number.parse().ok()?))
        };
        let numbers = parts.map(|part| {
            changed(part)
                .ok_or_else(|| ParsePlanError::new(part, "a change is a JSON pointer, `=` and a number"))
        });
        let numbers = numbers.collect::<Result<_, _>>()?;
        Ok(Self { number: number.parse().map_err(error)?, at, numbers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FaultMix, random::Random};

    #[test]
    fn every_plan_is_read_back_from_its_text() {
        let mix = FaultMix::environment().with("take-lease 0".parse().expect("a fault"), 9).at_most(30);
        for seed in 0..200 {
            let mut plan = Plan::new(seed);
            plan.faults = mix.draw(&mut Random::seeded(seed), &["operator".into(), "a-b".into()], &[100]);
            plan.steps = (seed % 2 == 0).then(|| {
                vec![
                    TakenStep::unchanged(0),
                    TakenStep { number: 3, at: Some(250), numbers: vec![("/spec/replicas".to_owned(), 1)] },
                ]
            });
            assert_eq!(plan.to_string().parse(), Ok(plan));
        }
    }

    #[test]
    fn a_plan_that_cannot_be_read_says_which_part() {
        let problem = |text: &str| text.parse::<Plan>().expect_err("no plan").to_string();
        assert_eq!(problem("x"), r#""x" is no part of a plan: a plan begins with its seed"#);
        assert_eq!(problem("1; a@5 explode"), r#""explode" is no part of a plan: no fault has this name"#);
        assert_eq!(problem("1; a@5 lag 3"), r#""lag 3" is no part of a plan: lag takes 2 numbers"#);
        assert_eq!(
            problem("1; steps 0,x"),
            r#""x" is no part of a plan: a change is a JSON pointer, `=` and a number"#
        );
        assert_eq!(problem("1; a lag"), r#""a lag" is no part of a plan: `@` and a time are missing"#);
    }
}
