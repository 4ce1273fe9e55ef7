//! [`Live`]: the output of a running demo, bars on a terminal and plain lines elsewhere.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use trimtab_controller::{ControllerHandle, cache::ObjectKey};

use crate::audit::{Audit, Row};

/// The intervals between updates of the bars, and between plain lines.
const FRAME: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(1);

/// The display of a running demo; it ends when it is closed or dropped.
pub(crate) struct Live {
    bars: Option<MultiProgress>,
    /// A panic in this task ends only the display.
    drawing: JoinHandle<()>,
}

impl Live {
    /// Starts the display.
    pub(crate) fn start(audit: Audit, controller: ControllerHandle) -> Self {
        let bars = io::stderr().is_terminal().then(MultiProgress::new);
        let view = View { audit, controller };
        let drawing = match bars.clone() {
            Some(bars) => tokio::spawn(async move { view.draw(&bars).await }),
            None => tokio::spawn(async move { view.tell().await }),
        };
        Self { bars, drawing }
    }

    /// Prints a line, above the bars if there are any.
    pub(crate) fn say(&self, line: &str) {
        match &self.bars {
            Some(bars) => drop(bars.println(line)),
            None => println!("{line}"),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.drawing.abort();
        if let Some(bars) = &self.bars {
            drop(bars.clear());
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

/// The line of a set; with the longest message of [`moves`] it fits into 80 columns.
const SET: &str = "{prefix:16} {bar:10} {pos:>4}/{len:4} ready {msg}";

/// The displayed values.
struct View {
    audit: Audit,
    controller: ControllerHandle,
}

impl View {
    async fn draw(&self, bars: &MultiProgress) {
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        let footer = bars.add(ProgressBar::no_length().with_style(style("{spinner} {msg}")));
        let mut sets: BTreeMap<ObjectKey, ProgressBar> = BTreeMap::new();
        let mut rate = Rate::new();
        let mut frames = ticks(FRAME);
        loop {
            frames.tick().await;
            for (key, row) in self.audit.rows() {
                let bar = sets.entry(key.clone()).or_insert_with(|| {
                    let bar = ProgressBar::new(0).with_prefix(key.to_string());
                    bars.insert_before(&footer, bar.with_style(style(SET)))
                });
                bar.set_length(row.desired as u64);
                bar.set_position(row.ready as u64);
                bar.set_message(moves(&row));
            }
            footer.set_message(self.pulse(&mut rate));
            footer.tick();
        }
    }

    async fn tell(&self) {
        let mut rate = Rate::new();
        let mut lines = ticks(LINE);
        loop {
            lines.tick().await;
            let sets = self.audit.rows();
            let sets = sets.iter().map(|(key, row)| format!("{key} {}/{}", row.ready, row.desired));
            println!("  {}; {}", sets.collect::<Vec<_>>().join(", "), self.pulse(&mut rate));
        }
    }

    fn pulse(&self, rate: &mut Rate) -> String {
        let status = self.controller.status();
        let events = rate.of(self.audit.changes());
        let (queued, processing, delayed) = (status.queued, status.processing, status.delayed);
        format!(
            "{events:.0} events/s, {queued} queued, {processing} in work, {delayed} delayed, {} reconciles",
            status.reconciles
        )
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

fn moves(row: &Row) -> String {
    format!("+{} -{}, {} adopted, {} released", row.created, row.deleted, row.adopted, row.released)
}

/// The number of events in the last second.
struct Rate {
    since: Instant,
    count: u64,
    last: f64,
}

impl Rate {
    fn new() -> Self {
        Self { since: Instant::now(), count: 0, last: 0.0 }
    }

    fn of(&mut self, count: u64) -> f64 {
        let elapsed = self.since.elapsed();
        if elapsed >= LINE {
            self.last = (count - self.count) as f64 / elapsed.as_secs_f64();
            (self.since, self.count) = (Instant::now(), count);
        }
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_set_fits_into_80_columns() {
        let row = Row { created: 1606, deleted: 1186, adopted: 12, released: 10, ..Row::default() };
        let message = moves(&row);
        let fields = SET.split(['{', '}']).skip(1).step_by(2);
        let widths = fields.map(|field| {
            let width = field.trim_start_matches(|char: char| !char.is_ascii_digit());
            width.parse().unwrap_or(message.len()) // the message has no width
        });
        let between: usize = SET.split(['{', '}']).step_by(2).map(str::len).sum();
        let columns: usize = widths.sum::<usize>() + between;
        assert!(columns > 70 && columns <= 80, "{columns}");
    }
}
