//! [`Report`]: what a run has counted, as tables.

use super::Verdict;
use super::families::FAMILIES;
use super::known;
use super::probe::Probe;
use super::reply::Reply;
use comfy_table::{Table, presets};
use std::collections::BTreeMap;

/// The shares to reach, in tenths of a percent: the same code, and the same in all.
const REACH: [usize; 2] = [980, 900];
/// How much of a reply or of a request is shown.
const SHOWN: usize = 700;

/// Requests, those with the same code, and those with the same answer.
type Counts = [usize; 3];

/// The counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    families: BTreeMap<String, Counts>,
    pub(crate) groups: Vec<Group>,
}

/// Differences of one kind.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) kind: String,
    count: usize,
    pub(crate) probe: Probe,
    pub(crate) real: Reply,
    pub(crate) ours: Reply,
}

impl Report {
    pub(crate) fn count(&mut self, verdict: Verdict) {
        let counts = self.families.entry(verdict.probe.family.clone()).or_default();
        let same = [true, verdict.same_code, verdict.difference.is_none()];
        for (count, same) in counts.iter_mut().zip(same) {
            *count += usize::from(same);
        }
        let Some((kind, real, ours)) = verdict.difference else {
            return;
        };
        match self.groups.iter_mut().find(|group| group.kind == kind) {
            Some(group) => group.count += 1,
            None => self.groups.push(Group { kind, count: 1, probe: verdict.probe, real, ours }),
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.families.values().map(|counts| counts[0]).sum()
    }

    /// Prints the groups and the shares; true if the shares are reached and every group has a reason.
    pub(crate) fn print(&mut self) -> bool {
        self.groups.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.kind.cmp(&other.kind)));
        let mut unexplained = 0;
        for group in &self.groups {
            let reason = known::reason(&group.kind);
            unexplained += usize::from(reason.is_none());
            println!("{:>5}  {}\n       reason: {}", group.count, group.kind, reason.unwrap_or("none yet"));
            println!("       request: {}", cut(&group.probe.ask.to_string()));
            for given in &group.probe.given {
                println!("       given: {}", cut(&given.to_string()));
            }
            println!("       upstream: {}\n       here: {}", shown(&group.real), shown(&group.ours));
        }
        let mut table = Table::new();
        table.load_preset(presets::ASCII_MARKDOWN);
        table.set_header(["family", "what", "requests", "same code", "same in all"]);
        let mut all = Counts::default();
        for family in &FAMILIES {
            let counts = self.families.get(family.name).copied().unwrap_or_default();
            table.add_row(row(family.name, family.requests, counts));
            all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        table.add_row(row("all", "", all));
        println!("{table}\n{} groups, {unexplained} of them without a reason", self.groups.len());
        let reached = REACH.iter().zip(&all[1..]).all(|(reach, count)| count * 1000 >= reach * all[0]);
        reached && unexplained == 0
    }
}

fn row(name: &str, what: &str, [all, code, whole]: Counts) -> [String; 5] {
    let share = |count: usize| {
        let tenths = count * 1000 / all.max(1);
        format!("{}.{} %", tenths / 10, tenths % 10)
    };
    [name.to_owned(), what.to_owned(), all.to_string(), share(code), share(whole)]
}

fn shown(reply: &Reply) -> String {
    let warnings = if reply.warnings.is_empty() { String::new() } else { format!("{:?} ", reply.warnings) };
    let text = match reply.refusal() {
        Some(status) if status["message"].is_string() => {
            format!("{} {}", status["reason"], status["message"])
        }
        _ => reply.body.to_string(),
    };
    cut(&format!("{} {warnings}{text}", reply.code))
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
