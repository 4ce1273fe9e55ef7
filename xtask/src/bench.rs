//! `cargo xtask bench`: runs our benchmarks and the peers' on the same work and prints one table.
//!
//! A benchmark is a program that prints `{"bench":"workqueue/backlog/100k","unit":"ns","better":"lower","value":93.1}`
//! for each measurement. Ours are the bench targets of the parts; the peers' are in `xtask/peers/`.

mod instructions;
mod load;
mod machine;
mod manager;
mod operator;
mod peer;
mod real;
mod results;
mod run;
mod scenario;
mod subject;
mod target;

use crate::failure::{Failure, While};
use crate::stopwatch::Stopwatch;
use crate::workspace::{Package, Workspace};
use clap::Args;
use peer::{Peer, Source, peers};
use results::Results;
use run::Run;
use scenario::scenarios;
use std::path::PathBuf;
use std::process::ExitCode;
use subject::Subject;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Measures these parts; by default all that have benchmarks. `manager` must be named: it compares the example
    /// `trimtab-controller-manager` with upstream's on a kube-apiserver, which it builds; needs Go.
    #[arg(value_name = "PART")]
    parts: Vec<String>,
    /// Runs one round with less work: it takes minutes instead of a quarter of an hour, and is noisier.
    #[arg(long)]
    quick: bool,
    /// Runs so many rounds, of which the medians count; by default 3, and 1 with --quick.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Also writes the results to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs only this scenario of the informer: sync, list, relist, latency, real or million; of the election: token,
    /// failover or thousand; of the controller: latency, loaded, throughput, isolation, many or idle; or of the
    /// manager: image, rollout, failover or rss. May be repeated. The informer's latency needs the results of sync.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Connects the informers to a kube-apiserver, creates 10,000 Pods in a namespace of it and deletes them again.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Ends with an error if a target is missed, or if it was not measured: because a peer that it compares with did not
    /// run, or because its benchmark did not. With --quick or --scenario, only the benchmarks that ran count. The targets
    /// are in `xtask/src/bench/target.rs`.
    #[arg(long)]
    check: bool,
    /// Counts instructions with callgrind instead of measuring time, and compares them with `xtask/instructions.json`.
    /// Ends with an error if a count is more than 2 % higher or lower: a lower one is to be kept, so that the way back up
    /// is seen. Counts of a new compiler are added to the file.
    #[arg(long, conflicts_with_all = ["parts", "quick", "rounds", "json", "scenario", "kubeconfig", "check"])]
    instructions: bool,
    /// Writes the instructions that were counted to the file, whatever they are.
    #[arg(long, requires = "instructions")]
    keep: bool,
}

/// The usual number of rounds, of which the median counts. Each round runs all subjects in turn, so that a busy minute of
/// the machine does not affect one of them alone.
const ROUNDS: u32 = 3;

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    if options.instructions {
        return instructions::run(&workspace, options.keep);
    }
    let mut json = String::new();
    let mut ours_ran = true;
    let (mut missed, mut unmeasured) = (Vec::new(), Vec::new());
    let mut show = |results: Results| {
        println!("\n{results}");
        json.push_str(&results.json_lines());
        ours_ran &= results.ours_ran();
        missed.append(&mut results.missed_targets());
        results
    };
    let (managers, parts): (Vec<_>, Vec<_>) =
        options.parts.iter().cloned().partition(|part| part == manager::PART);
    if !managers.is_empty() {
        let results = show(manager::measure(&workspace, options)?);
        unmeasured.extend(results.unmeasured_targets(manager::PART));
    }
    if managers.is_empty() || !parts.is_empty() {
        for package in chosen(&workspace, &parts)? {
            let results = show(measure(&workspace, package, options)?);
            unmeasured.extend(results.unmeasured_targets(package.part()));
        }
    }
    if let Some(file) = &options.json {
        std::fs::write(file, json).doing(file.display())?;
    }
    if options.is_complete() {
        missed.append(&mut unmeasured);
    }
    if options.check && !missed.is_empty() {
        println!("\n{} targets are not reached:", missed.len());
        missed.iter().for_each(|line| println!("{line}"));
    }
    Ok(if succeeds(options.check, ours_ran, &missed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a run ends well: all our benchmarks ran, and with `--check` no target is missed.
fn succeeds(checks: bool, ours_ran: bool, missed: &[String]) -> bool {
    ours_ran && (!checks || missed.is_empty())
}

impl Options {
    /// The number of rounds.
    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { ROUNDS })
    }

    /// Whether all benchmarks of the chosen parts run.
    fn is_complete(&self) -> bool {
        !self.quick && self.scenario.is_empty()
    }
}

