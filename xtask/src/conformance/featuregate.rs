//! Feature gates: the same random operations on our implementation and on Go's.
//!
//! After every step it compares whether the step was accepted, whether all requests are valid, each gate's value, the
//! gates that were set explicitly, the lines of the help, and the text of all settings. A case with an intended
//! deviation is compared up to the first difference that the deviation explains, and counted.

mod cases;
mod ours;
mod random;

use crate::failure::{Failure, While};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;
use cases::{Case, Step};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

/// Our intended differences from upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deviation {
    AllGatesForgotten,
    NeedsKept,
    RefusedRequestReset,
}

impl Deviation {
    const ALL: [Self; 3] = [Self::AllGatesForgotten, Self::NeedsKept, Self::RefusedRequestReset];

    fn describe(self) -> &'static str {
        match self {
            Self::AllGatesForgotten => {
                "upstream keeps the values of AllAlpha or AllBeta after that gate is changed or reset, \
                 and drops them one by one when another gate is reset"
            }
            Self::NeedsKept => "upstream's DeepCopyAndReset drops the dependencies of gates",
            Self::RefusedRequestReset => {
                "upstream fails to reset a gate whose request was refused; ours drops the request"
            }
        }
    }
}

/// The result of one case.
#[derive(Debug)]
enum Verdict {
    /// Both refused the gates.
    Refused,
    Same,
    Excepted(Deviation),
    Differs(String),
}

pub(super) fn run(count: u32, seed: u64) -> Result<ExitCode, Failure> {
    let watch = Stopwatch::start();
    let cases: Vec<_> = (0..count).map(|number| Case::random(seed, number)).collect();
    let outcomes = upstream(&cases)?;
    let (mut refused, mut same, mut states, mut excepted) = (0, 0, 0, BTreeMap::new());
    for (number, (case, theirs)) in cases.iter().zip(&outcomes).enumerate() {
        let (verdict, compared) = compare(case, &ours::run(case), theirs);
        states += compared;
        match verdict {
            Verdict::Refused => refused += 1,
            Verdict::Same => same += 1,
            Verdict::Excepted(deviation) => *excepted.entry(deviation).or_insert(0) += 1,
            Verdict::Differs(difference) => {
                println!("case {number} of seed {seed}: {difference}\n{}", case.json());
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    println!("featuregate against component-base, {count} registries of seed {seed}, {}:", watch.elapsed());
    println!("  {same:>6}  equal in all of {states} states");
    println!("  {refused:>6}  refused by both at construction");
    for deviation in Deviation::ALL {
        let count = excepted.get(&deviation).unwrap_or(&0);
        println!("  {count:>6}  equal until: {}", deviation.describe());
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the cases in the peer's program and reads the outcomes.
fn upstream(cases: &[Case]) -> Result<Vec<Value>, Failure> {
    let folder = Workspace::load()?.root.join("xtask/peers/component-base");
    let mut go = Command::new("go");
    go.current_dir(folder).args(["run", ".", "--conformance"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut peer = go.spawn().doing("starting go; install it from https://go.dev/dl")?;
    let input = cases.iter().map(|case| format!("{}\n", case.json())).collect::<String>();
    let writer =
        peer.stdin.take().map(|mut stdin| std::thread::spawn(move || stdin.write_all(input.as_bytes())));
    let output = peer.wait_with_output().doing("the peer's program")?;
    if let Some(writer) = writer {
        // A write fails if the peer has ended, and then its exit status has the reason.
        let _ = writer.join();
    }
    crate::cargo::checked(output.status).doing("the peer's program")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let outcomes: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    let outcomes = outcomes.doing("reading the peer's output")?;
    if outcomes.len() == cases.len() {
        Ok(outcomes)
    } else {
        Err(Failure::new(format!("the peer returned {} of {} cases", outcomes.len(), cases.len())))
    }
}

/// Compares both outcomes and counts the equal states.
fn compare(case: &Case, ours: &Value, theirs: &Value) -> (Verdict, usize) {
    let refused = |outcome: &Value| outcome["error"] != "";
    if refused(ours) != refused(theirs) {
        return (Verdict::Differs(format!("ours {}, upstream {}", ours["error"], theirs["error"])), 0);
    }
    if refused(ours) {
        return (Verdict::Refused, 0);
    }
    let mut deviations = Deviations::default();
    let before = std::iter::once(None).chain(case.steps.iter().map(Some));
    for (at, step) in before.enumerate() {
        let (ours, theirs) = (&ours["states"][at], &theirs["states"][at]);
        deviations.note(case, step, theirs);
        if let Some(difference) = difference(ours, theirs) {
            let verdict = match deviations.explain() {
                Some(deviation) => Verdict::Excepted(deviation),
                None => {
                    Verdict::Differs(format!("after step {at}, {difference}: ours {ours}, upstream {theirs}"))
                }
            };
            return (verdict, at);
        }
    }
    (Verdict::Same, case.steps.len() + 1)
}

fn difference(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let accepted = |state: &Value| state["error"] == "";
    if accepted(ours) != accepted(theirs) {
        return Some("acceptance");
    }
    ["values", "valid", "explicit", "known", "text"].into_iter().find(|part| ours[part] != theirs[part])
}

/// The deviations that the steps of a case so far can show.
#[derive(Debug, Default)]
struct Deviations {
    all_gates_set: bool,
    now: BTreeMap<Deviation, ()>,
    emulation: Option<(String, String)>,
}

impl Deviations {
    fn note(&mut self, case: &Case, step: Option<&Step>, theirs: &Value) {
        let Some(step) = step else {
            self.emulation = Some((case.emulation.clone(), case.min_compatibility.clone()));
            return;
        };
        let accepted = theirs["error"] == "";
        match step {
            Step::Set(_) | Step::Map(_) => {
                if step.names_all_gates() && std::mem::replace(&mut self.all_gates_set, true) {
                    self.now.insert(Deviation::AllGatesForgotten, ());
                }
            }
            Step::Reset(_) => {
                if self.all_gates_set {
                    self.now.insert(Deviation::AllGatesForgotten, ());
                }
                if theirs["error"].as_str().is_some_and(|error| error.contains("not in enabled map")) {
                    self.now.insert(Deviation::RefusedRequestReset, ());
                }
            }
            // Upstream computes all values again from the requests.
            Step::Emulate(emulation, min_compatibility) if accepted => {
                let versions = Some((emulation.clone(), min_compatibility.clone()));
                if self.emulation != versions {
                    self.now.remove(&Deviation::AllGatesForgotten);
                    self.emulation = versions;
                }
            }
            Step::CopyAndReset => {
                self.all_gates_set = false;
                if !case.needs.is_empty() {
                    self.now.insert(Deviation::NeedsKept, ());
                }
            }
            Step::Emulate(..) | Step::Override(..) | Step::OverrideAt(..) | Step::Copy => {}
        }
    }

    fn explain(&self) -> Option<Deviation> {
        self.now.keys().next_back().copied()
    }
}
