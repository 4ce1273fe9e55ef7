//! `cargo xtask bench --instructions`: counts the instructions of three small pieces of work with callgrind and compares
//! them with the counts of an earlier commit. Other programs on the machine do not change them.
//!
//! A bench target that supports it repeats its work N times for `--instructions=N` and measures nothing. It is run with
//! two numbers, and the difference counts: the start of the program is in both runs.

use super::subject::build_benches;
use crate::cargo;
use crate::failure::{Failure, While};
use crate::workspace::Workspace;
use serde_json::{Map, Value, json};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The counts, by compiler and by piece of work.
const FILE: &str = "xtask/instructions.json";

/// A count may be so much higher or lower than the one in the file: hash tables have random seeds.
const TOLERANCE: f64 = 0.02;

/// A piece of work, in the bench target of a part.
struct Work {
    name: &'static str,
    part: &'static str,
    /// The two numbers of repetitions.
    few: u64,
    many: u64,
    /// The steps of one repetition.
    steps: u64,
}

const WORKS: [Work; 3] = [
    Work { name: "workqueue/backlog/1k", part: "workqueue", few: 20, many: 120, steps: 1_000 },
    Work { name: "informer/decode/view", part: "informer", few: 100, many: 600, steps: 1 },
    Work { name: "apiserver/create", part: "apiserver", few: 100, many: 600, steps: 1 },
];

/// The comparison of a count with the one in the file.
#[derive(Debug, PartialEq)]
enum Change {
    /// The file has no count of this compiler.
    New,
    /// Within the tolerance.
    Same(f64),
    /// Lower, by this factor: from here on, a way back up would not be seen.
    Lower(f64),
    /// Higher, by this factor.
    Higher(f64),
}

/// Counts all pieces of work. Fails if one takes more or fewer instructions than the file says.
///
/// `keep` writes all counts to the file; otherwise only those that it lacks are written.
pub(super) fn run(workspace: &Workspace, keep: bool) -> Result<ExitCode, Failure> {
    if !cfg!(unix) {
        return Err(Failure::new("--instructions needs valgrind, which this system does not have"));
    }
    check_valgrind()?;
    let compiler = compiler()?;
    let file = workspace.root.join(FILE);
    let mut kept = read(&file)?;
    let of_compiler = kept.entry(compiler.clone()).or_insert_with(|| json!({}));
    let counts = of_compiler.as_object_mut();
    let counts = counts.ok_or_else(|| Failure::new(format!("{FILE}: {compiler} is not an object")))?;
    let mut any_other = false;
    for work in &WORKS {
        let count = count(workspace, work)?;
        let change = Change::of(count, counts.get(work.name).and_then(Value::as_f64));
        println!("{}: {count:.0} instructions, {}", work.name, change.describe(&compiler));
        any_other |= matches!(change, Change::Higher(_) | Change::Lower(_));
        if keep || change == Change::New {
            counts.insert(work.name.to_owned(), json!(count.round()));
        }
    }
    let text = serde_json::to_string_pretty(&kept).doing(FILE)?;
    std::fs::write(&file, text + "\n").doing(FILE)?;
    Ok(if any_other && !keep { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn check_valgrind() -> Result<(), Failure> {
    let output = Command::new("valgrind").arg("--version").output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::new("valgrind was not found; --instructions counts with its tool callgrind: install the package valgrind")
        }
        _ => Failure::new(format!("starting valgrind: {error}")),
    })?;
    cargo::checked(output.status).doing("valgrind --version")
}

/// Returns the version and the system of the compiler, for example `1.95.0 x86_64-unknown-linux-gnu`.
fn compiler() -> Result<String, Failure> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = rustc.arg("-vV").output().doing("starting rustc")?;
    cargo::checked(output.status).doing("rustc -vV")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match (value("release:"), value("host:")) {
        (Some(release), Some(host)) => Ok(format!("{release} {host}")),
        _ => Err(Failure::new("rustc -vV: it prints no release and host")),
    }
}

fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).doing(FILE),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Map::new()),
        Err(error) => Err(error).doing(FILE),
    }
}

/// Returns the instructions of one step.
fn count(workspace: &Workspace, work: &Work) -> Result<f64, Failure> {
    let package = workspace.parts().find(|package| package.part() == work.part);
    let package = package.ok_or_else(|| Failure::new(format!("the workspace has no part {}", work.part)))?;
    let programs = build_benches(workspace, package)?;
    let [program] = &programs[..] else {
        return Err(Failure::new(format!(
            "{} has {} bench targets instead of one",
            work.part,
            programs.len()
        )));
    };
    let few = collected(program, work.few)?;
    let many = collected(program, work.many)?;
    Ok(many.saturating_sub(few) as f64 / ((work.many - work.few) * work.steps) as f64)
}

/// Runs a bench target in callgrind, and returns the instructions of the whole run.
fn collected(program: &PathBuf, repetitions: u64) -> Result<u64, Failure> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(program).arg(format!("--instructions={repetitions}"));
    let output = valgrind.output().doing("starting valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    cargo::checked(output.status).doing(format_args!("valgrind {}\n{text}", program.display()))?;
    collected_in(&text).ok_or_else(|| Failure::new(format!("callgrind printed no count:\n{text}")))
}

/// Reads the line `==123== Collected : 4567`.
fn collected_in(text: &str) -> Option<u64> {
    let after = text.lines().find_map(|line| line.split_once("Collected :"))?.1;
    after.split_whitespace().next()?.parse().ok()
}

impl Change {
    fn of(count: f64, kept: Option<f64>) -> Self {
        match kept {
            None => Self::New,
            Some(kept) if count > kept * (1.0 + TOLERANCE) => Self::Higher(count / kept),
            Some(kept) if count < kept * (1.0 - TOLERANCE) => Self::Lower(count / kept),
            Some(kept) => Self::Same(count / kept),
        }
    }

    fn describe(&self, compiler: &str) -> String {
        match self {
            Self::New => format!("the first count with {compiler}"),
            Self::Same(factor) => format!("{factor:.3}× the kept count"),
            Self::Higher(factor) => {
                format!("{factor:.3}× the kept count: more than {:.0} % above it", TOLERANCE * 100.0)
            }
            Self::Lower(factor) => format!("{factor:.3}× the kept count: keep it with --keep"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_callgrinds_output() {
        let text =
            "==7== Callgrind, a call-graph generating cache profiler\n==7== \n==7== Collected : 2504332\n";
        assert_eq!(collected_in(text), Some(2_504_332));
        assert_eq!(collected_in("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn a_count_more_than_two_percent_off_the_kept_one_is_told() {
        assert_eq!(Change::of(500.0, None), Change::New);
        assert_eq!(Change::of(509.0, Some(500.0)), Change::Same(1.018));
        assert_eq!(Change::of(491.0, Some(500.0)), Change::Same(0.982));
        let lower = Change::of(400.0, Some(500.0));
        assert_eq!(lower, Change::Lower(0.8));
        assert_eq!(lower.describe("1.95.0"), "0.800× the kept count: keep it with --keep");
        let higher = Change::of(550.0, Some(500.0));
        assert_eq!(higher, Change::Higher(1.1));
        assert_eq!(higher.describe("1.95.0"), "1.100× the kept count: more than 2 % above it");
    }
}
