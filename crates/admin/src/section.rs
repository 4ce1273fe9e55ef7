//! [`Section`]: a part of the debug page.

use std::{fmt, sync::Arc};

use serde_json::Value;

/// A named part of the debug page. Its content is a JSON value: an array of objects with the same members is shown as a
/// table, an object as a list of its members.
#[derive(Clone)]
pub struct Section {
    name: Arc<str>,
    content: Arc<dyn Fn() -> Value + Send + Sync>,
    columns: Arc<[String]>,
    series: Option<Arc<str>>,
}

impl Section {
    /// Creates a section. `content` is called for every request and must not block.
    pub fn new(name: &str, content: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self { name: name.into(), content: Arc::new(content), columns: [].into(), series: None }
    }

    /// Names the columns that come first in the section's table, in this order; the others follow in alphabetical order.
    #[must_use]
    pub fn columns(self, names: &[&str]) -> Self {
        Self { columns: names.iter().map(ToString::to_string).collect(), ..self }
    }

    /// Names a metric series of the section's part, such as `workqueue_depth{name="website"}`. If `/metrics` lacks
    /// the series, a warning in the log says that the part was built before the recorder was installed.
    #[must_use]
    pub fn series(self, series: &str) -> Self {
        Self { series: Some(series.into()), ..self }
    }

    /// Returns the section's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn content(&self) -> Value {
        (self.content)()
    }

    /// Returns the columns that come first.
    pub(crate) fn first_columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns whether `text`, in Prometheus' format, lacks this section's series.
    pub(crate) fn is_missing_from(&self, text: &str) -> bool {
        self.series.as_ref().is_some_and(|series| !text.lines().any(|line| line.starts_with(&**series)))
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("name", &self.name)
            .field("series", &self.series)
            .finish_non_exhaustive()
    }
}
