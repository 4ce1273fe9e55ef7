//! [`MeasuredPart`]: a part of the process that should have a series in `/metrics`.

use std::{collections::BTreeSet, fmt, sync::Arc};

use parking_lot::Mutex;

/// A part of the process, with one of the metric series that it reports. For
/// [`AdminBuilder::measured`](crate::AdminBuilder::measured).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredPart {
    name: String,
    series: String,
    labels: Vec<(String, String)>,
}

impl MeasuredPart {
    /// Creates a part with this name, for the log, and the name of one of its metrics, such as `workqueue_depth`.
    #[must_use]
    pub fn new(name: impl Into<String>, series: impl Into<String>) -> Self {
        Self { name: name.into(), series: series.into(), labels: Vec::new() }
    }

    /// Adds a label that the series has.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Returns whether `text`, in Prometheus' format, lacks the series.
    fn is_missing_from(&self, text: &str) -> bool {
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let is_ours = |line: &str| {
            let rest = line.strip_prefix(&self.series);
            // A longer name begins with the same letters.
            rest.is_some_and(|rest| {
                rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label))
            })
        };
        !text.lines().any(is_ours)
    }
}

/// The parts that are looked for at each scrape.
#[derive(Clone, Default)]
pub(crate) struct Measured {
    lists: Vec<Arc<dyn Fn() -> Vec<MeasuredPart> + Send + Sync>>,
    /// The names of the parts that the log has named already.
    named: Arc<Mutex<BTreeSet<String>>>,
}

impl Measured {
    pub(crate) fn add(&mut self, parts: impl Fn() -> Vec<MeasuredPart> + Send + Sync + 'static) {
        self.lists.push(Arc::new(parts));
    }

    /// Names each part that has no series in `text`, once.
    pub(crate) fn warn_of_missing(&self, text: &str) {
        let parts = self.lists.iter().flat_map(|list| list());
        for part in parts.filter(|part| part.is_missing_from(text)) {
            if self.named.lock().insert(part.name.clone()) {
                tracing::warn!(
                    part = part.name,
                    "has no metrics: it was built before the metrics recorder was installed"
                );
            }
        }
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").field("lists", &self.lists.len()).finish_non_exhaustive()
    }
}
