//! `cargo xtask bench`: our benchmarks and the peers' on the same work in one go, side by side in one table.
//!
//! A benchmark is a program that prints `{"bench":"workqueue/backlog/100k","unit":"ns","better":"lower","value":93.1}`
//! for each thing that it measured. Ours are the bench targets of the parts, the peers' stand in `xtask/peers/`.

mod asking;
mod contender;
mod load;
mod peer;
mod question;
mod reach;
mod real;
mod results;

use crate::failure::{Failure, While};
use crate::stopwatch::Stopwatch;
use crate::workspace::{Package, Workspace};
use asking::Asking;
use clap::Args;
use contender::Contender;
use peer::{Peer, Source, peers};
use question::questions;
use results::Results;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The parts to measure; all that have benchmarks when none is named.
    #[arg(value_name = "PART")]
    parts: Vec<String>,
    /// Less work and a single round: minutes, not a quarter of an hour, and noisier.
    #[arg(long)]
    quick: bool,
    /// Also writes one JSON object a line to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Asks the informers this alone: sync, list, relist, latency, real or million; may be given several times.
    /// Latency needs sync beside it.
    #[arg(long, value_name = "NAME")]
    question: Vec<String>,
    /// A kube-apiserver for the informers, on which 10,000 Pods are made in a namespace and deleted again.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Rounds of which the median is taken: one contender after the other in each, so that a busy minute of the machine
/// does not hit one of them alone.
const ROUNDS: usize = 3;

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let mut json = String::new();
    let mut ours_ran = true;
    for package in chosen(&workspace, &options.parts)? {
        let results = measure(&workspace, package, options)?;
        println!("\n{results}");
        json.push_str(&results.json_lines());
        ours_ran &= results.ours_ran();
    }
    if let Some(file) = &options.json {
        std::fs::write(file, json).doing(file.display())?;
    }
    Ok(if ours_ran { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The packages that `parts` names; all with benchmarks when it names none.
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
    let mut contenders = ours(workspace, package)?;
    for peer in peers {
        match peer.source.build(workspace) {
            Ok(program) => contenders.push(beside(peer, program, &contenders)),
            Err(failure) => results.leave_out(peer.name, &failure),
        }
    }
    let rounds = if options.quick { 1 } else { ROUNDS };
    for question in questions(part, options.quick) {
        let is_left_out =
            |name: &&str| !options.question.is_empty() && !options.question.iter().any(|one| one == name);
        if question.name.as_ref().is_some_and(is_left_out) {
            continue;
        }
        let asking = match Asking::begin(workspace, question, options, &results) {
            Ok(asking) => asking,
            Err(failure) => {
                results.leave_out(question.name.unwrap_or("its question"), &failure);
                continue;
            }
        };
        for round in 1..=rounds {
            for contender in contenders.iter().filter(|contender| question.is_for(contender)) {
                let watch = Stopwatch::start();
                let outcome = asking.ask(contender);
                let (name, asked) = (contender.title(), question.name.map(|name| format!(" {name},")));
                let asked = asked.unwrap_or_default();
                println!("{part}:{asked} {name}, round {round} of {rounds}: {}", watch.elapsed());
                match outcome {
                    Ok(lines) => results.add(contender, lines),
                    Err(failure) => results.leave_out(contender.name, &failure),
                }
            }
        }
    }
    Ok(results)
}

/// A peer as a contender. Kubernetes' own server is measured by our benchmark, for the questions that it can be asked.
fn beside(peer: &Peer, program: PathBuf, ours: &[Contender]) -> Contender {
    let (name, form, beside) = (peer.name, peer.form, peer.beside);
    match (peer.source, ours) {
        (Source::Kube, [ours, ..]) => {
            let arguments = vec!["create-cpu".to_owned(), format!("--kube={}", program.display())];
            Contender { name, program: ours.program.clone(), arguments, form, beside }
        }
        _ => Contender { name, program, arguments: Vec::new(), form, beside },
    }
}

/// The bench targets of a part, built.
fn ours(workspace: &Workspace, package: &Package) -> Result<Vec<Contender>, Failure> {
    let programs = contender::build_benches(workspace, package)?;
    let forms: &[&[&str]] =
        if package.part() == "informer" { &[&["whole"], &["packed"], &["view"]] } else { &[&[]] };
    let contenders = programs.iter().flat_map(|program| {
        forms.iter().map(|form| Contender {
            name: results::OURS,
            program: program.clone(),
            arguments: Vec::new(),
            form: form.first().copied(),
            beside: form,
        })
    });
    Ok(contenders.collect())
}
