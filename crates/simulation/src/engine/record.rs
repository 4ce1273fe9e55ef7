//! [`Record`]: a step of a history, for its hash, the comparison of two runs, and the timeline.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use trimtab_apiserver::ChangeKind;

use crate::{call::Call, world::Writer};

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    /// Milliseconds since the start of the processes.
    pub(crate) at: u64,
    pub(crate) what: What,
}

/// The kind of a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A process was started.
    Started { process: Arc<str>, restarts: u32 },
    /// A process crashed, or ended by itself.
    Ended { process: Arc<str>, why: String },
    /// A process sent a request.
    Sent { process: Arc<str>, number: u32, call: Call, query: String, body: u64 },
    /// A process got a response, or the error of its connection.
    Answered { process: Arc<str>, number: u32, code: Option<u16> },
    /// A watch delivered data to a process.
    Event { process: Arc<str>, word: String, resource: String, name: String, version: String },
    /// The workload took a step.
    Step { text: String, code: u16 },
    /// A fault affected a request, a process or the cluster.
    Fault { process: Arc<str>, text: String },
    /// A commit.
    Commit {
        by: Writer,
        version: u64,
        change: ChangeKind,
        resource: String,
        name: String,
        content: u64,
        note: String,
    },
    /// A property was violated.
    Violated { text: String },
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3}s  ", self.at as f64 / 1000.0)?;
        match &self.what {
            What::Started { process, restarts: 0 } => write!(f, "{process:<12} starts"),
            What::Started { process, restarts } => write!(f, "{process:<12} starts again ({restarts})"),
            What::Ended { process, why } => write!(f, "{process:<12} {why}"),
            What::Sent { process, number, call, query, .. } => {
                write!(f, "{process:<12} #{number} {call}")?;
                if query.is_empty() { Ok(()) } else { write!(f, " ?{query}") }
            }
            What::Answered { process, number, code: Some(code) } => {
                write!(f, "{process:<12} #{number} -> {code}")
            }
            What::Answered { process, number, code: None } => {
                write!(f, "{process:<12} #{number} -> no response")
            }
            What::Event { process, word, resource, name, version } => {
                write!(f, "{process:<12} sees {word} {resource}/{name} v{version}")
            }
            What::Step { text, code } => write!(f, "{:<12} {text} -> {code}", "workload"),
            What::Fault { process, text } if process.is_empty() => write!(f, "{:<12} {text}", "fault"),
            What::Fault { process, text } => write!(f, "{:<12} {process}: {text}", "fault"),
            What::Commit { by, version, change, resource, name, note, .. } => {
                write!(f, "{by:<12} {} {resource}/{name} v{version}", word(*change))?;
                if note.is_empty() { Ok(()) } else { write!(f, " {note}") }
            }
            What::Violated { text } => write!(f, "{text}"),
        }
    }
}

/// Returns the verb of a commit.
pub(crate) fn word(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Added => "creates",
        ChangeKind::Modified => "changes",
        ChangeKind::Deleted => "removes",
    }
}

/// The hash of a history, and its records if they are kept.
#[derive(Debug)]
pub(super) struct Trace {
    hasher: DefaultHasher,
    records: Option<Vec<Record>>,
}

impl Trace {
    pub(super) fn new(keeps: bool) -> Self {
        // `new` has fixed keys: the same history has the same hash in every process.
        Self { hasher: DefaultHasher::new(), records: keeps.then(Vec::new) }
    }

    pub(super) fn add(&mut self, at: u64, what: What) {
        let record = Record { at, what };
        record.hash(&mut self.hasher);
        tracing::debug!(target: "trimtab_simulation", "{record}");
        if let Some(records) = &mut self.records {
            records.push(record);
        }
    }

    /// Records the data of a watch. The hash contains its text; the decoded content is only for readers.
    pub(super) fn saw(&mut self, at: u64, process: &Arc<str>, resource: &str, bytes: &[u8]) {
        (at, process, content(bytes)).hash(&mut self.hasher);
        let Some(records) = &mut self.records else { return };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let metadata = &event["object"]["metadata"];
            let what = What::Event {
                process: process.clone(),
                word: text(&event["type"]),
                resource: resource.to_owned(),
                name: text(&metadata["name"]),
                version: text(&metadata["resourceVersion"]),
            };
            records.push(Record { at, what });
        }
    }

    /// Returns whether records are kept, so that content for readers is worth its cost.
    pub(super) fn keeps(&self) -> bool {
        self.records.is_some()
    }

    pub(super) fn finish(self) -> (u64, Vec<Record>) {
        (self.hasher.finish(), self.records.unwrap_or_default())
    }
}

/// Returns a hash of JSON text without times: code may write the machine's time, which does not depend on the seed.
pub(super) fn content(text: &[u8]) -> u64 {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let mut hasher = DefaultHasher::new();
    let mut rest = text;
    while let Some(start) = find_time(rest, SHAPE) {
        hasher.write(&rest[..start]);
        rest = &rest[start + SHAPE.len()..];
        let fraction = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        rest = &rest[fraction..];
    }
    hasher.write(rest);
    hasher.finish()
}

fn find_time(text: &[u8], shape: &[u8]) -> Option<usize> {
    let fits = |window: &[u8]| {
        window.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
    };
    text.windows(shape.len()).position(|window| window[4] == b'-' && fits(window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_content_do_not_count_and_everything_else_does() {
        let of = |text: &str| content(text.as_bytes());
        assert_eq!(of(r#"{"t":"2026-01-02T03:04:05Z"}"#), of(r#"{"t":"2031-11-12T13:14:15.123456Z"}"#));
        assert_ne!(of(r#"{"n":"2026-01-02"}"#), of(r#"{"n":"2026-01-03"}"#));
        assert_ne!(of(r#"{"t":"2026-01-02T03:04:05Z","n":1}"#), of(r#"{"t":"2026-01-02T03:04:05Z","n":2}"#));
    }
}
