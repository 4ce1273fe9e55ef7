//! What the contenders measured, merged by bench: medians, a table with ratios, and lines of JSON.

use super::contender::{Contender, Line};
use super::reach::REACHES;
use crate::failure::Failure;
use comfy_table::{CellAlignment, Table};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// The name of our own column.
pub(super) const OURS: &str = "trimtab";

#[derive(Debug, Default)]
pub(super) struct Results {
    /// The peers' columns, in order.
    peers: Vec<&'static str>,
    /// In the order in which ours printed them first.
    rows: Vec<Row>,
    left_out: Vec<(&'static str, String)>,
}

/// One bench, with the values of every round by contender.
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

    /// Takes what one run printed. Beside each form of ours that the contender is compared with, its values are the same.
    pub(super) fn add(&mut self, contender: &Contender, lines: Vec<Line>) {
        for line in lines {
            match (contender.form, line.bench.rsplit_once('/')) {
                (Some(form), Some((bench, last))) if form == last => {
                    for form in contender.beside {
                        self.record(
                            contender.name,
                            Line { bench: format!("{bench}/{form}"), ..line.clone() },
                        );
                    }
                }
                _ => self.record(contender.name, line),
            }
        }
    }

    fn record(&mut self, name: &'static str, line: Line) {
        let index = self.rows.iter().position(|row| row.bench == line.bench).unwrap_or_else(|| {
            let Line { bench, unit, better, .. } = line;
            self.rows.push(Row { bench, unit, better, values: BTreeMap::new() });
            self.rows.len() - 1
        });
        self.rows[index].values.entry(name).or_default().push(line.value);
    }

    /// The least that any contender came to in the benches whose names begin so.
    pub(super) fn least(&self, benches: &str) -> Option<f64> {
        let rows = self.rows.iter().filter(|row| row.bench.starts_with(benches));
        let medians = rows.flat_map(|row| row.values.keys().filter_map(|name| row.median(name)));
        medians.min_by(f64::total_cmp)
    }

    /// Remembers why a contender is not in the table, or not for every round.
    pub(super) fn leave_out(&mut self, name: &'static str, why: &Failure) {
        self.left_out.push((name, why.to_string()));
    }

    /// Whether each of our own benches ran: a missing peer is no failure, a missing bench of ours is.
    pub(super) fn ours_ran(&self) -> bool {
        self.left_out.iter().all(|(name, _)| *name != OURS)
            && self.rows.iter().any(|row| row.median(OURS).is_some())
    }

    /// One JSON object a line, in the form that is kept from release to release.
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

    /// A peer's value, and ours as a multiple of it.
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
            write!(f, "\n(in brackets: ours as a multiple of the peer's; less is better")?;
            if !higher.is_empty() {
                write!(f, ", but more is for {}", higher.join(", "))?;
            }
            write!(f, ")")?;
        }
        for reach in REACHES {
            let Some(row) = self.rows.iter().find(|row| row.bench == reach.bench) else { continue };
            let theirs = reach.peer.and_then(|peer| row.median(peer));
            if let Some(ratio) = row.median(OURS).and_then(|ours| reach.ratio(ours, theirs)) {
                write!(f, "\n{}", reach.describe(ratio))?;
            }
        }
        for (name, why) in &self.left_out {
            write!(f, "\n{name} is left out: {why}")?;
        }
        Ok(())
    }
}

/// Four significant digits: what lies behind them is noise.
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

    fn contender(
        name: &'static str,
        form: Option<&'static str>,
        beside: &'static [&'static str],
    ) -> Contender {
        Contender { name, program: "/t/x".into(), arguments: Vec::new(), form, beside }
    }

    fn line(bench: &str, value: f64) -> Line {
        Line { bench: bench.to_owned(), unit: "ns".to_owned(), better: "lower".to_owned(), value }
    }

    #[test]
    fn medians_are_merged_by_bench_and_written_as_json() {
        let mut results = Results::new(["client-go", "kube-runtime"].into_iter());
        for value in [95.0, 93.1234, 400.0] {
            results.add(&contender(OURS, None, &[]), vec![line("queue/add", value)]);
        }
        results.add(&contender("client-go", None, &[]), vec![line("queue/add", 987.0)]);
        let json = "{\"bench\":\"queue/add\",\"unit\":\"ns\",\"better\":\"lower\",\"trimtab\":95.0,\"peers\":{\"client-go\":987.0}}\n";
        assert_eq!(results.json_lines(), json);
        assert!(results.to_string().contains("987.0 (0.10×)"), "{results}");
        assert!(results.ours_ran());
    }

    #[test]
    fn a_peer_without_views_stands_beside_each_form_of_ours() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&contender(OURS, Some("view"), &["view"]), vec![line("informer/sync-cpu/view", 10.0)]);
        results.add(
            &contender("client-go", Some("slim"), &["view"]),
            vec![line("informer/sync-cpu/slim", 100.0)],
        );
        assert_eq!(results.rows.len(), 1);
        assert!(results.to_string().contains("(0.10×)"), "{results}");
    }

    #[test]
    fn a_bench_without_forms_keeps_its_name() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&contender(OURS, Some("view"), &["view"]), vec![line("informer/million-flat", 1.4)]);
        assert_eq!(results.rows[0].bench, "informer/million-flat");
        assert!(
            results.to_string().contains("informer/million-flat: 1.40, to reach 1.3: missed"),
            "{results}"
        );
    }

    #[test]
    fn the_least_is_over_all_contenders_and_forms() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&contender(OURS, Some("view"), &["view"]), vec![line("informer/follow-rate/view", 50.0)]);
        let slim = contender("client-go", Some("slim"), &["view"]);
        results
            .add(&slim, vec![line("informer/follow-rate/slim", 2.0), line("informer/follow-cpu/slim", 1.0)]);
        assert_eq!(results.least("informer/follow-rate/"), Some(2.0));
        assert_eq!(results.least("informer/other/"), None);
    }

    #[test]
    fn who_is_left_out_is_named_with_the_reason() {
        let mut results = Results::new(["client-go"].into_iter());
        results.add(&contender(OURS, None, &[]), vec![line("queue/add", 1.0)]);
        results.leave_out("client-go", &Failure::new("go was not found"));
        assert!(results.to_string().ends_with("client-go is left out: go was not found"), "{results}");
        assert!(results.ours_ran(), "a missing peer is no failure");
        results.leave_out(OURS, &Failure::new("it ended with 1"));
        assert!(!results.ours_ran());
    }
}
