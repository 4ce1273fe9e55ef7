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
}

impl Section {
    /// Creates a section. `content` is called for every request and must not block.
    pub fn new(name: &str, content: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self { name: name.into(), content: Arc::new(content), columns: [].into() }
    }

    /// Names the columns that come first in the section's table, in this order; the others follow in alphabetical order.
    #[must_use]
    pub fn columns(self, names: &[&str]) -> Self {
        Self { columns: names.iter().map(ToString::to_string).collect(), ..self }
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
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("name", &self.name).finish_non_exhaustive()
    }
}
