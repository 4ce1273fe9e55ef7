//! [`Report`]: definitions, samples and mutations by project, and the differences by kind.

use super::Verdict;
use crate::differential::reply::Reply;
use comfy_table::{Table, presets};
use std::collections::BTreeMap;

/// How much of an answer is shown.
const SHOWN: usize = 600;

/// A sort of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Definition,
    Sample,
    Mutation,
}

/// Requests, those with the same code, and those with the same answer.
type Counts = [usize; 3];

/// The counts of a run.
#[derive(Default)]
pub(super) struct Report {
    projects: Vec<(String, [Counts; 3])>,
    /// The differences by their kind: how many, and the first.
    groups: BTreeMap<(Sort, String), (usize, Verdict)>,
    /// Definitions that upstream accepts and our server refuses.
    refused: usize,
}

impl Report {
    /// Begins with the next project.
    pub(super) fn begin(&mut self, name: &str) {
        self.projects.push((name.to_owned(), Default::default()));
    }

    pub(super) fn count(&mut self, verdict: Verdict) {
        let (real, ours) = (verdict.real.code, verdict.ours.code);
        if let Some((_, counts)) = self.projects.last_mut() {
            let same = [true, real == ours, verdict.difference.is_none()];
            counts[verdict.sort as usize]
                .iter_mut()
                .zip(same)
                .for_each(|(count, same)| *count += usize::from(same));
        }
        self.refused += usize::from(verdict.sort == Sort::Definition && real == 201 && ours != 201);
        if let Some(kind) = verdict.difference.clone() {
            self.groups.entry((verdict.sort, kind)).or_insert((0, verdict)).0 += 1;
        }
    }

    /// The counts of the project that was counted last.
    pub(super) fn last(&self) -> String {
        let counts = self.projects.last().map(|(_, counts)| *counts).unwrap_or_default();
        let [definitions, samples, mutations] = counts.map(|[all, code, _]| format!("{code} of {all}"));
        format!("the same code for {definitions} definitions, {samples} samples, {mutations} mutations")
    }

    /// Prints the differences and the table; true if no definition is refused that upstream accepts, and no sample is
    /// judged otherwise.
    pub(super) fn print(&self) -> bool {
        for ((sort, kind), (count, first)) in &self.groups {
            let text = |reply: &Reply| {
                let text = format!("{} {:?} {}", reply.code, reply.warnings, reply.body);
                text.chars().take(SHOWN).collect::<String>()
            };
            println!("{count} × {sort:?}: {kind}\n    {}", first.file);
            if *sort == Sort::Mutation {
                println!(
                    "    request:  {}",
                    first.ask.to_string().chars().take(4 * SHOWN).collect::<String>()
                );
            }
            println!("    upstream: {}\n    here:     {}", text(&first.real), text(&first.ours));
        }
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["project", "definitions", "samples", "mutations"]);
        let mut all = [Counts::default(); 3];
        for (name, counts) in &self.projects {
            table.add_row(row(name, counts));
            all.iter_mut().flatten().zip(counts.iter().flatten()).for_each(|(sum, count)| *sum += count);
        }
        table.add_row(row("all", &all));
        println!("{table}\nrequests, those with the same code, those with the same answer");
        println!("{} definitions are refused that upstream accepts", self.refused);
        let [_, [samples, same, _], _] = all;
        self.refused == 0 && samples == same
    }
}

fn row(name: &str, counts: &[Counts; 3]) -> [String; 4] {
    let [definitions, samples, mutations] =
        counts.map(|[all, code, whole]| format!("{all} / {code} / {whole}"));
    [name.to_owned(), definitions, samples, mutations]
}
