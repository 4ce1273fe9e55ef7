//! The measurements of all subjects, merged by benchmark: medians, a table with ratios, and lines of JSON.

use super::subject::{Measurement, OURS, Subject};
use super::target::TARGETS;
use crate::failure::Failure;
use comfy_table::{CellAlignment, Table};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Default)]
pub(super) struct Results {
    /// The peers' columns, in order.
    peers: Vec<&'static str>,
    /// In the order of the first measurement.
    rows: Vec<Row>,
    /// Subjects and scenarios that did not run, with the reason.
    skipped: Vec<(&'static str, String)>,
}

/// One benchmark, with each subject's values of every round.
#[derive(Debug)]
struct Row {
    bench: String,
    unit: String,
    better: String,
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Results {
    pub(super) fn new(peers: impl Iterator<Item = &'static str>) -> Self {
        Self { peers: peers.collect(), ..Self::default() }
    }

    /// Adds the measurements of one run. The values of a peer stand in the row of each form that it is compared with.
    pub(super) fn add(&mut self, subject: &Subject, measurements: Vec<Measurement>) {
        for measurement in measurements {
            match (subject.form, measurement.bench.rsplit_once('/')) {
                (Some(form), Some((bench, last))) if form == last => {
                    for form in subject.beside {
                        self.record(
                            subject.name,
                            Measurement { bench: format!("{bench}/{form}"), ..measurement.clone() },
                        );
                    }
                }
                _ => self.record(subject.name, measurement),
            }
        }
    }

    fn record(&mut self, name: &'static str, measurement: Measurement) {
        let index = self.rows.iter().position(|row| row.bench == measurement.bench).unwrap_or_else(|| {
            let Measurement { bench, unit, better, .. } = measurement;
            self.rows.push(Row { bench, unit, better, values: BTreeMap::new() });
            self.rows.len() - 1
        });
        self.rows[index].values.entry(name).or_default().push(measurement.value);
    }

    /// Returns the lowest median of any subject in the benchmarks whose names begin with `benches`.
    pub(super) fn minimum(&self, benches: &str) -> Option<f64> {
        let rows = self.rows.iter().filter(|row| row.bench.starts_with(benches));
        let medians = rows.flat_map(|row| row.values.keys().filter_map(|name| row.median(name)));
        medians.min_by(f64::total_cmp)
    }

    /// Records why a subject or a scenario did not run.
    pub(super) fn skip(&mut self, name: &'static str, reason: &Failure) {
        self.skipped.push((name, reason.to_string()));
    }

    /// Returns whether all our own benchmarks ran. A missing peer is no failure.
    pub(super) fn ours_ran(&self) -> bool {
        self.skipped.iter().all(|(name, _)| *name != OURS)
            && self.rows.iter().any(|row| row.median(OURS).is_some())
    }

    /// Returns one JSON object a line; the format stays the same from release to release.
    pub(super) fn json_lines(&self) -> String {
        let line = |row: &Row| {
            let peer = |name: &&'static str| Some(((*name).to_owned(), json!(rounded(row.median(name)?))));
            let peers: Map<String, Value> = self.peers.iter().filter_map(peer).collect();
            let (bench, unit, better) = (json!(row.bench), json!(row.unit), json!(row.better));
            let (ours, peers) = (json!(row.median(OURS).map(rounded)), json!(peers));
            format!(
                "{{\"bench\":{bench},\"unit\":{unit},\"better\":{better},\"trimtab\":{ours},\"peers\":{peers}}}\n"
            )
        };
        self.rows.iter().map(line).collect()
    }
}

impl Row {
    fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.values.get(name)?.clone();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len() % 2 == 1 {
            Some(values[middle])
        } else {
            Some(f64::midpoint(values[middle - 1], values[middle]))
        }
    }

