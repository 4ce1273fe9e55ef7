//! [`Writer`]: a client that writes an object under the name of a manager. An update takes the fields that it changes
//! from all other managers.

use serde_json::{Value, json};

use crate::{
    compare::Comparison,
    entry::{Entry, ManagedFields, Operation, is_reset},
    made, object,
    set::FieldSet,
    typed::Type,
    unowned::{STRIPPED, Unowned},
    versions::Versions,
};

/// A client that writes an object, with its manager's name, its subresource and the time.
#[derive(Debug)]
pub struct Writer<'a, V> {
    pub(crate) versions: &'a V,
    pub(crate) manager: &'a str,
    subresource: &'a str,
    now: Option<&'a str>,
    pub(crate) unowned: Unowned<'a>,
}

impl<V> Clone for Writer<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Writer<'_, V> {}

impl<'a, V: Versions> Writer<'a, V> {
    /// Makes a writer of objects of this kind. An empty name becomes `unknown`, as upstream has it.
    pub fn new(versions: &'a V, manager: &'a str) -> Self {
        Self { versions, manager, subresource: "", now: None, unowned: Unowned::default() }
    }

    /// Returns the same writer under another manager's name.
    pub(crate) fn named(self, manager: &'a str) -> Self {
        Self { manager, ..self }
    }

    /// Sets the subresource that the write uses, such as `status`.
    #[must_use]
    pub fn subresource(self, name: &'a str) -> Self {
        Self { subresource: name, ..self }
    }

    /// Sets the time of the write, in RFC 3339 with seconds. By default, entries have no time.
    #[must_use]
    pub fn time(self, now: &'a str) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Sets the fields that have no manager.
    #[must_use]
    pub fn unowned(self, unowned: Unowned<'a>) -> Self {
        Self { unowned, ..self }
    }

    /// Returns the managers of a new object as text. The managers that its client sent are taken out of it.
    pub fn create(&self, object: &mut Value) -> Option<String> {
        self.update(&json!({"metadata": {}}), None, object)
    }

    /// Returns the managers, as text, of an object whose former state was `live`, with the managers `stored`: a text that
    /// this method returned before. The managers that the client sent are taken out of the object; they count only if the
    /// object itself is written, and not a subresource.
    pub fn update(&self, live: &Value, stored: Option<&str>, object: &mut Value) -> Option<String> {
        let sent = object::take_managers(object);
        let mut managed = self.present(stored, sent.as_ref());
        // An object without managers gets none before a configuration is applied to it.
        if !managed.is_empty() || object::is_new(live) {
            self.track(&mut managed, live, object);
        }
        managed.to_text()
    }

    /// Returns the managers before the write, as far as the client agrees.
    fn present(&self, stored: Option<&str>, sent: Option<&Value>) -> ManagedFields {
        let text = sent.map(Value::to_string);
        match sent {
            Some(sent) if self.subresource.is_empty() && text.as_deref() != stored => {
                if is_reset(sent) {
                    return ManagedFields::default();
                }
                if let Some(managed) = ManagedFields::decode(sent).ok().filter(|managed| !managed.is_empty())
                {
                    return managed;
                }
            }
            _ => {}
        }
        ManagedFields::stored(stored)
    }

    /// Takes the changed fields from all other managers.
    pub(crate) fn track(&self, managed: &mut ManagedFields, live: &Value, object: &Value) {
        if managed.is_empty() && object::is_new(live) {
            return self.gain(managed, self.made(live, object));
        }
        let comparison = self.compare(live, object);
        if comparison.is_empty() {
            return;
        }
        self.dispossess(managed, &comparison, live, object, |_| false);
        let mut fields = comparison.written();
        fields.subtract(&STRIPPED);
        if object::is_new(live) {
            fields.subtract(&self.unowned.admitted_fields());
        }
        self.gain(managed, fields);
        managed.cap();
    }

    /// Removes changed and removed fields from all entries except those that `spared` names.
    pub(crate) fn dispossess(
        &self,
        managed: &mut ManagedFields,
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
                match self.compare_in(&entry.api_version, live, object) {
                    Some(other) => in_its_version = other,
                    None => return false, // its fields are unknown in a version that is gone
                }
                &in_its_version
            };
            for lost in [&seen.modified, &seen.added, &seen.removed] {
                entry.fields.subtract(lost);
            }
            !entry.fields.is_empty()
        });
    }

    /// Adds fields to those that the writer has by its updates.
    fn gain(&self, managed: &mut ManagedFields, fields: FieldSet) {
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

    /// Returns an entry of the writer at the present time.
    pub(crate) fn entry(&self, operation: Operation, fields: FieldSet) -> Entry {
        Entry {
            manager: if self.manager.is_empty() { "unknown" } else { self.manager }.to_owned(),
            operation,
            api_version: self.versions.api_version(self.versions.current()),
            time: self.now.map(str::to_owned),
            subresource: self.subresource.to_owned(),
            fields,
        }
    }

    pub(crate) fn type_of_current(&self) -> Type<'a> {
        self.versions.type_of(self.versions.current())
    }

    /// Compares two states of the object, without the fields that this path does not write.
    pub(crate) fn compare(&self, old: &Value, new: &Value) -> Comparison {
        Comparison::of(self.type_of_current(), old, new).without(&self.unowned.reset_fields())
    }

    /// Returns the fields of a new object, made of `nothing`.
    pub(crate) fn made(&self, nothing: &Value, object: &Value) -> FieldSet {
        made::written(self.type_of_current(), nothing, object, self.unowned)
    }

    /// Compares as a manager of `api_version` does; `None` if that version is no longer served.
    pub(crate) fn compare_in(&self, api_version: &str, old: &Value, new: &Value) -> Option<Comparison> {
        let other = self.versions.find(api_version)?;
        let [old, new] =
            [old, new].map(|object| self.versions.convert(self.versions.current(), &other, object));
        let comparison = Comparison::of(self.versions.type_of(&other), &old, &new);
        Some(comparison.without(&self.unowned.reset_fields()))
    }
}

#[cfg(test)]
mod tests;
