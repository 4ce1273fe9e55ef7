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
    /// The managers of a new object, as text. What its client says of them is taken out of it.
    pub(crate) fn created(&self, object: &mut Value) -> Option<String> {
        self.updated(&json!({"metadata": {}}), None, object)
    }

    /// The managers, as text, of an object that was `live` before and had the managers `stored`. What the client says
    /// of them is taken out of the object; it counts only where the object itself is written.
    pub(crate) fn updated(&self, live: &Value, stored: Option<&str>, object: &mut Value) -> Option<String> {
        let sent = object::take_managers(object);
        let mut managed = self.present(stored, sent.as_ref());
        // What had no managers gets none before somebody applies something to it.
        if !managed.is_empty() || is_new(live) {
            self.track(&mut managed, live, object);
        }
        managed.write()
    }

    /// The managers before the write, as far as the client agrees.
    fn present(&self, stored: Option<&str>, sent: Option<&Value>) -> Managed {
        let text = sent.map(Value::to_string);
        match sent {
            Some(sent) if self.subresource.is_empty() && text.as_deref() != stored => {
                if is_reset(sent) {
                    return Managed::default();
                }
                if let Some(managed) = Managed::decode(sent).ok().filter(|managed| !managed.is_empty()) {
                    return managed;
                }
            }
            _ => {}
        }
        Managed::stored(stored)
    }

    /// Takes what was changed from everybody else.
    pub(super) fn track(&self, managed: &mut Managed, live: &Value, object: &Value) {
        if managed.is_empty() && is_new(live) {
            return self.gain(managed, self.versions.made(live, object));
        }
        let comparison = self.versions.compare(live, object);
        if comparison.is_empty() {
            return;
        }
        self.dispossess(managed, &comparison, live, object, |_| false);
        let mut fields = comparison.written();
        fields.subtract(&STRIPPED);
        if is_new(live) {
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

/// Whether there was nothing before the write.
fn is_new(live: &Value) -> bool {
    object::uid(live).is_empty()
}
