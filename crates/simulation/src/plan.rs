//! [`Plan`]: the seed, steps and faults of a history, as a value that can be printed and pasted.

use std::{fmt, str::FromStr, time::Duration};

use crate::fault::{ParsePlanError, PlannedFault};

/// A seed, the steps of the workload, and the faults.
///
/// As text: `7; steps 0 2@1500; operator@120+1w lose-reply; @900 compact`. Without `steps`, all steps are
/// taken at the scenario's times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(crate) seed: u64,
    /// The numbers of the steps, and their times if they differ from the scenario's; `None` for all steps.
    pub(crate) steps: Option<Vec<(usize, Option<u64>)>>,
    pub(crate) faults: Vec<PlannedFault>,
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

    /// Selects the plan's steps from those of the scenario, with their numbers and times.
    pub(crate) fn take<T>(&self, all: Vec<(Duration, T)>) -> Vec<(usize, u64, T)> {
        let all = all.into_iter().enumerate().map(|(number, (at, step))| (number, millis(at), step));
        let Some(taken) = &self.steps else {
            return all.collect();
        };
        all.filter_map(|(number, at, step)| {
            let (_, moved) = taken.iter().find(|(taken, _)| *taken == number)?;
            Some((number, moved.unwrap_or(at), step))
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
            for (number, at) in steps {
                match at {
                    Some(at) => write!(f, " {number}@{at}")?,
                    None => write!(f, " {number}")?,
                }
            }
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
                    plan.steps = Some(steps.split_whitespace().map(step).collect::<Result<_, _>>()?)
                }
                None => plan.faults.push(part.parse()?),
            }
        }
        Ok(plan)
    }
}

fn step(text: &str) -> Result<(usize, Option<u64>), ParsePlanError> {
    let error = |_| ParsePlanError::new(text, "a step is its number, and perhaps `@` and milliseconds");
    match text.split_once('@') {
        Some((number, at)) => Ok((number.parse().map_err(error)?, Some(at.parse().map_err(error)?))),
        None => Ok((text.parse().map_err(error)?, None)),
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
            plan.steps = (seed % 2 == 0).then(|| vec![(0, None), (3, Some(250))]);
            assert_eq!(plan.to_string().parse(), Ok(plan));
        }
    }

    #[test]
    fn a_plan_that_cannot_be_read_says_which_part() {
        let problem = |text: &str| text.parse::<Plan>().expect_err("no plan").to_string();
        assert_eq!(problem("x"), r#""x" is no part of a plan: a plan begins with its seed"#);
        assert_eq!(problem("1; a@5 explode"), r#""explode" is no part of a plan: no fault has this name"#);
        assert_eq!(problem("1; a@5 lag 3"), r#""lag 3" is no part of a plan: lag takes 2 numbers"#);
        assert_eq!(problem("1; a lag"), r#""a lag" is no part of a plan: `@` and a time are missing"#);
    }
}