/// Finds the packages named in `parts`; all with benchmarks if `parts` is empty.
fn chosen<'a>(workspace: &'a Workspace, parts: &[String]) -> Result<Vec<&'a Package>, Failure> {
    let with_benches = || workspace.parts().filter(|package| !package.benches.is_empty());
    if parts.is_empty() {
        return Ok(with_benches().collect());
    }
    let known = || with_benches().map(Package::part).collect::<Vec<_>>().join(", ");
    let find = |part: &String| {
        let found = with_benches().find(|package| package.part() == part);
        found.ok_or_else(|| Failure::new(format!("{part} has no benchmarks; these parts have: {}", known())))
    };
    parts.iter().map(find).collect()
}

fn measure(workspace: &Workspace, package: &Package, options: &Options) -> Result<Results, Failure> {
    let part = package.part();
    let peers = peers(part);
    let mut results = Results::new(peers.iter().map(|peer| peer.name));
    let mut subjects = ours(workspace, package)?;
    for peer in peers {
        match peer.source.build(workspace) {
            Ok(program) => subjects.push(peer_subject(peer, program, &subjects)),
            Err(failure) => results.skip(peer.name, &failure),
        }
    }
    let kubeconfig = options.kubeconfig.as_deref();
    let rounds = options.rounds();
    for scenario in scenarios(part, options.quick) {
        let is_unchosen =
            |name: &&str| !options.scenario.is_empty() && !options.scenario.iter().any(|one| one == name);
        if scenario.name.as_ref().is_some_and(is_unchosen) {
            continue;
        }
        let run = match Run::prepare(workspace, scenario, kubeconfig, options.quick, (&subjects, &results)) {
            Ok(run) => run,
            Err(failure) => {
                results.skip(scenario.name.unwrap_or("the scenario"), &failure);
                continue;
            }
        };
        for round in 1..=rounds {
            let busy = machine::busy_percent()?;
            if let Some(percent) = busy {
                println!("{part}: the machine is {percent:.0} % busy: expect other figures when it is idle");
            }
            results.set_busy(busy);
            for subject in subjects.iter().filter(|subject| scenario.includes(subject)) {
                let watch = Stopwatch::start();
                let outcome = run.measure(subject);
                let (title, scenario) = (subject.title(), scenario.name.map(|name| format!(" {name},")));
                let scenario = scenario.unwrap_or_default();
                println!("{part}:{scenario} {title}, round {round} of {rounds}: {}", watch.elapsed());
                match outcome {
                    Ok(mut measurements) => {
                        // The peer of two parts measures both.
                        measurements.retain(|one| one.bench.split('/').next() == Some(part));
                        results.add(subject, measurements);
                    }
                    Err(failure) => results.skip(subject.name, &failure),
                }
            }
        }
    }
    Ok(results)
}

/// Makes a subject of a peer. Our own benchmark measures Kubernetes' server, for the scenarios that it supports.
fn peer_subject(peer: &Peer, program: PathBuf, ours: &[Subject]) -> Subject {
    let (name, form, beside) = (peer.name, peer.form, peer.beside);
    match (peer.source, ours) {
        (Source::Kube, [ours, ..]) => {
            let arguments = vec!["create-cpu".to_owned(), format!("--kube={}", program.display())];
            Subject { name, program: ours.program.clone(), arguments, form, beside }
        }
        _ => Subject { name, program, arguments: Vec::new(), form, beside },
    }
}

/// Builds the bench targets of a part; one subject for each target and each form of objects.
fn ours(workspace: &Workspace, package: &Package) -> Result<Vec<Subject>, Failure> {
    let programs = subject::build_benches(workspace, package)?;
    let forms: &[&[&str]] =
        if package.part() == "informer" { &[&["whole"], &["packed"], &["view"]] } else { &[&[]] };
    let subjects = programs.iter().flat_map(|program| {
        forms.iter().map(|form| Subject {
            name: subject::OURS,
            program: program.clone(),
            arguments: Vec::new(),
            form: form.first().copied(),
            beside: form,
        })
    });
    Ok(subjects.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_fails_a_run_that_checks() {
        let missed = ["workqueue/storm: 1.00× client-go, target 0.9: missed".to_owned()];
        assert!(succeeds(false, true, &missed) && succeeds(true, true, &[]));
        assert!(!succeeds(true, true, &missed));
        assert!(!succeeds(false, false, &[]), "ours did not run");
    }
}
