//! [`Progress`]: the progress display of a run.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use super::Report;

/// A bar in a terminal; elsewhere a line at every tenth of the run.
pub(super) enum Progress {
    Silent,
    Bar(ProgressBar),
    Lines { every: u64 },
}

impl Progress {
    pub(super) fn new(shows: bool, scenario: &str, count: u64) -> Self {
        if !shows {
            return Self::Silent;
        }
        if !stderr().is_terminal() {
            return Self::Lines { every: count.div_ceil(10).max(1) };
        }
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec} {msg}");
        let bar = ProgressBar::new(count).with_prefix(scenario.to_owned());
        Self::Bar(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }

    pub(super) fn show(&self, report: &Report) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_position(report.runs());
                bar.set_message(report.state());
            }
            Self::Lines { every } => {
                if report.runs().is_multiple_of(*every) {
                    eprintln!("{} of {} histories, {}", report.runs(), report.planned(), report.state());
                }
            }
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