    /// Returns a peer's value, with ours as a multiple of it.
    fn beside(&self, peer: &str) -> String {
        let Some(theirs) = self.median(peer) else {
            return "-".to_owned();
        };
        match self.median(OURS) {
            Some(ours) if theirs > 0.0 => format!("{} ({:.2}×)", shown(theirs), ours / theirs),
            _ => shown(theirs),
        }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        table.set_header(["bench", "unit", OURS].iter().chain(&self.peers));
        for row in &self.rows {
            let ours = row.median(OURS).map_or_else(|| "-".to_owned(), shown);
            let peers = self.peers.iter().map(|peer| row.beside(peer));
            table.add_row([row.bench.clone(), row.unit.clone(), ours].into_iter().chain(peers));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "{}", table.trim_fmt())?;
        let higher = self
            .rows
            .iter()
            .filter(|row| row.better == "higher")
            .map(|row| row.bench.as_str())
            .collect::<Vec<_>>();
        if !self.peers.is_empty() {
            write!(f, "\n(in brackets: our value as a multiple of the peer's; lower is better")?;
            if !higher.is_empty() {
                write!(f, ", except for {}, where higher is better", higher.join(", "))?;
            }
            write!(f, ")")?;
        }
        for target in TARGETS {
            let Some(row) = self.rows.iter().find(|row| row.bench == target.bench) else { continue };
            let theirs = target.peer.and_then(|peer| row.median(peer));
            if let Some(ratio) = row.median(OURS).and_then(|ours| target.ratio(ours, theirs)) {
                write!(f, "\n{}", target.describe(ratio))?;
            }
        }
        for (name, reason) in &self.skipped {
            write!(f, "\n{name} is skipped: {reason}")?;
        }
        Ok(())
    }
}

/// Rounds to four significant digits; more would be noise.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        large if large >= 1000.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &'static str, form: Option<&'static str>, beside: &'static [&'static str]) -> Subject {
        Subject { name, program: "/t/x".into(), arguments: Vec::new(), form, beside }
    }

    fn measured(bench: &str, value: f64) -> Measurement {
        Measurement { bench: bench.to_owned(), unit: "ns".to_owned(), better: "lower".to_owned(), value }
    }

    #[test]
    fn medians_are_merged_by_bench_and_written_as_json() {
        let mut results = Results::new(["client-go", "kube-runtime"].into_iter());
        for value in [95.0, 93.1234, 400.0] {
            results.add(&subject(OURS, None, &[]), vec![measured("queue/add", value)]);
        }
        results.add(&subject("client-go", None, &[]), vec![measured("queue/add", 987.0)]);
        let json = "{\"bench\":\"queue/add\",\"unit\":\"ns\",\"better\":\"lower\",\"trimtab\":95.0,\"peers\":{\"client-go\":987.0}}\n";
        assert_eq!(results.json_lines(), json);
        assert!(results.to_string().contains("987.0 (0.10×)"), "{results}");
        assert!(results.ours_ran());
    }

    #[test]
    fn a_peer_without_views_is_compared_with_each_of_our_forms() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&subject(OURS, Some("view"), &["view"]), vec![measured("informer/sync-cpu/view", 10.0)]);
        results.add(
            &subject("client-go", Some("slim"), &["view"]),
            vec![measured("informer/sync-cpu/slim", 100.0)],
        );
        assert_eq!(results.rows.len(), 1);
        assert!(results.to_string().contains("(0.10×)"), "{results}");
    }

    #[test]
    fn a_bench_without_forms_keeps_its_name() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&subject(OURS, Some("view"), &["view"]), vec![measured("informer/million-flat", 1.4)]);
        assert_eq!(results.rows[0].bench, "informer/million-flat");
        assert!(results.to_string().contains("informer/million-flat: 1.40, target 1.3: missed"), "{results}");
    }

    #[test]
    fn the_minimum_covers_all_subjects_and_forms() {
        let mut results = Results::new(["client-go"].into_iter());
        results
            .add(&subject(OURS, Some("view"), &["view"]), vec![measured("informer/follow-rate/view", 50.0)]);
        let slim = subject("client-go", Some("slim"), &["view"]);
        results.add(
            &slim,
            vec![measured("informer/follow-rate/slim", 2.0), measured("informer/follow-cpu/slim", 1.0)],
        );
        assert_eq!(results.minimum("informer/follow-rate/"), Some(2.0));
        assert_eq!(results.minimum("informer/other/"), None);
    }

    #[test]
    fn a_skipped_subject_is_named_with_the_reason() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&subject(OURS, None, &[]), vec![measured("queue/add", 1.0)]);
        results.skip("client-go", &Failure::new("go was not found"));
        assert!(results.to_string().ends_with("client-go is skipped: go was not found"), "{results}");
        assert!(results.ours_ran(), "a missing peer is no failure");
        results.skip(OURS, &Failure::new("it ended with 1"));
        assert!(!results.ours_ran());
    }
}
