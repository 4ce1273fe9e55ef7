//! [`Log`]: the lines that a test logs in its thread.

use std::{
    fmt::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

/// A subscriber besides the test's own, that wants nothing. With a single one, `tracing` asks only the subscriber of the thread
/// that comes to a line of code first whether anybody wants it: a test in another thread, which has none, would turn the
/// line off for good.
static ANOTHER: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(Log { lines: Arc::default(), wants: |_| false, write: |_, _, _| () }));

/// Collects the lines that are wanted.
#[derive(Debug, Clone)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    wants: fn(&Metadata<'_>) -> bool,
    write: fn(&mut String, &str, &dyn fmt::Debug),
}

impl Log {
    /// Collects the warnings and errors of this thread, each with its fields as `name=value`, until the guard is dropped.
    pub fn warnings() -> (Self, DefaultGuard) {
        Self::capture(
            |metadata| *metadata.level() <= Level::WARN,
            |line, field, value| {
                let _ = write!(line, "{field}={value:?} ");
            },
        )
    }

    /// Collects the lines of this thread for which `wants` returns true, until the guard is dropped. `write` adds a field
    /// of the given name to its line.
    pub fn capture(
        wants: fn(&Metadata<'_>) -> bool,
        write: fn(&mut String, &str, &dyn fmt::Debug),
    ) -> (Self, DefaultGuard) {
        LazyLock::force(&ANOTHER);
        let log = Self { lines: Arc::default(), wants, write };
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Returns the lines since the last call.
    ///
    /// # Panics
    ///
    /// If the test has panicked while it added a line.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().expect("no panic while a line is added"))
    }
}

struct Line<'a> {
    text: String,
    log: &'a Log,
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        (self.log.write)(&mut self.text, field.name(), value);
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.wants)(metadata)
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line { text: String::new(), log: self };
        event.record(&mut line);
        self.lines.lock().expect("no panic while a line is added").push(line.text);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
