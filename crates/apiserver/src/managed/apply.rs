//! Server-side apply: what becomes of an object, and of its managers, when one of them says which fields it
//! wants.

use serde_json::{Value, json};

use super::{
    applied,
    conflict::conflict,
    entry::{Entry, Managed, Operation},
    merge::merge,
    prune,
    resets::STRIPPED,
    set::FieldSet,
    update::Writer,
    versions::{convert, type_of},
};
use crate::{
    http::status::{Result, Status},
    kinds::Kind,
    object,
};

/// Who has the fields of an object that nobody kept account of.
const BEFORE: &str = "before-first-apply";
/// kubectl's name, whose client-side configurations become server-side ones without conflicts.
const KUBECTL: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Writer<'_> {
    /// What becomes of `live`, which has the managers `stored`, and of those, as text, when the writer applies `config`.
    /// Of an object that is not there, `live` is only its kind.
    ///
    /// # Errors
    ///
    /// The configuration is not of the kind, or others manage what it would change and `force` is not set.
    pub(crate) fn apply(
        &self,
        live: &Value,
        stored: Option<&str>,
        config: &Value,
        force: bool,
    ) -> Result<(Value, Option<String>)> {
        let kind = self.versions.kind;
        check(kind, config)?;
        let mut managed = Managed::stored(stored);
        if managed.is_empty() {
            // Who wrote it is not known, but that it was somebody else is.
            let before = Writer { manager: BEFORE, ..*self };
            before.track(&mut managed, &json!({"metadata": {}}), live);
        }
        let applied = self.merged(live, config, &managed, force);
        let (mut object, managed) = match applied {
            Err(conflicts) if self.manager == KUBECTL => {
                let conflicts = without_last_applied(kind, live, conflicts);
                if conflicts.is_empty() { self.merged(live, config, &managed, true) } else { Err(conflicts) }
            }
            other => other,
        }
        .map_err(conflict)?;
        if self.manager == KUBECTL {
            keep_last_applied(&mut object, config);
        }
        Ok((object, managed.write()))
    }

    /// The object and its managers, or what others have of the fields that would change.
    fn merged(
        &self,
        live: &Value,
        config: &Value,
        managed: &Managed,
        force: bool,
    ) -> std::result::Result<(Value, Managed), Vec<Entry>> {
        let mut managed = managed.clone();
        let type_of = type_of(self.versions.kind);
        let mut fields = applied::paths(type_of, config);
        fields.subtract_below(&self.versions.resets());
        let mut entry = self.entry(Operation::Apply, fields);
        let last = managed.find(&entry).cloned();
        managed.put(entry.clone());
        let object = merge(type_of, live, config);
        let object = match &last {
            Some(last) => self.pruned(object, &managed, &entry, last),
            None => object,
        };
        let is_changed = object != *live;
        let comparison = self.versions.compare(live, &object);
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

    /// What others have of the fields that change, each in its version.
    fn conflicts(
        &self,
        managed: &Managed,
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
                let seen = self.versions.compare_in(&other.api_version, live, object)?;
                other.fields.intersection(&seen.written())
            };
            (!fields.is_empty()).then(|| Entry { fields, time: None, ..other.clone() })
        });
        conflicts.collect()
    }

    /// The object without what the writer applied last time, does not apply any more, and nobody else has.
    fn pruned(&self, object: Value, managed: &Managed, entry: &Entry, last: &Entry) -> Value {
        let mut dropped = last.fields.clone();
        dropped.subtract(&entry.fields);
        if dropped.is_empty() && last.api_version == entry.api_version {
            return object;
        }
        let kind = self.versions.kind;
        let Some(before) = self.versions.other(&last.api_version) else {
            return object; // in a version that is gone, nothing can be found
        };
        let merged = convert(kind, &before, &object);
        let last_fields = prune::with_named_fields(type_of(&before), &last.fields);
        let pruned = prune::without(type_of(&before), &merged, &last_fields);
        let pruned = self.with_owned(&before, &merged, pruned, managed);
        // What was never the writer's is not its to take.
        let named = |value: &Value| {
            prune::with_named_fields(type_of(&before), &applied::paths(type_of(&before), value))
        };
        let mut gone = named(&merged);
        gone.subtract(&named(&pruned));
        convert(&before, kind, &prune::without(type_of(&before), &merged, &gone.intersection(&last_fields)))
    }

    /// Puts back what somebody has, version by version, beginning with `version`.
    fn with_owned(&self, version: &Kind, merged: &Value, pruned: Value, managed: &Managed) -> Value {
        let mut versions: Vec<&str> = managed.0.iter().map(|entry| entry.api_version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        let first = version.api_version();
        versions.sort_by_key(|other| *other != first);
        versions.into_iter().fold(pruned, |pruned, api_version| {
            let Some(kind) = self.versions.other(api_version) else {
                return pruned;
            };
            let mut owned = FieldSet::default();
            let entries = managed.0.iter().filter(|entry| entry.api_version == api_version);
            entries.for_each(|entry| owned.unite(&entry.fields));
            let type_of = type_of(&kind);
            let named = |set: &FieldSet| prune::with_named_fields(type_of, set);
            let [merged, pruned] = [merged, &pruned].map(|value| convert(version, &kind, value));
            let mut gone = named(&applied::paths(type_of, &merged));
            gone.subtract(&named(&applied::paths(type_of, &pruned)));
            gone.subtract(&named(&owned));
            convert(&kind, version, &prune::without(type_of, &merged, &gone))
        })
    }
}

