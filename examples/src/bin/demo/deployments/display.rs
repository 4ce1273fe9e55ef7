//! [`Display`]: a bar for each Deployment on a terminal, plain lines elsewhere, and the table at the end.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::Duration,
};

use comfy_table::{Cell, CellAlignment, Table, presets};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::books::{Books, Row};

const FRAME: Duration = Duration::from_millis(100);

/// The output of a running demo; it ends when it is dropped.
pub(crate) struct Display {
    started: Instant,
    bars: Option<(MultiProgress, JoinHandle<()>)>,
}

impl Display {
    pub(crate) fn start(books: &Books) -> Self {
        let bars = io::stderr().is_terminal().then(|| {
            let bars = MultiProgress::new();
            // A panic in this task ends only the bars.
            (bars.clone(), tokio::spawn(draw(bars, books.clone())))
        });
        Self { started: Instant::now(), bars }
    }

    /// Prints a line with the time, above the bars if there are any.
    pub(crate) fn say(&self, text: &str) {
        let line = format!("{:4.1} s  {text}", self.started.elapsed().as_secs_f64());
        match &self.bars {
            Some((bars, _)) => drop(bars.println(line)),
            None => println!("{line}"),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some((bars, drawing)) = &self.bars {
            drawing.abort();
            drop(bars.clear());
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
    }
}

async fn draw(bars: MultiProgress, books: Books) {
    let style = ProgressStyle::with_template("{prefix:6} {bar:24} {pos:>2}/{len:2} {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let mut drawn: BTreeMap<String, ProgressBar> = BTreeMap::new();
    loop {
        for (app, row) in books.rows() {
            let bar = drawn
                .entry(app.clone())
                .or_insert_with(|| bars.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(app)));
            bar.set_length(row.desired.unsigned_abs());
            bar.set_position(row.updated.unsigned_abs());
            bar.set_message(format!("revision {}, {}", row.revision, row.progress));
        }
        sleep(FRAME).await;
    }
}

/// Formats one row for each Deployment.
pub(crate) fn table(rows: &[(String, Row)]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "deployment",
        "revision",
        "Pods",
        "most",
        "allowed",
        "least",
        "needed",
        "created",
        "deleted",
    ]);
    table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
    for (app, row) in rows {
        let numbers = [row.updated, row.most_wanted, row.most, row.least_ready, row.least];
        let counts = [row.created, row.deleted].map(|count| count.to_string());
        let cells =
            [row.revision.clone()].into_iter().chain(numbers.map(|number| number.to_string())).chain(counts);
        let right = |text| Cell::new(text).set_alignment(CellAlignment::Right);
        table.add_row([Cell::new(app)].into_iter().chain(cells.map(right)));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_terminal_of_80_columns() {
        let row =
            Row { desired: 100, most: 125, most_wanted: 125, revision: "10".to_owned(), ..Row::default() };
        let table = table(&[("batch".to_owned(), row.clone()), ("web".to_owned(), row)]);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert_eq!(table.lines().count(), 6, "{table}");
    }
}
