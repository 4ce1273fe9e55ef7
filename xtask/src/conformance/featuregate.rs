//! Feature gates: random registries and what is done to them, by our implementation and by Go's.
//!
//! Compared after every step: whether it was accepted, whether all requests are valid, every gate's value, which gates
//! were set explicitly, the help's lines, and the text of all settings. Where we differ on purpose, a case is compared
//! up to the first difference that the deviation explains, and counted.

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

/// Where we differ from upstream on purpose, with the line of the specification that says so.
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
                "upstream keeps values that came from AllAlpha or AllBeta when that is set otherwise or reset, \
                 and forgets them one by one when a gate is reset"
            }
            Self::NeedsKept => "upstream's DeepCopyAndReset drops what gates need",
            Self::RefusedRequestReset => {
                "upstream fails to reset a gate whose request was refused; ours forgets the request"
            }
        }
    }
}

/// What became of one case.
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
    let answers = upstream(&cases)?;
    let (mut refused, mut same, mut states, mut excepted) = (0, 0, 0, BTreeMap::new());
    for (number, (case, theirs)) in cases.iter().zip(&answers).enumerate() {
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
    println!("  {same:>6}  the same in all of {states} states");
    println!("  {refused:>6}  refused by both when built");
    for deviation in Deviation::ALL {
        let count = excepted.get(&deviation).unwrap_or(&0);
        println!("  {count:>6}  the same until: {}", deviation.describe());
    }
    Ok(ExitCode::SUCCESS)
}

/// Upstream's answers, from the peer's program.
fn upstream(cases: &[Case]) -> Result<Vec<Value>, Failure> {
    let folder = Workspace::load()?.root.join("xtask/peers/component-base");
    let mut go = Command::new("go");
    go.current_dir(folder).args(["run", ".", "--conformance"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut peer = go.spawn().doing("starting go (https://go.dev/dl)")?;
    let input = cases.iter().map(|case| format!("{}\n", case.json())).collect::<String>();
    let writer =
        peer.stdin.take().map(|mut stdin| std::thread::spawn(move || stdin.write_all(input.as_bytes())));
    let output = peer.wait_with_output().doing("the peer's program")?;
    if let Some(writer) = writer {
        // A peer that died has said why; that it read no further is no news.
        let _ = writer.join();
    }
    crate::cargo::checked(output.status).doing("the peer's program")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let answers: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    let answers = answers.doing("reading the peer's answers")?;
    if answers.len() == cases.len() {
        Ok(answers)
    } else {
        Err(Failure::new(format!("the peer answered {} of {} cases", answers.len(), cases.len())))
    }
}

/// Compares both outcomes; also tells how many states were the same.
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

/// Which deviations may show in a case so far.
#[derive(Debug, Default)]
struct Deviations {
    all_gates_asked: bool,
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
                if step.names_all_gates() && std::mem::replace(&mut self.all_gates_asked, true) {
                    self.now.insert(Deviation::AllGatesForgotten, ());
                }
            }
            Step::Reset(_) => {
                if self.all_gates_asked {
                    self.now.insert(Deviation::AllGatesForgotten, ());
                }
                if theirs["error"].as_str().is_some_and(|error| error.contains("not in enabled map")) {
                    self.now.insert(Deviation::RefusedRequestReset, ());
                }
            }
            // Upstream computes all values anew, from what was asked for.
            Step::Emulate(emulation, min_compatibility) if accepted => {
                let versions = Some((emulation.clone(), min_compatibility.clone()));
                if self.emulation != versions {
                    self.now.remove(&Deviation::AllGatesForgotten);
                    self.emulation = versions;
                }
            }
            Step::CopyAndReset => {
                self.all_gates_asked = false;
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