/// Refuses what is no configuration of this kind.
fn check(kind: &Kind, config: &Value) -> Result<()> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    if (api_version, name) != (&kind.api_version(), &kind.kind) {
        let version = if api_version.is_empty() { "/" } else { api_version };
        return Err(Status::bad_request(format!("invalid object type: {version}, Kind={name}")));
    }
    if object::metadata(config).contains_key("managedFields") {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    let errors = applied::errors(type_of(kind), config);
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::internal(format!(
        "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {}",
        object::namespace(config),
        object::name(config),
        kind.group,
        kind.version,
        kind.kind,
        applied::listed(&errors)
    )))
}

/// The conflicts without what kubectl itself wrote, as its annotation tells, before it applied on the server.
fn without_last_applied(kind: &Kind, live: &Value, mut conflicts: Vec<Entry>) -> Vec<Entry> {
    let Some(applied) = last_applied(live).and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return conflicts;
    };
    let type_of = type_of(kind);
    if object::api_version(&applied) != kind.api_version() || !applied::errors(type_of, &applied).is_empty() {
        return conflicts;
    }
    let mut allowed = applied::paths(type_of, &applied);
    let comparison = super::compare::Comparison::of(type_of, &applied, live);
    for changed in [&comparison.modified, &comparison.added, &comparison.removed] {
        allowed.subtract(changed);
    }
    for entry in &mut conflicts {
        entry.fields.subtract(&allowed);
    }
    conflicts.retain(|entry| !entry.fields.is_empty());
    conflicts
}

fn last_applied(object: &Value) -> Option<&str> {
    let text = object::metadata(object).get("annotations")?.get(LAST_APPLIED)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

/// Keeps kubectl's annotation up to date, for those who go back to applying on the client's side.
fn keep_last_applied(object: &mut Value, config: &Value) {
    if last_applied(object).is_none() {
        return;
    }
    let mut config = config.clone();
    if let Some(Value::Object(annotations)) = object::metadata_mut(&mut config).get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
    }
    let text = format!("{config}\n");
    if let Some(Value::Object(annotations)) = object::metadata_mut(object).get_mut("annotations") {
        annotations.insert(LAST_APPLIED.to_owned(), text.into());
    }
}
