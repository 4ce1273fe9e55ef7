//! [`Conflicts`] of an applied configuration with other managers, and [`ApplyError`].

use std::fmt;

use crate::entry::{Entry, Operation};

/// The error of an applied configuration.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ApplyError {
    /// The configuration has `metadata.managedFields`.
    ManagedFields,
    /// The configuration does not fit the schema. The errors are upstream's, such as
    /// `.spec.colour: field not declared in schema`.
    Invalid(Vec<String>),
    /// Others manage fields that the configuration would change.
    Conflicts(Conflicts),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManagedFields => f.write_str("metadata.managedFields must be nil"),
            Self::Invalid(errors) => f.write_str(&crate::applied::listed(errors)),
            Self::Conflicts(conflicts) => conflicts.fmt(f),
        }
    }
}

impl std::error::Error for ApplyError {}

/// The fields that a configuration would change although others manage them. The text is upstream's:
/// `Apply failed with 1 conflict: conflict with "other": .spec.replicas`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflicts {
    /// Each manager as upstream names it, with the paths of its fields.
    managers: Vec<(String, Vec<String>)>,
}

impl Conflicts {
    /// Each entry has only the fields in conflict.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(identity);
        Self { managers: entries.iter().map(|entry| (shown(entry), entry.fields.paths())).collect() }
    }

    /// Returns the managers, as upstream names them (`"kubectl" with subresource "scale" using apps/v1`), and the paths of
    /// their fields (`.spec.replicas`).
    pub fn managers(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.managers.iter().map(|(manager, paths)| (manager.as_str(), paths.as_slice()))
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.managers.iter().map(|(_, paths)| paths.len()).sum();
        if let [(manager, paths)] = self.managers.as_slice()
            && count == 1
        {
            return write!(f, "Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat());
        }
        let lines = self.managers.iter().flat_map(|(manager, paths)| {
            let paths = paths.iter().map(|path| format!("- {path}"));
            std::iter::once(format!("conflicts with {manager}:")).chain(paths)
        });
        write!(f, "Apply failed with {count} conflicts: {}", lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Returns the key of upstream's order of managers: that of the JSON that identifies them.
fn identity(entry: &Entry) -> (String, bool, String, String) {
    let api_version = match entry.operation {
        Operation::Apply => "",
        Operation::Update => &entry.api_version,
    };
    let is_update = entry.operation == Operation::Update;
    (entry.manager.clone(), is_update, api_version.to_owned(), entry.subresource.clone())
}

/// Returns a manager as conflicts name it: an applier by its name, an updater with the version that it used.
fn shown(entry: &Entry) -> String {
    let mut text = format!("{:?}", entry.manager);
    if !entry.subresource.is_empty() {
        text += &format!(" with subresource {:?}", entry.subresource);
    }
    if entry.operation == Operation::Update {
        text += &format!(" using {}", entry.api_version);
    }
    text
}
