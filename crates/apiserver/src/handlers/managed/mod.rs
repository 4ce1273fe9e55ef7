//! The managers of an object's fields: [`trimtab_managed_fields`] with the kinds of this server, their versions, and the
//! fields that their strategies reset.

mod resets;
pub(crate) mod scale;
mod versions;

use std::sync::LazyLock;

use http::StatusCode;
use serde_json::Value;
use trimtab_managed_fields::{ApplyError, Conflicts, ManagedFields, Paths, Unowned, Writer as FieldWriter};

use self::versions::Served;
use crate::{
    api::{
        object,
        status::{Cause, Result, Status},
        subresource::Subresource,
    },
    registry::{Kind, Kinds},
};

/// Returns the list of managers that a client sent, as text.
pub(crate) fn sent(list: Option<&Value>) -> Option<String> {
    ManagedFields::decode(list?).ok()?.to_text()
}

/// Returns whether two lists of managers, as text, differ at most in the times of their entries.
pub(crate) fn differ_in_times_at_most(one: Option<&str>, other: Option<&str>) -> bool {
    one == other || ManagedFields::stored(one).same_but_for_times(ManagedFields::stored(other))
}

static TOKEN: LazyLock<Kind> =
    LazyLock::new(|| Kind::plain("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests"));

/// Makes a writer of requests for tokens, whose answers show managers.
pub(crate) fn token_writer<'a>(kinds: &'a Kinds, manager: &'a str, now: &'a str) -> Writer<'a> {
    Writer::new(kinds, &TOKEN, Some(Subresource::Token), manager, now)
}

/// A client that writes objects of a kind under the name of a manager.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    versions: Served<'a>,
    manager: &'a str,
    subresource: Option<Subresource>,
    now: &'a str,
}

impl<'a> Writer<'a> {
    /// Makes a writer of objects of `kind`, or of their `subresource`, at the time `now`.
    pub(crate) fn new(
        kinds: &'a Kinds,
        kind: &'a Kind,
        subresource: Option<Subresource>,
        manager: &'a str,
        now: &'a str,
    ) -> Self {
        Self { versions: Served::new(kinds, kind), manager, subresource, now }
    }

    fn fields(&self) -> FieldWriter<'_, Served<'a>> {
        self.fields_but(self.versions.kind().strategy.admitted_fields)
    }

    fn fields_but(&self, admitted: Paths<'static>) -> FieldWriter<'_, Served<'a>> {
        let unowned = Unowned { reset: resets::reset(self.versions.kind(), self.subresource), admitted };
        FieldWriter::new(&self.versions, self.manager)
            .subresource(self.subresource.map_or("", Subresource::word))
            .time(self.now)
            .unowned(unowned)
    }

    /// Returns the managers of a new object as text. The managers that its client sent are taken out of it.
    pub(crate) fn created(&self, object: &mut Value) -> Option<String> {
        self.fields_but((self.versions.kind().strategy.unmanaged_fields)(object)).create(object)
    }

    /// Returns the managers, as text, of an object that was `live` before and had the managers `stored`. The managers that
    /// the client sent are taken out of the object; they count only if the object itself is written.
    pub(crate) fn updated(&self, live: &Value, stored: Option<&str>, object: &mut Value) -> Option<String> {
        self.fields().update(live, stored, object)
    }

    /// Applies `config` to `live`, which has the managers `stored`; returns the object and the text of its managers. Of an
    /// object that does not exist, `live` is only its kind.
    ///
    /// # Errors
    ///
    /// The configuration is of another kind or does not fit it, or others manage fields that it would change and `force` is
    /// not set.
    pub(crate) fn apply(
        &self,
        live: &Value,
        stored: Option<&str>,
        config: &Value,
        force: bool,
    ) -> Result<(Value, Option<String>)> {
        let kind = self.versions.kind();
        check_type(kind, config)?;
        self.fields().apply(live, stored, config, force).map_err(|error| refusal(kind, config, &error))
    }
}

/// Refuses a configuration of another kind.
fn check_type(kind: &Kind, config: &Value) -> Result<()> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("apiVersion"), text("kind"));
    if (api_version, name) != (&kind.api_version(), &kind.kind) {
        let version = if api_version.is_empty() { "/" } else { api_version };
        let slash = if version.contains('/') { "" } else { "/" }; // after the core group, which has no name
        return Err(Status::bad_request(format!("invalid object type: {slash}{version}, Kind={name}")));
    }
    Ok(())
}

fn refusal(kind: &Kind, config: &Value, error: &ApplyError) -> Status {
    match error {
        ApplyError::Conflicts(conflicts) => conflict(conflicts),
        ApplyError::ManagedFields => Status::bad_request(error.to_string()),
        _ => Status::internal(format!(
            "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {error}",
            object::namespace(config),
            object::name(config),
            kind.group,
            kind.version,
            kind.kind,
        )),
    }
}

/// 409: others manage fields that the configuration would change.
fn conflict(conflicts: &Conflicts) -> Status {
    let causes = conflicts.managers().flat_map(|(manager, paths)| {
        let message = format!("conflict with {manager}");
        paths.iter().map(move |path| Cause::new("FieldManagerConflict", path, message.clone()))
    });
    let causes: Vec<Cause> = causes.collect();
    Status::new(StatusCode::CONFLICT, "Conflict", conflicts.to_string()).causes(&causes)
}
