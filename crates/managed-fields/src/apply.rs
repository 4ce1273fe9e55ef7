//! Server-side apply: the object and its managers after a manager applied the fields that it wants.

use serde_json::{Map, Value, json};

use crate::{
    applied,
    compare::Comparison,
    conflict::{ApplyError, Conflicts},
    entry::{Entry, ManagedFields, Operation},
    merge::merge,
    object, prune,
    set::FieldSet,
    typed::Type,
    unowned::STRIPPED,
    versions::Versions,
    writer::Writer,
};

/// The manager of the fields of an object that has no managers.
const BEFORE: &str = "before-first-apply";
/// kubectl's name, whose client-side configurations become server-side ones without conflicts.
const KUBECTL: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl<V: Versions> Writer<'_, V> {
    /// Applies a configuration to `live`, which has the managers `stored` (a text that a writer returned before). Returns the
    /// object and the text of its managers. To create an object, `live` is `{"metadata": {}}`, or its type.
    ///
    /// With `force`, the writer takes fields from others that it would change.
    ///
    /// # Errors
    ///
    /// The configuration does not fit the schema or names managers, or others manage fields that it would change.
    pub fn apply(
        &self,
        live: &Value,
        stored: Option<&str>,
        config: &Value,
        force: bool,
    ) -> Result<(Value, Option<String>), ApplyError> {
        if object::metadata(config).is_some_and(|metadata| metadata.contains_key(object::MANAGED_FIELDS)) {
            return Err(ApplyError::ManagedFields);
        }
        let type_of = self.type_of_current();
        let errors = applied::errors(type_of, config);
        if !errors.is_empty() {
            return Err(ApplyError::Invalid(errors));
        }
        let mut managed = ManagedFields::stored(stored);
        if managed.is_empty() {
            // Their manager is unknown, but it is somebody else.
            let before = self.named(BEFORE);
            before.track(&mut managed, &json!({"metadata": {}}), live);
        }
        let applied = self.merged(live, config, &managed, force);
        let (mut object, managed) = match applied {
            Err(conflicts) if self.manager == KUBECTL => {
                let conflicts = self.without_last_applied(live, conflicts);
                if conflicts.is_empty() { self.merged(live, config, &managed, true) } else { Err(conflicts) }
            }
            other => other,
        }
        .map_err(|entries| ApplyError::Conflicts(Conflicts::new(entries)))?;
        if self.manager == KUBECTL {
            keep_last_applied(&mut object, config);
        }
        Ok((object, managed.to_text()))
    }

    /// Applies a configuration to an object that carries its managers in `metadata.managedFields`; `None` creates it.
    ///
    /// # Errors
    ///
    /// As [`Writer::apply`] has them.
    pub fn apply_object(
        &self,
        live: Option<&Value>,
        config: &Value,
        force: bool,
    ) -> Result<Value, ApplyError> {
        let mut live = live.cloned().unwrap_or_else(|| json!({"metadata": {}}));
        let sent = object::take_managers(&mut live);
        let stored = sent.and_then(|sent| ManagedFields::decode(&sent).ok()).and_then(ManagedFields::to_text);
        let (mut object, managers) = self.apply(&live, stored.as_deref(), config, force)?;
        let list = managers.and_then(|text| serde_json::from_str(&text).ok());
        if let (Some(list), Some(metadata)) = (list, object::metadata_mut(&mut object)) {
            metadata.insert(object::MANAGED_FIELDS.to_owned(), list);
        }
        Ok(object)
    }

    /// Returns the object and its managers, or the entries of others with the fields that would change.
    fn merged(
        &self,
        live: &Value,
        config: &Value,
        managed: &ManagedFields,
        force: bool,
    ) -> Result<(Value, ManagedFields), Vec<Entry>> {
        let mut managed = managed.clone();
        let type_of = self.type_of_current();
        let mut fields = applied::paths(type_of, config);
        fields.subtract_below(&self.unowned.reset_fields());
        let mut entry = self.entry(Operation::Apply, fields);
        let last = managed.find(&entry).cloned();
        managed.put(entry.clone());
        let object = merge(type_of, live, config);
        let object = match &last {
            Some(last) => self.pruned(object, &managed, &entry, last),
            None => object,
        };
        let is_changed = object != *live;
        let comparison = self.compare(live, &object);
        if !force {
            let written = comparison.clone().written();
            let conflicts = self.conflicts(&managed, &entry, &written, live, &object);
            if !conflicts.is_empty() {
                return Err(conflicts);
            }
        }
        self.dispossess(&mut managed, &comparison, live, &object, |other| other.is_of(&entry));
        entry.fields.subtract(&STRIPPED);
        if !is_changed {
            entry.time = last.and_then(|last| last.time);
        }
        managed.0.retain(|other| !other.is_of(&entry));
        if !entry.fields.is_empty() {
            managed.0.push(entry);
        }
        Ok((object, managed))
    }

    /// Returns the entries of others with the fields that change, each in its version.
    fn conflicts(
        &self,
        managed: &ManagedFields,
        entry: &Entry,
        written: &FieldSet,
        live: &Value,
        object: &Value,
    ) -> Vec<Entry> {
        let others = managed.0.iter().filter(|other| !other.is_of(entry));
        let conflicts = others.filter_map(|other| {
            let fields = if self.versions.is_current(&other.api_version) {
                other.fields.intersection(written)
            } else {
                let seen = self.compare_in(&other.api_version, live, object)?;
                other.fields.intersection(&seen.written())
            };
            (!fields.is_empty()).then(|| Entry { fields, time: None, ..other.clone() })
        });
        conflicts.collect()
    }

    /// Removes fields that the writer applied last time, does not apply any more, and nobody else has.
    fn pruned(&self, object: Value, managed: &ManagedFields, entry: &Entry, last: &Entry) -> Value {
        let mut dropped = last.fields.clone();
        dropped.subtract(&entry.fields);
        if dropped.is_empty() && last.api_version == entry.api_version {
            return object;
        }
        let versions = self.versions;
        let Some(before) = versions.find(&last.api_version) else {
            return object; // in a version that is gone, nothing can be found
        };
        let type_of = versions.type_of(&before);
        let merged = versions.convert(versions.current(), &before, &object);
        let last_fields = prune::with_named_fields(type_of, &last.fields);
        let pruned = prune::without(type_of, &merged, &last_fields);
        let pruned = self.with_owned(&before, &merged, pruned, managed);
        // Fields that were never the writer's are not its to remove.
        let named = |value: &Value| prune::with_named_fields(type_of, &applied::paths(type_of, value));
        let mut gone = named(&merged);
        gone.subtract(&named(&pruned));
        let pruned = prune::without(type_of, &merged, &gone.intersection(&last_fields));
        versions.convert(&before, versions.current(), &pruned)
    }

    /// Restores the fields that managers have, version by version, beginning with `version`.
    fn with_owned(
        &self,
        version: &V::Version,
        merged: &Value,
        pruned: Value,
        managed: &ManagedFields,
    ) -> Value {
        let mut api_versions: Vec<&str> = managed.0.iter().map(|entry| entry.api_version.as_str()).collect();
        api_versions.sort_unstable();
        api_versions.dedup();
        let first = self.versions.api_version(version);
        api_versions.sort_by_key(|other| *other != first);
        api_versions.into_iter().fold(pruned, |pruned, api_version| {
            let Some(other) = self.versions.find(api_version) else {
                return pruned;
            };
            let mut owned = FieldSet::default();
            let entries = managed.0.iter().filter(|entry| entry.api_version == api_version);
            entries.for_each(|entry| owned.unite(&entry.fields));
            let type_of = self.versions.type_of(&other);
            let named = |set: &FieldSet| prune::with_named_fields(type_of, set);
            let [merged, pruned] =
                [merged, &pruned].map(|value| self.versions.convert(version, &other, value));
            let mut gone = named(&applied::paths(type_of, &merged));
            gone.subtract(&named(&applied::paths(type_of, &pruned)));
            gone.subtract(&named(&owned));
            self.versions.convert(&other, version, &prune::without(type_of, &merged, &gone))
        })
    }

    /// Removes the conflicts about fields that kubectl itself applied, as its annotation says, before it applied on the
    /// server.
    fn without_last_applied(&self, live: &Value, mut conflicts: Vec<Entry>) -> Vec<Entry> {
        let Some(applied) = last_applied(live).and_then(|text| serde_json::from_str::<Value>(text).ok())
        else {
            return conflicts;
        };
        let type_of: Type<'_> = self.type_of_current();
        let api_version = applied["apiVersion"].as_str().unwrap_or_default();
        if !self.versions.is_current(api_version) || !applied::errors(type_of, &applied).is_empty() {
            return conflicts;
        }
        let mut allowed = applied::paths(type_of, &applied);
        let comparison = Comparison::of(type_of, &applied, live);
        for changed in [&comparison.modified, &comparison.added, &comparison.removed] {
            allowed.subtract(changed);
        }
        for entry in &mut conflicts {
            entry.fields.subtract(&allowed);
        }
        conflicts.retain(|entry| !entry.fields.is_empty());
        conflicts
    }
}

fn last_applied(object: &Value) -> Option<&str> {
    let text = object::metadata(object)?.get("annotations")?.get(LAST_APPLIED)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

/// Keeps kubectl's annotation up to date, for those who go back to applying on the client's side.
fn keep_last_applied(object: &mut Value, config: &Value) {
    if last_applied(object).is_none() {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = annotations_mut(&mut config) {
        annotations.remove(LAST_APPLIED);
    }
    let text = format!("{config}\n");
    if let Some(annotations) = annotations_mut(object) {
        annotations.insert(LAST_APPLIED.to_owned(), text.into());
    }
}

fn annotations_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object::metadata_mut(object)?.get_mut("annotations")?.as_object_mut()
}
