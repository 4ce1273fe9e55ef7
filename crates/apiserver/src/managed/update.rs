//! Who manages the fields of an object after somebody wrote it: whoever changed a field has it, alone.

use serde_json::{Value, json};

use super::{
    compare::Comparison,
    entry::{Entry, Managed, Operation, is_reset},
    resets::{STRIPPED, admitted},
    set::FieldSet,
    versions::Versions,
};
use crate::object;

/// Who writes, through which path, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(super) versions: Versions<'a>,
    pub(super) manager: &'a str,
    /// The name of the path below the object's; empty for the object's own.
    pub(super) subresource: &'a str,
    pub(super) now: &'a str,
}

impl Writer<'_> {
    /// Sets the managers of a new object.
    pub(crate) fn created(&self, object: &mut Value) {
        let nothing = json!({"metadata": {}});
        self.updated(&nothing, object);
    }

    /// Sets the managers of an object that was `live` before. What the client says of managers counts only
    /// where the object itself is written.
    pub(crate) fn updated(&self, live: &Value, object: &mut Value) {
        let sent = object::metadata_mut(object).remove("managedFields");
        let mut managed = self.present(live, sent);
        // What had no managers gets none before somebody applies something to it.
        if !managed.is_empty() || object::uid(live).is_empty() {
            self.track(&mut managed, live, object);
        }
        if let Some(list) = managed.encode() {
            object::metadata_mut(object).insert("managedFields".to_owned(), list);
        }
    }

    /// The managers before the write, as far as the client agrees.
    fn present(&self, live: &Value, sent: Option<Value>) -> Managed {
        let stored = object::metadata(live).get("managedFields");
        match sent {
            Some(sent) if Some(&sent) == stored => return Managed::stored(Some(sent)),
            Some(sent) if self.subresource.is_empty() => {
                if is_reset(&sent) {
                    return Managed::default();
                }
                if let Some(managed) = Managed::decode(&sent).ok().filter(|managed| !managed.is_empty()) {
                    return managed;
                }
            }
            _ => {}
        }
        Managed::stored(stored.cloned())
    }

    /// Takes what was changed from everybody else.
    pub(super) fn track(&self, managed: &mut Managed, live: &Value, object: &Value) {
        let comparison = self.versions.compare(live, object);
        if comparison.is_empty() {
            return;
        }
        self.dispossess(managed, &comparison, live, object, |_| false);
        let mut fields = comparison.written();
        fields.subtract(&STRIPPED);
        if object::uid(live).is_empty() {
            fields.subtract(&admitted(self.versions.kind));
        }
        self.gain(managed, fields);
        managed.cap();
    }

    /// Removes from all entries but those that `spared` names what was changed or removed.
    pub(super) fn dispossess(
        &self,
        managed: &mut Managed,
        comparison: &Comparison,
        live: &Value,
        object: &Value,
        spared: impl Fn(&Entry) -> bool,
    ) {
        managed.0.retain_mut(|entry| {
            if spared(entry) {
                return true;
            }
            let in_its_version;
            let seen = if self.versions.is_current(&entry.api_version) {
                comparison
            } else {
                match self.versions.compare_in(&entry.api_version, live, object) {
                    Some(other) => in_its_version = other,
                    None => return false, // nobody can say what it had
                }
                &in_its_version
            };
            for lost in [&seen.modified, &seen.added, &seen.removed] {
                entry.fields.subtract(lost);
            }
            !entry.fields.is_empty()
        });
    }

    /// Adds to what the writer has by its updates.
    fn gain(&self, managed: &mut Managed, fields: FieldSet) {
        if fields.is_empty() {
            return;
        }
        let entry = self.entry(Operation::Update, fields);
        match managed.find(&entry) {
            None => managed.0.push(entry),
            Some(mine) => {
                mine.fields.take(entry.fields);
                mine.time = entry.time;
            }
        }
    }

    /// An entry of the writer, as of now.
    pub(super) fn entry(&self, operation: Operation, fields: FieldSet) -> Entry {
        Entry {
            manager: if self.manager.is_empty() { "unknown" } else { self.manager }.to_owned(),
            operation,
            api_version: self.versions.kind.api_version(),
            time: Some(self.now.to_owned()),
            subresource: self.subresource.to_owned(),
            fields,
        }
    }
}
