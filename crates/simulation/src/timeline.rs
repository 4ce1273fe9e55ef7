//! [`Timeline`]: a history as readable lines: the writes, the changes that their authors had not seen, and the faults.

mod changes;

use std::{collections::BTreeMap, fmt, sync::Arc};

use trimtab_apiserver::{ChangeKind, Verb};

pub(crate) use self::changes::changes;
use crate::{
    Fault,
    engine::record::{Record, What, word},
    world::Writer,
};

/// The important steps of a history, line by line.
///
/// A line is a refused step, a fault, a crash, a restart, a commit, or a failed write. A commit by a process names the
/// kinds whose newest version the process had not seen: `[sees pods v12 of v17]`. Reads, the first start of each process
/// and the binding of Pods are omitted. One line holds consecutive equal commits, the objects that a process creates
/// within a tenth of a second, and the status that it writes directly after another commit.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    lines: Vec<String>,
}

impl Timeline {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut teller = Teller::default();
        records.iter().for_each(|record| teller.tell(record));
        teller.end_group();
        Self { lines: teller.lines }
    }

    /// Returns the lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The longest time between two commits that share a line, in milliseconds.
const IN_ONE_GO: u64 = 100;

/// Commits of one writer that share a line.
struct Group {
    at: u64,
    newest: u64,
    by: String,
    /// The versions that the writer had not seen.
    unseen: String,
    parts: Vec<Part>,
}

/// Equal changes.
struct Part {
    key: String,
    verb: &'static str,
    /// The last object and its changes.
    text: String,
    is_status: bool,
    count: usize,
}

impl Group {
    /// Adds a commit of the same writer. Returns it if it needs a line of its own.
    fn take(&mut self, at: u64, part: Part, unseen: &str) -> Result<(), Part> {
        let creates = |part: &Part| part.verb == word(ChangeKind::Added);
        let (is_soon, creates_only) = (at <= self.newest + IN_ONE_GO, self.parts.iter().all(creates));
        let same = self.parts.iter().rposition(|known| known.key == part.key);
        match same {
            Some(index) if creates_only || index + 1 == self.parts.len() => {
                let count = self.parts[index].count + 1;
                self.parts[index] = Part { count, ..part }; // the last one is told
                self.unseen = unseen.to_owned();
            }
            _ if is_soon && part.is_status => self.parts.push(part),
            _ if is_soon
                && creates_only
                && creates(&part)
                && (unseen.is_empty() || unseen == self.unseen) =>
            {
                self.parts.push(part);
            }
            _ => return Err(part),
        }
        self.newest = at;
        Ok(())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3}s  {:<12} ", self.at as f64 / 1000.0, self.by)?;
        let mut before = "";
        for Part { verb, text, count, .. } in &self.parts {
            f.write_str(if before.is_empty() { "" } else { ", " })?;
            if *verb != before {
                write!(f, "{verb} ")?;
            }
            f.write_str(text)?;
            if *count > 1 {
                write!(f, " (the last of {count})")?;
            }
            before = verb;
        }
        if self.unseen.is_empty() { Ok(()) } else { write!(f, " {}", self.unseen) }
    }
}

#[derive(Default)]
struct Teller {
    lines: Vec<String>,
    group: Option<Group>,
    /// The newest commit of each resource.
    newest: BTreeMap<String, u64>,
    /// The newest version of each watched resource that each process has seen.
    seen: BTreeMap<(Arc<str>, String), u64>,
    /// Writes under way, by process and number.
    writes: BTreeMap<(Arc<str>, u32), String>,
    /// Whether a violation was recorded. Later steps are omitted.
    is_over: bool,
}

