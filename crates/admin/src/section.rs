//! [`Section`]: a part of the debug page.

use std::{fmt, sync::Arc};

use serde_json::Value;

/// A named part of the debug page. Its content is a JSON value: an array of objects with the same members is shown as a
/// table, an object as a list of its members.
#[derive(Clone)]
pub struct Section {
    name: Arc<str>,
    content: Arc<dyn Fn() -> Value + Send + Sync>,
    series: Option<Arc<str>>,
}

impl Section {
    /// A section whose content is made for every request. `content` must not wait.
    pub fn new(name: &str, content: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self { name: name.into(), content: Arc::new(content), series: None }
    }

    /// Names a metric series of the part behind this section, such as `workqueue_depth{name="website"}`. If `/metrics` does
    /// not show it, a warning in the log says that the part was built before the recorder was installed.
    #[must_use]
    pub fn series(self, series: &str) -> Self {
        Self { series: Some(series.into()), ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn content(&self) -> Value {
        (self.content)()
    }

    /// Whether `text`, in Prometheus' form, lacks this section's series.
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
