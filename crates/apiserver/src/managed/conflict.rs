//! What is refused when somebody applies fields that others manage.

use http::StatusCode;

use super::entry::{Entry, Operation};
use crate::http::status::{Cause, Status};

/// 409: others manage fields that the configuration would change. Each entry has only those fields.
pub(super) fn conflict(mut entries: Vec<Entry>) -> Status {
    entries.sort_by_key(identity);
    let conflicts: Vec<(String, Vec<String>)> =
        entries.iter().map(|entry| (shown(entry), entry.fields.paths())).collect();
    let count: usize = conflicts.iter().map(|(_, paths)| paths.len()).sum();
    let causes = conflicts.iter().flat_map(|(manager, paths)| {
        let message = format!("conflict with {manager}");
        paths.iter().map(move |path| Cause::new("FieldManagerConflict", path, message.clone()))
    });
    let causes: Vec<Cause> = causes.collect();
    let message = match conflicts.as_slice() {
        [(manager, paths)] if count == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        _ => {
            let lines = conflicts.iter().flat_map(|(manager, paths)| {
                let paths = paths.iter().map(|path| format!("- {path}"));
                std::iter::once(format!("conflicts with {manager}:")).chain(paths)
            });
            format!("Apply failed with {count} conflicts: {}", lines.collect::<Vec<_>>().join("\n"))
        }
    };
    Status::new(StatusCode::CONFLICT, "Conflict", message).causes(&causes)
}

/// Upstream's order of managers: that of the JSON by which it tells them apart.
fn identity(entry: &Entry) -> (String, bool, String, String) {
    let api_version = match entry.operation {
        Operation::Apply => "",
        Operation::Update => &entry.api_version,
    };
    let is_update = entry.operation == Operation::Update;
    (entry.manager.clone(), is_update, api_version.to_owned(), entry.subresource.clone())
}

/// A manager as conflicts name it: an applier by its name, an updater with the version that it used.
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
