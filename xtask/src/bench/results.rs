//! The measurements of all subjects, merged by benchmark: medians, a table with ratios, and lines of JSON.

use super::subject::{Measurement, OURS, Subject};
use super::target::{TARGETS, Target};
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
    /// The CPU use of the machine before the current run, if it was busy.
    busy: Option<f64>,
}

/// One benchmark, with each subject's values of every round.
#[derive(Debug)]
struct Row {
    bench: String,
    unit: String,
    better: String,
    values: BTreeMap<&'static str, Vec<f64>>,
    /// The highest CPU use before a run that measured it, in percent; `None` if the machine was idle before all of them.
    busy: Option<f64>,
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

    /// Marks the measurements that follow: the machine was busy with something else before the run, or `None` if it was
    /// idle.
    pub(super) fn set_busy(&mut self, percent: Option<f64>) {
        self.busy = percent;
    }

    fn record(&mut self, name: &'static str, measurement: Measurement) {
        let index = self.rows.iter().position(|row| row.bench == measurement.bench).unwrap_or_else(|| {
            let Measurement { bench, unit, better, .. } = measurement;
            self.rows.push(Row { bench, unit, better, values: BTreeMap::new(), busy: None });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        row.busy = [row.busy, self.busy].into_iter().flatten().reduce(f64::max);
        row.values.entry(name).or_default().push(measurement.value);
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

    /// Returns the targets that are missed or cannot be compared, one line each.
    ///
    /// A target of a benchmark that did not run is left out: [`unmeasured_targets`](Self::unmeasured_targets) has it.
    pub(super) fn missed_targets(&self) -> Vec<String> {
        let missed = |(target, ratio): (&Target, Option<f64>)| match (ratio, target.peer) {
            (Some(ratio), _) if target.is_missed(ratio) => Some(target.describe(ratio)),
            (None, Some(peer)) => {
                Some(format!("{}: not compared, because {peer} has no value", target.bench))
            }
            _ => None,
        };
        self.ratios().filter_map(missed).collect()
    }

    /// Returns the targets of a part that no benchmark of ours has a value for, one line each.
    pub(super) fn unmeasured_targets(&self, part: &str) -> Vec<String> {
        let is_of_part = |target: &&Target| target.bench.split('/').next() == Some(part);
        let is_measured =
            |bench: &str| self.rows.iter().any(|row| row.bench == bench && row.median(OURS).is_some());
        let mut benches: Vec<&str> = TARGETS
            .iter()
            .filter(is_of_part)
            .map(|target| target.bench)
            .filter(|bench| !is_measured(bench))
            .collect();
        benches.dedup();
        benches.into_iter().map(|bench| format!("{bench}: not measured")).collect()
    }

    /// Returns the targets of the benchmarks that ran, each with our value or our multiple of the peer's value; `None` if
    /// the peer has no value.
    fn ratios(&self) -> impl Iterator<Item = (&'static Target, Option<f64>)> {
        TARGETS.iter().filter_map(|target| {
            let row = self.rows.iter().find(|row| row.bench == target.bench)?;
            let ours = row.median(OURS)?;
            Some((target, target.ratio(ours, target.peer.and_then(|peer| row.median(peer)))))
        })
    }

    /// Returns one JSON object a line; the format stays the same from release to release. Rows of a busy machine have
    /// `busy_percent` besides.
    pub(super) fn json_lines(&self) -> String {
        let line = |row: &Row| {
            let peer = |name: &&'static str| Some(((*name).to_owned(), json!(rounded(row.median(name)?))));
            let peers: Map<String, Value> = self.peers.iter().filter_map(peer).collect();
            let (bench, unit, better) = (json!(row.bench), json!(row.unit), json!(row.better));
            let (ours, peers) = (json!(row.median(OURS).map(rounded)), json!(peers));
            let busy = row.busy.map(|percent| format!(",\"busy_percent\":{percent:.0}")).unwrap_or_default();
            format!(
                "{{\"bench\":{bench},\"unit\":{unit},\"better\":{better},\"trimtab\":{ours},\"peers\":{peers}{busy}}}\n"
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
        let any_busy = self.rows.iter().any(|row| row.busy.is_some());
        let title = any_busy.then_some("machine");
        table.set_header(["bench", "unit", OURS].into_iter().chain(self.peers.iter().copied()).chain(title));
        for row in &self.rows {
            let ours = row.median(OURS).map_or_else(|| "-".to_owned(), shown);
            let peers = self.peers.iter().map(|peer| row.beside(peer));
            let busy = row.busy.map(|percent| format!("{percent:.0} % busy")).filter(|_| any_busy);
            let cells = [row.bench.clone(), row.unit.clone(), ours].into_iter().chain(peers).chain(busy);
            table.add_row(cells);
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
        for (target, ratio) in self.ratios() {
            if let Some(ratio) = ratio {
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
    fn the_rows_of_a_busy_machine_say_so() {
        let mut results = Results::new(std::iter::empty());
        results.add(&subject(OURS, None, &[]), vec![measured("queue/add", 1.0)]);
        results.set_busy(Some(37.4));
        results.add(&subject(OURS, None, &[]), vec![measured("queue/get", 1.0)]);
        results.set_busy(Some(12.0));
        results.add(&subject(OURS, None, &[]), vec![measured("queue/get", 1.0)]);
        let [idle, busy] = ["add", "get"].map(|bench| {
            let find = |line: &&str| line.contains(&format!("queue/{bench}"));
            let json = results.json_lines();
            let table = results.to_string();
            (json.lines().find(find).map(str::to_owned), table.lines().find(find).map(str::to_owned))
        });
        assert!(
            idle.0.is_some_and(|json| json.ends_with("\"peers\":{}}")) && !idle.1.unwrap().contains("busy")
        );
        assert!(busy.0.is_some_and(|json| json.ends_with("\"peers\":{},\"busy_percent\":37}")));
        assert!(busy.1.is_some_and(|row| row.ends_with("37 % busy")));
    }

    #[test]
    fn a_missed_target_and_one_without_a_peer_are_listed() {
        let mut results = Results::new(["kube-runtime"].into_iter());
        results.add(
            &subject(OURS, None, &[]),
            vec![measured("informer/million-flat", 1.4), measured("informer/latency-p50", 10.0)],
        );
        results.add(&subject("kube-runtime", None, &[]), vec![measured("informer/latency-p50", 20.0)]);
        let missed = results.missed_targets();
        assert!(missed.contains(&"informer/million-flat: 1.40, target 1.3: missed".to_owned()), "{missed:?}");
        let absent = "informer/latency-p50: not compared, because client-go has no value";
        assert!(missed.contains(&absent.to_owned()), "{missed:?}");
        assert!(
            !missed.iter().any(|line| line.contains("× kube-runtime,")),
            "that one is reached: {missed:?}"
        );
    }

    #[test]
    fn a_target_without_a_measurement_is_listed_for_its_part() {
        let mut results = Results::new(["client-go"].into_iter());
        let cache = ["cache/update-3-indexes: not measured".to_owned()];
        assert_eq!(results.unmeasured_targets("cache"), cache);
        results.add(&subject("client-go", None, &[]), vec![measured("cache/update-3-indexes", 1.0)]);
        assert_eq!(results.unmeasured_targets("cache"), cache, "the peer's value alone is none");
        results.add(&subject(OURS, None, &[]), vec![measured("cache/update-3-indexes", 1.0)]);
        assert!(results.unmeasured_targets("cache").is_empty());
        let informer = results.unmeasured_targets("informer");
        let latency = informer.iter().filter(|line| line.starts_with("informer/latency-p50")).count();
        assert_eq!(latency, 1, "four peers, one line: {informer:?}");
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