impl Teller {
    fn tell(&mut self, record: &Record) {
        let at = record.at;
        if self.is_over {
            return;
        }
        match &record.what {
            What::Started { restarts: 0, .. } => {}
            What::Started { process, .. } => self.line(at, process, "starts again"),
            What::Ended { process, why } => {
                self.seen.retain(|(watcher, _), _| watcher != process);
                self.line(at, process, why);
            }
            What::Sent { process, number, call, query, .. } => {
                if call.is_write() {
                    self.writes.insert((process.clone(), *number), call.to_string());
                } else if call.verb == Verb::Watch {
                    let begins = query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="));
                    let begins = begins.filter(|begins| *begins != "0"); // any state will do
                    self.sees(process, &call.resource, begins.unwrap_or_default());
                }
            }
            What::Answered { process, number, code } => {
                if let Some(write) = self.writes.remove(&(process.clone(), *number)) {
                    match code {
                        Some(code) if *code < 400 => {}
                        Some(code) => self.line(at, process, &format!("{write} -> {code}")),
                        None => self.line(at, process, &format!("{write} -> no response")),
                    }
                }
            }
            What::Event { process, resource, version, .. } => self.sees(process, resource, version),
            What::Step { text, code } if *code >= 400 => {
                self.line(at, "workload", &format!("{text} -> {code}"))
            }
            What::Step { .. } => {}
            What::Fault { process, text } if process.is_empty() && *text == Fault::Compact.to_string() => {
                self.line(at, "fault", text)
            }
            What::Fault { process, .. } if process.is_empty() => {} // the commits by `chaos` follow
            What::Fault { process, text } => self.line(at, "fault", &format!("{process}: {text}")),
            What::Commit { by, version, change, resource, name, note, .. } => {
                if !is_furniture(by, resource) && !is_binding(by, note) {
                    let verb = word(*change);
                    // The cluster changes the state of Pods in many small steps.
                    let of = if *by == Writer::Cluster { "" } else { note };
                    let space = if note.is_empty() { "" } else { " " };
                    let part = Part {
                        key: format!("{verb} {resource} {of}"),
                        verb,
                        text: format!("{resource}/{name} v{version}{space}{note}"),
                        is_status: matches!(by, Writer::Process(_)) && note.starts_with("(status"),
                        count: 1,
                    };
                    self.commit(at, by, part);
                }
                self.newest.insert(resource.clone(), *version);
            }
            What::Violated { text } => {
                self.end_group();
                self.is_over = true;
                self.lines.push(format!("{:>9.3}s  >>> {text}", at as f64 / 1000.0));
            }
        }
    }

    fn sees(&mut self, process: &Arc<str>, resource: &str, version: &str) {
        if let Ok(version) = version.parse::<u64>() {
            let seen = self.seen.entry((process.clone(), resource.to_owned())).or_default();
            *seen = version; // a front end that is behind may show less than was seen before
        }
    }

    /// Returns the versions that the author of a commit had not seen.
    fn unseen(&self, by: &Writer) -> String {
        let Writer::Process(process) = by else { return String::new() };
        let watched = self.seen.iter().filter(|((watcher, _), _)| watcher == process);
        let behind: Vec<String> = watched
            .filter_map(|((_, resource), seen)| {
                let newest = self.newest.get(resource).filter(|newest| *newest > seen)?;
                Some(format!("{resource} v{seen} of v{newest}"))
            })
            .collect();
        if behind.is_empty() { String::new() } else { format!("[sees {}]", behind.join(", ")) }
    }

    fn line(&mut self, at: u64, who: &str, text: &str) {
        self.end_group();
        self.lines.push(format!("{:>9.3}s  {who:<12} {text}", at as f64 / 1000.0));
    }

    fn commit(&mut self, at: u64, by: &Writer, part: Part) {
        let (unseen, by) = (self.unseen(by), by.to_string());
        let part = match self.group.as_mut().filter(|group| group.by == by) {
            Some(group) => match group.take(at, part, &unseen) {
                Ok(()) => return,
                Err(part) => part,
            },
            None => part,
        };
        self.end_group();
        self.group = Some(Group { at, newest: at, by, unseen, parts: vec![part] });
    }

    fn end_group(&mut self) {
        self.lines.extend(self.group.take().map(|group| group.to_string()));
    }
}

/// Returns whether a commit binds a Pod, which is the same step for every Pod.
fn is_binding(by: &Writer, note: &str) -> bool {
    *by == Writer::Cluster && note.starts_with("(spec.nodeName")
}

/// Resources of every cluster that controllers seldom use.
fn is_furniture(by: &Writer, resource: &str) -> bool {
    matches!(
        resource,
        "namespaces" | "serviceaccounts" | "customresourcedefinitions.apiextensions.k8s.io" | "nodes"
    ) && matches!(by, Writer::Workload | Writer::Cluster)
}
